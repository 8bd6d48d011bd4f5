"""Taking an incident on: the one thing these pages can change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from plugins.pages.access import UserName, may_edit, same_origin
from plugins.pages.view import ViewOf
from settings import Settings
from sql.warehouse import Warehouse

router = APIRouter()


@router.post("/quality/incidents/{incident_id}/acknowledge", dependencies=[may_edit, same_origin])
async def acknowledge(
    request: Request,
    view: ViewOf,
    user: UserName,
    incident_id: int,
    note: Annotated[str, Form(min_length=1, max_length=500)],
    site: Annotated[str, Form()] = "",
) -> Response:
    """Note who took the incident on and what they say; 409 when it has closed meanwhile."""
    settings: Settings = request.app.state.settings
    parameters = {"incident_id": incident_id, "acknowledged_by": user[:200], "note": note.strip() or "-"}

    def write(reader: Warehouse) -> int:
        reader.close()  # one connection less, so that the pages never hold more than four
        with Warehouse(settings.dsn("footfall_reporter"), "footfall-pages", 3.0) as writer:
            return len(writer.rows("quality/acknowledge_incident", parameters))

    if not await view.reader.run(write):
        raise HTTPException(409, "This incident is closed by now.")
    return RedirectResponse(view.url("/quality", site=site or None) + "#incidents", 303)

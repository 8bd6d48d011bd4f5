"""Who may see the pages, who may change something, and whether a request comes from our own page."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, requires_access_view
from fastapi import Depends, HTTPException, Request

# Airflow has no right of its own for what a plugin changes: whoever may edit the DAG that finds incidents may
# acknowledge them.
EDITED_DAG = "report_quality"

may_view = Depends(requires_access_view(AccessView.PLUGINS))
may_edit = Depends(requires_access_dag("PUT", param_dag_id=EDITED_DAG))


def _can_edit(user: GetUserDep) -> bool:
    manager: Any = get_auth_manager()
    return bool(manager.is_authorized_dag(method="PUT", details=DagDetails(id=EDITED_DAG), user=user))


CanEdit = Annotated[bool, Depends(_can_edit)]


def _require_same_origin(request: Request) -> None:
    """403 unless a browser says that the request comes from a page of this server.

    ``Sec-Fetch-Site`` is set by the browser itself and cannot be forged by a page; browsers leave it out where the
    server is reached by plain http under another name than localhost: there ``Origin`` has to name this server.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        origin = urlsplit(request.headers.get("origin", ""))
        is_ours = bool(origin.netloc) and origin.netloc == request.headers.get("host")
    if not is_ours:
        raise HTTPException(403, "This request does not come from a page of this server.")


same_origin = Depends(_require_same_origin)


def user_name(user: GetUserDep) -> str:
    """How Airflow calls the user, for the record."""
    return str(user.get_name())


UserName = Annotated[str, Depends(user_name)]

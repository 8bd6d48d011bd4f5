"""The SQL link of a block: the statement with its parameters, ready to paste, and its rows as table, CSV and JSON."""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, HTTPException, Response

from plugins.pages.exports import MOST_ROWS, attachment, csv_text, json_text
from plugins.pages.reading import Query
from plugins.pages.view import View, ViewOf
from sql.warehouse import ROOM, Warehouse, statement

MOST_ROWS_SHOWN = 1000

router = APIRouter(prefix="/sql")


def _query(view: View, name: str) -> Query:
    """The query that an address names; 404 for a name that is no file, 422 for a parameter that is not given."""
    if name not in {path.stem for path in (ROOM / "pages").glob("*.sql")}:
        raise HTTPException(404, "There is no such block.")
    wanted = set(re.findall(r"%\((\w+)\)s", statement(f"pages/{name}")))
    given = {key: value for key, value in view.request.query_params.items() if key in wanted}
    if given.get("most", "0").isdigit() and int(given.get("most", "0")) > MOST_ROWS:
        raise HTTPException(422, f"At most {MOST_ROWS} rows at a time.")
    if missing := wanted - given.keys():
        raise HTTPException(422, f"These parameters are missing: {', '.join(sorted(missing))}")
    if odd := [key for key, value in given.items() if "\0" in value]:
        raise HTTPException(422, f"No text can hold what {odd[0]} holds.")
    return Query(name, given)


@router.get("/{name}")
async def show(view: ViewOf, name: str) -> Response:
    """The statement and its rows as a page."""
    query = _query(view, name)

    def bound(warehouse: Warehouse) -> str:
        return warehouse.bound(f"pages/{query.name}", query.parameters)

    await view.reader.state(Query("stream_state", {}))
    text = await view.reader.run(bound)
    found = (await view.reader.blocks({"rows": query}))["rows"]
    return await view.page("sql.html", name=name, text=text, block=found, most=MOST_ROWS_SHOWN)


@router.get("/{name}/{kind}")
async def download(view: ViewOf, name: str, kind: str) -> Response:
    """The rows as a file: raw numbers, UTC, the columns' names."""
    if kind not in ("csv", "json"):
        raise HTTPException(404, "There is CSV and JSON.")
    query = _query(view, name)
    await view.reader.state(Query("stream_state", {}))
    found = (await view.reader.blocks({"rows": query}))["rows"]
    if found.failed:
        raise HTTPException(503, f"The rows could not be read: {found.failed}")
    text = await asyncio.to_thread(csv_text if kind == "csv" else json_text, found.rows)
    return attachment(text, f"footfall-{name}.{kind}")

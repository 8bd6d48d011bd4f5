"""The lines behind a figure: from an error, or a page, of an hour's report to its records, while Kafka keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from plugins.pages.countries import country_name
from plugins.pages.line_reading import MOST_LINES, SEARCH_SECONDS
from plugins.pages.live_figures import AGENTS
from plugins.pages.quality_rows import zulu
from plugins.pages.reading import Query
from plugins.pages.report_range import asked_range
from plugins.pages.sites import choose_site
from plugins.pages.view import ViewOf
from spark_jobs.request_names import OTHER

router = APIRouter()

Status = Annotated[int | None, Parameter(ge=1, le=599)]


@router.get("/lines")
async def lines(
    request: Request,
    view: ViewOf,
    start: datetime,
    site: str | None = None,
    page: str = "",
    status: Status = None,
    country: str = "",
    agent_class: str = "",
) -> Response:
    """Some lines of a cell: page empty: of all pages; status: 404, or 4 for a whole class.

    country, agent_class: filters of the report that led here; they do not hold for lines; the way back keeps them.
    """
    asked = asked_range("hour", start, None, "now")
    await view.reader.state(Query("stream_state", {}))
    sites, site = await choose_site(view, site)
    ranges = Query("report_ranges", {"site": site or "", "from_time": zulu(asked.start)})
    blocks = await view.reader.blocks({"ranges": ranges})
    read = None
    if blocks["ranges"].rows and page != OTHER:
        read = await request.app.state.lines.lines(site, asked.start, page, status, blocks["ranges"].rows)
    return await view.page(
        "lines.html",
        tab="reports",
        sites=sites,
        site=site,
        asked=asked,
        page_path=page,
        is_sum=page == OTHER,
        status=status,
        unapplied={name: value for name, value in (("country", country), ("agent_class", agent_class)) if value},
        read=read,
        most=MOST_LINES,
        seconds=SEARCH_SECONDS,
        zulu=zulu,
        country_name=country_name,
        agent_names=AGENTS,
        **blocks,
    )

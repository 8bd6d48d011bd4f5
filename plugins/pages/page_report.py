"""One report: an hour, a day or any range, as known now or at a moment, with its evidence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from fastapi import Query as Parameter

from plugins.pages.charts import chart_data
from plugins.pages.countries import country_name
from plugins.pages.live_figures import AGENTS, STATUSES
from plugins.pages.quality_rows import title, zulu
from plugins.pages.reading import Block, Query
from plugins.pages.report_file import export_context, without_links
from plugins.pages.report_range import Asked, Kind, asked_range, queries_of
from plugins.pages.report_rows import known_revision, within_bound, worst_seal
from plugins.pages.revision_columns import compared_revision, revision_columns
from plugins.pages.sites import choose_site
from plugins.pages.view import View, ViewOf

router = APIRouter()

REFRESH_SECONDS = 30
MOST_MOVED = 5


def _asked(kind: Kind, start: datetime, end: datetime | None = None, as_known_at: str = "now") -> Asked:
    return asked_range(kind, start, end, as_known_at)


def _filters(
    page: str = "",
    country: str = "",
    status_class: Literal["", "1", "2", "3", "4", "5"] = "",
    agent_class: Literal["", "human", "bot", "scanner", "tool", "unknown"] = "",
) -> dict[str, str]:
    return {"page": page, "country": country, "status_class": status_class, "agent_class": agent_class}


def _compare(compare: Annotated[str, Parameter(pattern="^(r[1-9][0-9]{0,5})?$")] = "") -> str:
    return compare


Compare = Annotated[str, Depends(_compare)]
AskedRange = Annotated[Asked, Depends(_asked)]
Filters = Annotated[dict[str, str], Depends(_filters)]


@router.get("/reports/{kind}/file")
async def report_file(
    view: ViewOf, asked: AskedRange, filters: Filters, compare: Compare, site: str | None = None
) -> Response:
    """The same as one HTML file."""
    await view.reader.state(Query("stream_state", {}))
    _, site = await choose_site(view, site)
    context = await gather(view, asked, site or "", filters, compare)
    text = without_links(await view.text("report.html", site=site, **context, **export_context()))
    name = f"footfall-{asked.kind}-{asked.start:%Y-%m-%dT%H%MZ}.html"
    return Response(
        text,
        media_type="text/html; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/reports/{kind}")
async def report(
    view: ViewOf, asked: AskedRange, filters: Filters, compare: Compare, site: str | None = None
) -> Response:
    """The whole page, or its content for a refresh."""
    await view.reader.state(Query("stream_state", {}))
    sites, site = await choose_site(view, site)
    context = await gather(view, asked, site or "", filters, compare)
    return await view.page(
        "report.html", tab="reports", refresh_seconds=REFRESH_SECONDS, sites=sites, site=site, **context
    )


async def gather(view: View, asked: Asked, site: str, filters: dict[str, str], compare: str) -> dict[str, Any]:
    """Everything that the template of a report needs; also what the exported file is made of."""
    blocks = await view.reader.blocks(queries_of(asked, site, filters))
    revisions = blocks["revisions"].rows
    shown = known_revision(revisions, asked.known_at) if asked.kind == "hour" else None
    against = compared_revision(revisions, shown, compare)
    further: dict[str, Query] = {}
    if shown is not None:
        of_hour = {"site": site, "from_time": zulu(asked.start), "revision": shown["revision"]}
        further["checks"] = Query("report_checks", of_hour)
        if against is not None:
            pair = of_hour | {"against": against["revision"], "most": MOST_MOVED}
            further["differences"] = Query("report_compare", pair)
    found: dict[str, Block] = await view.reader.blocks(further)
    return {
        "asked": asked,
        "filters": filters,
        "shown": shown,
        "seal": shown["seal"] if shown else worst_seal(revisions),
        "against": against,
        "columns": revision_columns(revisions, shown, against) if asked.kind == "hour" else [],
        "checks": found.get("checks"),
        "differences": found.get("differences"),
        "within_bound": within_bound,
        "before_start": asked.before_start,
        "before_words": asked.before_words(view.clock),
        "is_whole": asked.is_whole(view.clock.now),
        "after_start": asked.end,
        "length": asked.end - asked.start,
        "bars": bars(view, asked, blocks["steps"]),
        "zulu": zulu,
        "title": title,
        "country_name": country_name,
        "agent_names": AGENTS,
        "status_names": STATUSES,
        "ledger": blocks.pop("ledger", None),
        **blocks,
    }


def bars(view: View, asked: Asked, steps: Block) -> str:
    """Data of the bars over time."""
    rows = steps.rows
    seconds = (
        60
        if asked.kind == "hour"
        else (rows[1]["step_start"] - rows[0]["step_start"]).total_seconds()
        if len(rows) > 1
        else 3600
    )
    width = timedelta(seconds=min(seconds, 86400))
    made = [
        {"step_start": row["step_start"], "step_end": row["step_start"] + width, "hits": row["hits"]} for row in rows
    ]
    return chart_data({"steps": made}, from_time=asked.start, until_time=asked.end)

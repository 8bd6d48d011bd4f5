"""One report: an hour, a day or any range, as known now or at a moment, with its evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime

from plugins.pages.charts import chart_data
from plugins.pages.countries import country_name
from plugins.pages.live_figures import AGENTS, STATUSES
from plugins.pages.quality_rows import title, zulu
from plugins.pages.reading import Block, Query
from plugins.pages.report_comparison import compare as compared
from plugins.pages.report_comparison import context_of
from plugins.pages.report_file import export_context, without_links
from plugins.pages.report_range import Asked, Kind, asked_range, cells_by_field, field_value, named_moment, queries_of
from plugins.pages.report_rows import within_bound, worst_seal
from plugins.pages.revision_columns import Against
from plugins.pages.revision_layers import LAYER_WORDS, LAYERS, bars_summary, step_bars
from plugins.pages.sites import choose_site
from plugins.pages.view import View, ViewOf
from sql.warehouse import Row

router = APIRouter()

REFRESH_SECONDS = 30


def _asked(
    kind: Kind,
    start: datetime,
    end: datetime | None = None,
    as_known_at: str = "now",
    seen: AwareDatetime | None = None,
) -> Asked:
    return asked_range(kind, start, end, as_known_at, seen)


def _filters(
    page: str = "",
    country: str = "",
    status_class: Literal["", "1", "2", "3", "4", "5"] = "",
    agent_class: Literal["", "human", "bot", "scanner", "tool", "unknown"] = "",
) -> dict[str, str]:
    return {"page": page, "country": country, "status_class": status_class, "agent_class": agent_class}


def _compare(compare: str = "") -> Against:
    """r2, a moment, or empty for what was published first."""
    if re.fullmatch(r"r[1-9][0-9]{0,5}", compare):
        return int(compare[1:])
    return named_moment(compare) if compare else None


Compare = Annotated[Against, Depends(_compare)]
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


async def gather(view: View, asked: Asked, site: str, filters: dict[str, str], compare: Against) -> dict[str, Any]:
    """Everything that the template of a report needs; also what the exported file is made of."""
    last = (await view.reader.blocks({"last": Query("report_newest", {})}))["last"].row.get("newest_made_at")
    final = asked.as_published(last)
    blocks = cells_by_field(await view.reader.blocks(queries_of(final, site, filters)))
    revisions = blocks["revisions"].rows
    changes, days, seals = (blocks.pop(name, None) for name in ("changes", "days", "seals"))
    comparison = compared(asked, revisions, days, changes.row if changes else {}, compare)
    newest = newest_report(revisions, changes)
    seen_at = asked.seen_at or max(
        (row["made_at"] for row in (newest, *(days.rows if days else ())) if row), default=None
    )
    by_key = Query("report_visitors", {"site": site} | final.as_known, final.fresh_seconds)
    further = comparison.queries(site)
    if blocks["figures"].row.get("visitor_keys", 0) > 1:
        further["visitors"] = by_key
    if asked.kind == "hour" and comparison.shown is not None:
        of_hour = {"site": site, "from_time": zulu(asked.start), "revision": comparison.shown["revision"]}
        further["checks"] = Query("report_checks", of_hour)
    found: dict[str, Block] = await view.reader.blocks(further)
    return {
        "asked": asked,
        "filters": filters,
        "seal": comparison.shown["seal"]
        if asked.kind == "hour" and comparison.shown
        else worst_seal(seals.rows if seals else []),
        "seals": seals,
        **context_of(comparison, found),
        "newer": newest if asked.seen_at and newest and newest["made_at"] > asked.seen_at else None,
        "refresh_address": view.same(seen=seen_at.isoformat()) if asked.known_at is None and seen_at else None,
        "changes": changes,
        "days": days,
        "checks": found.get("checks"),
        "visitors": found.get("visitors", Block(by_key, [])),
        "within_bound": within_bound,
        "before_start": asked.before_start,
        "before_words": asked.before_words(view.clock),
        "is_whole": asked.is_whole(view.clock.now),
        "after_start": asked.end,
        "length": asked.end - asked.start,
        **bars(asked, blocks["steps"]),
        "field_value": field_value,
        "zulu": zulu,
        "title": title,
        "country_name": country_name,
        "agent_names": AGENTS,
        "status_names": STATUSES,
        "layer_words": LAYER_WORDS,
        "ledger": blocks.pop("ledger", None),
        **blocks,
    }


def newest_report(revisions: Sequence[Row], changes: Block | None) -> Row | None:
    """The newest revision of the hour; for a longer range when its newest was made. changes: of a longer range."""
    if changes is None:
        return revisions[0] if revisions else None
    made_at = changes.row.get("newest_made_at")
    return {"made_at": made_at} if made_at else None


def bars(asked: Asked, steps: Block) -> dict[str, Any]:
    """The bars over time, each divided by the revision that added its hits."""
    what = {60: "Hits per minute", 3600: "Hits per hour"}.get(asked.step // timedelta(seconds=1), "Hits per day")
    made = step_bars(steps.rows, asked.step)
    return {
        "bars_title": what,
        "bars": chart_data({"steps": made}, from_time=asked.start, until_time=asked.end),
        "bars_summary": bars_summary(what, made),
        "bars_sum": sum(bar["hits"] for bar in made),
        "layers_drawn": [name for name in LAYERS if any(bar[name] for bar in made)],
    }

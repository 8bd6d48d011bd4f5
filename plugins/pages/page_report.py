"""One report: an hour, a day or any range, as known now or at a moment, with its evidence; as a page and as files."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import AwareDatetime

from plugins.pages.check_words import limit_words, seen_words, tally, tally_words, verdict_of
from plugins.pages.countries import country_name
from plugins.pages.exports import MOST_ROWS, attachment, csv_text, json_text
from plugins.pages.live_figures import AGENTS, STATUSES
from plugins.pages.quality_rows import title, zulu
from plugins.pages.reading import Query
from plugins.pages.report_comparison import context_of
from plugins.pages.report_coverage import change_words, filter_words, is_comparable
from plugins.pages.report_export import facts, failures, long_form, named_rows
from plugins.pages.report_file import DatedClock, export_context, without_links
from plugins.pages.report_gathering import Gathered, bars, gather
from plugins.pages.report_range import Asked, Kind, asked_range, field_value, named_moment
from plugins.pages.report_rows import within_bound
from plugins.pages.revision_columns import Against
from plugins.pages.revision_layers import LAYER_WORDS
from plugins.pages.sites import choose_site
from plugins.pages.view import View, ViewOf

router = APIRouter()

REFRESH_SECONDS = 30
# What is a reader's present may lie in our future, as clocks go.
CLOCKS_DIFFER = timedelta(minutes=5)


def _asked(
    request: Request,
    kind: Kind,
    start: datetime,
    end: datetime | None = None,
    as_known_at: str = "now",
    seen: AwareDatetime | None = None,
) -> Asked:
    asked = asked_range(kind, start, end, as_known_at, seen)
    if asked.known_at and asked.known_at > request.app.state.clock() + CLOCKS_DIFFER:
        raise HTTPException(422, f"{as_known_at} lies in the future: what will be known then is not known yet.")
    return asked


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
    view = replace(view, clock=DatedClock(view.clock.now, view.clock.zone))
    gathered = await gather(view, asked, site or "", filters, compare)
    context = context_for(view, gathered) | export_context(view, asked, site)
    text = await view.text("report.html", site=site, **context)
    return attachment(await asyncio.to_thread(without_links, text), file_name(asked, "html"))


@router.get("/reports/{kind}/csv")
async def report_csv(
    view: ViewOf, asked: AskedRange, filters: Filters, compare: Compare, site: str | None = None
) -> Response:
    """All of it as CSV: one line for each value."""
    made = await exported(view, asked, filters, compare, site)
    text = await asyncio.to_thread(lambda: csv_text(long_form(made)))
    return attachment(text, file_name(asked, "csv"))


@router.get("/reports/{kind}/json")
async def report_json(
    view: ViewOf, asked: AskedRange, filters: Filters, compare: Compare, site: str | None = None
) -> Response:
    """All of it as JSON: named lists of rows."""
    made = await exported(view, asked, filters, compare, site)
    return attachment(await asyncio.to_thread(json_text, made), file_name(asked, "json"))


async def exported(
    view: View, asked: Asked, filters: dict[str, str], compare: Against, site: str | None
) -> dict[str, list[dict[str, Any]]]:
    """What the files of rows hold; 503 in words when a part could not be read: half a report is none."""
    await view.reader.state(Query("stream_state", {}))
    _, site = await choose_site(view, site)
    gathered = await gather(view, asked, site or "", filters, compare, MOST_ROWS)
    if failed := failures(gathered):
        raise HTTPException(503, f"The report could not be read: {failed}")
    return {"report": [facts(gathered, view.clock.now)], **named_rows(gathered)}


def file_name(asked: Asked, ending: str) -> str:
    """footfall-hour-2026-06-01T1000Z.json"""
    return f"footfall-{asked.kind}-{asked.start:%Y-%m-%dT%H%MZ}.{ending}"


@router.get("/reports/{kind}")
async def report(
    view: ViewOf, asked: AskedRange, filters: Filters, compare: Compare, site: str | None = None
) -> Response:
    """The whole page, or its content for a refresh."""
    await view.reader.state(Query("stream_state", {}))
    sites, site = await choose_site(view, site)
    context = context_for(view, await gather(view, asked, site or "", filters, compare))
    return await view.page(
        "report.html", tab="reports", refresh_seconds=REFRESH_SECONDS, sites=sites, site=site, **context
    )


def context_for(view: View, gathered: Gathered) -> dict[str, Any]:
    """What the template of a report needs."""
    asked, filters, figures = gathered.asked, gathered.filters, gathered.figures
    newest, days = gathered.newest, gathered.blocks.get("days")
    seen_at = asked.seen_at or max(
        (row["made_at"] for row in (newest, *(days.rows if days else ())) if row), default=None
    )
    optional = dict.fromkeys(("changes", "days", "seals", "checks", "ledger"))
    results = gathered.blocks["checks"].rows if "checks" in gathered.blocks else []
    return {
        "asked": asked,
        "filters": filters,
        "seal": gathered.seal,
        "missing": gathered.missing,
        "newer": newest if asked.seen_at and newest and newest["made_at"] > asked.seen_at else None,
        "refresh_address": view.same(seen=seen_at.isoformat()) if asked.known_at is None and seen_at else None,
        "within_bound": within_bound,
        "comparable": {name: is_comparable(figures, name, asked.hours) for name in ("previous", "week")},
        "before_words": asked.before_words(view.clock),
        "week_words": asked.week_words(view.clock),
        "change_words": change_words(asked, figures, view.clock, any(filters.values())),
        "filter_words": filter_words(filters),
        **bars(asked, gathered.blocks["steps"].rows, view.clock),
        "field_value": field_value,
        "zulu": zulu,
        "title": title,
        "failing": [result for result in results if verdict_of(result) == "fails"],
        "counted": tally(results),
        **{function.__name__: function for function in (verdict_of, tally_words, seen_words, limit_words)},
        "country_name": country_name,
        "agent_names": AGENTS,
        "status_names": STATUSES,
        "layer_words": LAYER_WORDS,
        **optional,
        **gathered.blocks,
        **context_of(gathered.comparison, gathered.blocks),
    }

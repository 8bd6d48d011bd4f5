"""One report: an hour, a day or any range, as known now or at a moment, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response

from plugins.pages.charts import chart_data
from plugins.pages.countries import country_name
from plugins.pages.live_figures import AGENTS, STATUSES
from plugins.pages.quality_rows import title, zulu
from plugins.pages.reading import Block, Query
from plugins.pages.report_rows import HOUR, known_revision, within_bound, worst_seal
from plugins.pages.sites import choose_site
from plugins.pages.view import View, ViewOf

router = APIRouter()

Kind = Literal["hour", "day", "range"]
REFRESH_SECONDS = 30
LONGEST = timedelta(days=366)
MOST, MOST_REVISIONS = 8, 40


@dataclass(frozen=True)
class Asked:
    """The range that an address names, and the moment as of which it is to be shown (None: now)."""

    kind: Kind
    start: datetime
    end: datetime
    known_at: datetime | None

    @property
    def parameters(self) -> dict[str, str]:
        return {"from_time": zulu(self.start), "until_time": zulu(self.end)}

    @property
    def as_known(self) -> dict[str, str]:
        moment = "infinity" if self.known_at is None else self.known_at.isoformat()
        return self.parameters | {"known_at": moment}


def asked_range(kind: Kind, start: datetime, end: datetime | None, as_known_at: str) -> Asked:
    """The range; 422 in words for what is none."""
    first = (start.replace(tzinfo=UTC) if start.tzinfo is None else start).astimezone(UTC)
    length = {"hour": HOUR, "day": timedelta(days=1)}.get(kind)
    if length is not None:
        last = first + length
    elif end is None:
        raise HTTPException(422, "A range needs an end.")
    else:
        last = (end.replace(tzinfo=UTC) if end.tzinfo is None else end).astimezone(UTC)
    if any(moment.minute or moment.second or moment.microsecond for moment in (first, last)):
        raise HTTPException(422, "Reports are made of whole hours: start and end must be on the hour, UTC.")
    if not first < last <= first + LONGEST:
        raise HTTPException(422, "The end must be after the start, and at most a year after it.")
    if as_known_at == "now":
        return Asked(kind, first, last, None)
    try:
        moment = datetime.fromisoformat(as_known_at)
    except ValueError:
        raise HTTPException(422, f"{as_known_at!r} is no time; 2026-11-19T10:20Z is one.") from None
    return Asked(kind, first, last, moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)


def queries_of(asked: Asked, site: str, filters: dict[str, str]) -> dict[str, Query]:
    """What the blocks of a report read; with filters, the lists read cells instead of published rows."""
    of_site, as_known = {"site": site}, {"site": site} | asked.as_known
    top = as_known | {"most": MOST}
    hours = (asked.end - asked.start) / HOUR
    queries = {
        "figures": Query("report_figures", as_known),
        "visitors": Query("report_visitors", as_known),
        "revisions": Query("report_revisions", of_site | asked.parameters | {"most": MOST_REVISIONS}),
        "referrers": Query("report_dimension", top | {"dimension": "referrer"}),
        "browsers": Query("report_dimension", top | {"dimension": "browser"}),
        "codes": Query("report_dimension", top | {"dimension": "status"}),
        "sources": Query("report_sources", of_site | {"most": MOST}),
        "audits": Query("report_audit", {"most": 1}),
    }
    if asked.kind == "hour":
        queries["steps"] = Query("report_minutes", of_site | asked.parameters)
        queries["ledger"] = Query("report_ledger", of_site | {"from_time": zulu(asked.start)})
    else:
        queries["steps"] = Query("report_steps", as_known | {"step_hours": 1 if hours <= 72 else 24})
    if any(filters.values()):
        cells = of_site | asked.parameters | filters | {"most": MOST}
        for name, field in (
            ("pages", "path"),
            ("countries", "country"),
            ("statuses", "status_class"),
            ("agents", "agent_class"),
        ):
            queries[name] = Query("report_cells", cells | {"field": field})
    else:
        queries |= {
            "pages": Query("report_pages", top),
            "countries": Query("report_countries", top),
            "statuses": Query("report_statuses", top),
            "agents": Query("report_agents", as_known),
        }
    return queries


@router.get("/reports/{kind}")
async def report(
    view: ViewOf,
    kind: Kind,
    start: datetime,
    end: datetime | None = None,
    site: str | None = None,
    as_known_at: str = "now",
    page: str = "",
    country: str = "",
    status_class: Literal["", "1", "2", "3", "4", "5"] = "",
    agent_class: Literal["", "human", "bot", "scanner", "tool", "unknown"] = "",
) -> Response:
    """The whole page, or its content for a refresh."""
    asked = asked_range(kind, start, end, as_known_at)
    await view.reader.state(Query("stream_state", {}))
    sites, site = await choose_site(view, site)
    filters = {"page": page, "country": country, "status_class": status_class, "agent_class": agent_class}
    context = await gather(view, asked, site or "", filters)
    return await view.page(
        "report.html", tab="reports", refresh_seconds=REFRESH_SECONDS, sites=sites, site=site, **context
    )


async def gather(view: View, asked: Asked, site: str, filters: dict[str, str]) -> dict[str, Any]:
    """Everything that the template of a report needs; also what the exported file is made of."""
    blocks = await view.reader.blocks(queries_of(asked, site, filters))
    revisions = blocks["revisions"].rows
    shown = known_revision(revisions, asked.known_at) if asked.kind == "hour" else None
    checks: Block | None = None
    if shown is not None:
        of_hour = {"site": site, "from_time": zulu(asked.start), "revision": shown["revision"]}
        checks = (await view.reader.blocks({"checks": Query("report_checks", of_hour)}))["checks"]
    length = asked.end - asked.start
    return {
        "asked": asked,
        "filters": filters,
        "shown": shown,
        "seal": shown["seal"] if shown else worst_seal(revisions),
        "checks": checks,
        "within_bound": within_bound,
        "before_start": asked.start - length,
        "after_start": asked.end,
        "length": length,
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

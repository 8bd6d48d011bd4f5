"""The page Quality: what is broken, and is somebody on it?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Response

from plugins.pages.check_words import limit_words, seen_words, tally, tally_words, verdict_of
from plugins.pages.quality_rows import HEIGHTS, last_days, strips_of, suites, title
from plugins.pages.reading import Query
from plugins.pages.sites import choose_site
from plugins.pages.stream_state import judge
from plugins.pages.times import Day
from plugins.pages.view import ViewOf

router = APIRouter()

REFRESH_SECONDS = 15
DAYS = 30
MOST_INCIDENTS = 12


@router.get("/quality")
async def quality(
    view: ViewOf,
    site: str | None = None,
    suite: str = "",
    severity: Literal["", "critical", "warning", "waits"] = "",
    owner: str = "",
    until: Day | None = None,
    failing: bool = False,
) -> Response:
    """The whole page, or its content for a refresh. until: last UTC day of the 30 that are shown."""
    state = judge((await view.reader.state(Query("stream_state", {}))).row)
    sites, site = await choose_site(view, site)
    last_day = datetime(until.year, until.month, until.day, tzinfo=UTC) if until else None
    window = last_days(view.clock.now, DAYS, last_day)
    of_site = {"site": site or ""}
    hours = of_site | window.parameters()
    filters = {"suite": suite, "severity": severity, "owner": owner}
    blocks = await view.reader.blocks(
        {
            "figures": Query("quality_figures", hours),
            "checks": Query("quality_checks", hours | filters),
            "days": Query("quality_days", hours),
            "incidents": Query("quality_incidents", of_site | {"most": MOST_INCIDENTS}),
            "freshness": Query("quality_freshness", of_site),
            "known": Query("check_names", {}),
        }
    )
    checks = blocks["checks"].rows
    severities = {(check["suite"], check["expectation"]): check["severity"] for check in checks}
    strips = strips_of(blocks["days"].rows, severities, window)
    return await view.page(
        "quality.html",
        tab="quality",
        refresh_seconds=REFRESH_SECONDS,
        sites=sites,
        site=site,
        state=state,
        window=window,
        until=until,
        filters=filters | {"failing": failing},
        is_filtered=any(filters.values()) or failing,
        suites=suites(checks, strips, failing),
        strips=strips,
        heights=HEIGHTS,
        failed=[check for check in checks if verdict_of(check) == "fails"],
        counted=tally(checks),
        tally_words=tally_words,
        verdict_of=verdict_of,
        seen_words=seen_words,
        limit_words=limit_words,
        title=title,
        **blocks,
    )

"""One check: how it stands, what it saw over time, its runs and its statement."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from fastapi import APIRouter, HTTPException, Response

from expectations.checks import known_check
from expectations.remedies import remedy
from plugins.pages.charts import chart_data
from plugins.pages.check_words import limit_words, seen_words, unit_words, verdict_of
from plugins.pages.formats import count
from plugins.pages.quality_rows import Window, title, zulu
from plugins.pages.reading import Block, Query
from plugins.pages.sites import choose_site
from plugins.pages.view import View, ViewOf
from sql.warehouse import Row, Warehouse

router = APIRouter()

REFRESH_SECONDS = 15
MOST_RUNS = 5000
RUNS_SHOWN = 12
ROWS_KEPT, MOST_FAILING = 100, 100
MOST_SOURCES = 5
# All of them end now: the results are those of hours that began since.
RANGES = {
    "24h": ("24 h", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}


@router.get("/quality/check")
async def check(
    view: ViewOf, suite: str, expectation: str, site: str | None = None, range: Literal["24h", "7d", "30d"] = "30d"
) -> Response:
    """The whole page, or its content for a refresh."""
    await view.reader.state(Query("stream_state", {}))
    sites, site = await choose_site(view, site)
    window = Window(view.clock.now - RANGES[range][1], view.clock.now)
    which = {"site": site or "", "suite": suite, "expectation": expectation} | window.parameters()
    blocks = await view.reader.blocks(
        {
            "facts": Query("check_facts", which),
            "runs": Query("check_runs", which | {"most": MOST_RUNS}),
            "failing_rows": Query("check_rows", which | {"most": ROWS_KEPT}),
            "known": Query("check_names", {}),
        }
    )
    if not blocks["facts"].rows and not blocks["facts"].failed:
        raise HTTPException(404, "There is no such check.")
    fact, runs = blocks["facts"].row, blocks["runs"].rows
    failing = [run for run in runs if run["passed"] is False][:MOST_FAILING]
    names = [(row["suite"], row["expectation"]) for row in blocks["known"].rows]
    place = names.index((suite, expectation)) if (suite, expectation) in names else 0
    text = (
        await view.reader.run(lambda warehouse: _statement(warehouse, fact, site)) if fact.get("hour_start") else ""
    )
    return await view.page(
        "check.html",
        tab="quality",
        refresh_seconds=REFRESH_SECONDS,
        sites=sites,
        site=site,
        range=range,
        ranges=RANGES,
        fact=fact,
        title=title,
        verdict_of=verdict_of,
        seen=lambda observed: seen_words(suite, expectation, observed),
        limit=limit_words(fact.get("threshold", "")),
        unit=unit_words(suite, expectation),
        remedy=remedy(suite, expectation),
        before=names[place - 1] if place > 0 else None,
        after=names[place + 1] if place + 1 < len(names) else None,
        failing=failing,
        origin=await _origin(view, site or "", failing[0]["hour_start"]) if failing else None,
        zulu=zulu,
        shown=runs[:RUNS_SHOWN],
        statement=text,
        chart_data=seen_data(suite, expectation, runs, fact, window.from_time, window.until_time),
        summary=seen_summary(runs, RANGES[range][0]),
        **blocks,
    )


async def _origin(view: View, site: str, hour: datetime) -> dict[str, Block]:
    """Where the lines of a failing hour came from: its part of the ledger, and the sources of the site."""
    of_hour = {"site": site, "from_time": zulu(hour), "until_time": zulu(hour + timedelta(hours=1))}
    return await view.reader.blocks(
        {
            "ledger": Query("report_ledger", of_hour),
            "sources": Query("report_sources", {"site": site, "most": MOST_SOURCES}),
        }
    )


def seen_data(suite: str, expectation: str, runs: list[Row], fact: Row, start: object, end: object) -> str:
    """Points of the chart: the newest revision of each hour, and the times without a run."""
    newest: dict[object, Row] = {}
    for run in runs:  # the newest first
        newest.setdefault(run["hour_start"], run)
    points = [
        {
            "hour": hour,
            "number": run["number"],
            "passed": bool(run["passed"]),
            "observed": seen_words(suite, expectation, run["observed"]),
        }
        for hour, run in sorted(newest.items(), key=lambda item: str(item[0]))
        if run["number"] is not None and run["passed"] is not None
    ]
    hours = sorted(run["hour_start"] for run in newest.values())
    gaps = [
        {
            "gap_start": before + timedelta(hours=1),
            "gap_end": after,
            "words": f"no run, {(after - before).seconds // 3600 - 1} h",
        }
        for before, after in pairwise(hours)
        if timedelta(hours=1) < after - before < timedelta(days=1)
    ]
    return chart_data(
        {"points": points, "gaps": gaps},
        lowest=fact.get("lowest"),
        highest=fact.get("highest"),
        limit_words=f"limit {limit_words(fact['threshold'])}"
        if fact.get("highest") is not None or fact.get("lowest") is not None
        else "",
        from_time=start,
        until_time=end,
    )


def seen_summary(runs: list[Row], words: str) -> str:
    failed = sum(run["passed"] is False for run in runs)
    return f"Seen over time, last {words}: {count(len(runs))} results, {count(failed)} of them failed."


def _statement(warehouse: Warehouse, fact: Row, site: str | None) -> str:
    """The statement that gives this check its columns, for the hour of its newest result; empty: it is no more."""
    rule = known_check(fact["suite"], fact["expectation"])
    if rule is None:
        return ""
    parameters = {"sites": [site], "hour_starts": [fact["hour_start"]], "revisions": [fact["revision"]]}
    shown = json.dumps({"site": site, "hour_start": zulu(fact["hour_start"]), "revision": fact["revision"]})
    head = f"-- judged by {fact['rule']}\n-- which looks at: {', '.join(rule.columns)}\n-- for {shown}\n"
    return head + warehouse.bound(rule.statement, parameters)

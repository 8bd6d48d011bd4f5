"""Reads everything that a report shows: for its page, and for its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from plugins.pages.charts import chart_data
from plugins.pages.quality_rows import zulu
from plugins.pages.reading import Block, Query
from plugins.pages.report_comparison import Comparison
from plugins.pages.report_comparison import compare as compared
from plugins.pages.report_coverage import gaps, missing_words
from plugins.pages.report_queries import MOST, cells_by_field, queries_of
from plugins.pages.report_range import Asked
from plugins.pages.report_rows import Seal, worst_seal
from plugins.pages.revision_columns import Against
from plugins.pages.revision_layers import LAYERS, bars_summary, step_bars
from plugins.pages.times import Clock
from plugins.pages.view import View
from sql.warehouse import Row


@dataclass(frozen=True)
class Gathered:
    """Blocks of a report by name, and what stands beside what.

    missing: why nothing of it has a report, in words; None when something has.
    """

    asked: Asked
    site: str
    filters: Mapping[str, str]
    blocks: Mapping[str, Block]
    comparison: Comparison
    missing: str | None

    @property
    def figures(self) -> Row:
        return self.blocks["figures"].row

    @property
    def seal(self) -> Seal:
        """Of the hour's revision that is shown; of a range the worst."""
        if self.asked.kind != "hour":
            return worst_seal(self.blocks["seals"].rows)
        shown = self.comparison.shown
        return (shown["seal"] or "unchecked") if shown else "none"

    @property
    def newest(self) -> Row | None:
        """The newest revision of the hour; for a longer range when its newest was made."""
        if self.asked.kind == "hour":
            rows = self.blocks["revisions"].rows
            return rows[0] if rows else None
        made_at = self.blocks["changes"].row.get("newest_made_at")
        return {"made_at": made_at} if made_at else None


async def gather(
    view: View, asked: Asked, site: str, filters: Mapping[str, str], compare: Against, most: int = MOST
) -> Gathered:
    """most: rows of each list."""
    last = (await view.reader.blocks({"last": Query("report_newest", {})}))["last"].row.get("newest_made_at")
    final = asked.as_published(last)
    blocks = cells_by_field(await view.reader.blocks(queries_of(final, site, filters, asked.judged_at, most)))
    revisions, days, changes = blocks["revisions"], blocks.get("days"), blocks.get("changes")
    comparison = compared(asked, revisions.rows, days, changes.row if changes else {}, compare)
    by_key = Query("report_visitors", {"site": site} | final.as_known, final.fresh_seconds)
    further = comparison.queries(site)
    if blocks["figures"].row.get("visitor_keys", 0) > 1:
        further["visitors"] = by_key
    if asked.kind == "hour" and comparison.shown is not None:
        of_hour = {"site": site, "from_time": zulu(asked.start), "revision": comparison.shown["revision"]}
        further["checks"] = Query("report_checks", of_hour | {"judged_at": asked.judged_at})
    is_known = comparison.shown is not None if asked.kind == "hour" else bool(revisions.rows)
    if not is_known:
        further["states"] = Query("reports_hours", {"site": site} | asked.parameters)
    found = {"visitors": Block(by_key, [])} | await view.reader.blocks(further)
    missing = None
    if not is_known and not revisions.failed:
        states = found["states"]
        missing = missing_words(asked, view.clock, None if states.failed else bool(states.rows))
    return Gathered(asked, site, filters, {**blocks, **found}, comparison, missing)


def bars(asked: Asked, steps: Sequence[Row], clock: Clock) -> dict[str, Any]:
    """The bars over time, each divided by the revision that added its hits; hours without a report are hatched."""
    what = {60: "Hits per minute", 3600: "Hits per hour"}.get(asked.step // timedelta(seconds=1), "Hits per day")
    made = step_bars(steps, asked.step)
    unknown = [] if asked.kind == "hour" else gaps(asked, steps, asked.as_of(clock.now))
    return {
        "bars_title": what,
        "bars": chart_data({"steps": made, "gaps": unknown}, from_time=asked.start, until_time=asked.end),
        "bars_summary": bars_summary(what, made) + (" Hatched: hours without a report." if unknown else ""),
        "bars_sum": sum(bar["hits"] for bar in made),
        "layers_drawn": [name for name in LAYERS if any(bar[name] for bar in made)],
    }

"""The page Stream: is every record being counted, and where does it stick if not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from plugins.pages.charts import chart_data
from plugins.pages.formats import count
from plugins.pages.process_strips import process_strips
from plugins.pages.quality_rows import HEIGHTS
from plugins.pages.reading import Block, Query
from plugins.pages.stream_state import judge
from plugins.pages.times import Clock
from plugins.pages.view import ViewOf
from sql.warehouse import Row

router = APIRouter()

REFRESH_SECONDS = 5
MOST_ROWS = 12
STRIPS_FRESH = 30.0


@dataclass(frozen=True)
class Range:
    """How far back the charts go, in steps of how many seconds."""

    name: str
    words: str
    hours: int
    step_seconds: int


RANGES = {
    "1h": Range("1 h", "1 h", 1, 20),
    "24h": Range("24 h", "24 h", 24, 300),
    "7d": Range("7 days", "7 days", 168, 1800),
}


@router.get("/stream")
async def stream(request: Request, view: ViewOf, range: Literal["1h", "24h", "7d"] = "1h") -> Response:
    """The whole page, or its content for a refresh."""
    chosen = RANGES[range]
    state = judge((await view.reader.state(Query("stream_state", {}))).row)
    back = {"hours": chosen.hours}
    queries = {
        "figures": Query("stream_figures", {}),
        "progress": Query(
            "stream_progress", back | {"step_seconds": chosen.step_seconds}, STRIPS_FRESH if chosen.hours > 1 else 0.0
        ),
        "silences": Query("stream_gaps", back),
        "processes": Query("stream_processes", {}),
        "day": Query("stream_strips", {}, STRIPS_FRESH),
        "samples": Query("stream_process_strips", {}, STRIPS_FRESH),
        "partitions": Query("stream_partitions", {}),
        "restarts": Query("stream_restarts", {"hours": max(24, chosen.hours), "most": MOST_ROWS}),
        "rejects": Query("stream_rejects", {"hours": 24, "most": MOST_ROWS}),
        "sources": Query("stream_sources", {"most": MOST_ROWS}),
        "gaps": Query("stream_source_gaps", {"most": MOST_ROWS}),
        "lost": Query("stream_lost", {"most": MOST_ROWS}),
    }
    if not state.is_alive:
        queries["holes"] = Query("stream_holes", {})
    blocks = await view.reader.blocks(queries)
    trigger = request.app.state.settings.trigger_seconds
    return await view.page(
        "stream.html",
        tab="stream",
        refresh_seconds=REFRESH_SECONDS,
        state=state,
        range=range,
        ranges=RANGES,
        strips=process_strips(blocks["day"].rows, blocks["samples"].rows),
        heights=HEIGHTS,
        restart_words=RANGES["24h" if range == "1h" else range].words,
        step_words=f"each {chosen.step_seconds} s"
        if chosen.step_seconds < 60
        else f"each {chosen.step_seconds // 60} min",
        chart_data=progress_data(view.clock, chosen, blocks["progress"].rows, blocks["silences"].rows, trigger),
        batch_summary=batch_summary(chosen, blocks["progress"], trigger),
        waiting_summary=waiting_summary(chosen, blocks["progress"]),
        holes=blocks.pop("holes", None),
        **blocks,
    )


def progress_data(
    clock: Clock, chosen: Range, steps: Sequence[Row], silences: Sequence[Row], trigger_seconds: float
) -> str:
    """Data of both charts: the steps, with a break wherever one is missing, and the named gaps."""
    start = clock.now - timedelta(hours=chosen.hours)
    gaps = [named_gap(clock, gap) for gap in silences]
    if steps and steps[0]["step_start"] >= start + timedelta(seconds=chosen.step_seconds):
        first = steps[0]["step_start"]
        words = f"unknown: no heartbeat before {clock.minute(first)}"
        gaps.insert(0, {"gap_start": start, "gap_end": first, "words": words})
    return chart_data(
        {"steps": with_breaks(steps, chosen.step_seconds), "gaps": gaps},
        trigger=trigger_seconds,
        trigger_words=f"trigger {trigger_seconds:g} s",
        from_time=start,
        until_time=clock.now,
    )


def with_breaks(steps: Sequence[Row], step_seconds: int) -> list[Mapping[str, Any]]:
    """The steps, and an empty one wherever the next is missing: time without a heartbeat is unknown.

    A step without a neighbour is marked ``is_lone``: no line leads to it.
    """
    made: list[Mapping[str, Any]] = []
    length = timedelta(seconds=step_seconds)
    starts = {step["step_start"] for step in steps}
    for place, step in enumerate(steps):
        start = step["step_start"]
        has_next = start + length in starts
        made.append(step | {"is_lone": not has_next and start - length not in starts})
        if not has_next and place < len(steps) - 1:
            empty = dict.fromkeys(("median_seconds", "longest_seconds", "lag_records"))
            made.append({"step_start": start + length} | empty)
    return made


def named_gap(clock: Clock, gap: Row) -> Mapping[str, Any]:
    """A gap with its words: why, and since when."""
    words = f"unknown: {gap['end_reason'] or 'no heartbeat'} {clock.minute(gap['gap_start'])}"
    return {"gap_start": gap["gap_start"], "gap_end": gap["gap_end"], "words": words[:60]}


def batch_summary(chosen: Range, progress: Block, trigger_seconds: float) -> str:
    """What the chart shows, for those who cannot see it."""
    medians = [step["median_seconds"] for step in progress.rows if step["median_seconds"] is not None]
    longest = [step["longest_seconds"] for step in progress.rows if step["longest_seconds"] is not None]
    if not medians:
        return f"Batch time, last {chosen.words}: no batch."
    return (
        f"Batch time, last {chosen.words}: median between {min(medians):.2f} and {max(medians):.2f} s, "
        f"longest {max(longest):.2f} s; a batch starts every {trigger_seconds:g} s."
    )


def waiting_summary(chosen: Range, progress: Block) -> str:
    waiting = [step["lag_records"] for step in progress.rows if step["lag_records"] is not None]
    if not waiting:
        return f"Waiting records, last {chosen.words}: not known."
    return f"Waiting records, last {chosen.words}: at most {count(max(waiting))}, now {count(waiting[-1])}."

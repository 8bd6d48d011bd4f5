"""The chart of hits per second: its ranges, its data, and what it says in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plugins.pages.charts import chart_data
from plugins.pages.formats import rate
from plugins.pages.live_figures import anomaly_name
from plugins.pages.stream_state import StreamState
from plugins.pages.times import Clock
from sql.warehouse import Row


@dataclass(frozen=True)
class Range:
    """How far back the chart goes, in steps of how many seconds."""

    name: str
    words: str
    minutes: int
    step_seconds: int


RANGES = {
    "15m": Range("15 min", "15 minutes", 15, 10),
    "1h": Range("1 h", "hour", 60, 10),
    "24h": Range("24 h", "24 hours", 1440, 300),
}


def band_words(steps: Sequence[Row]) -> tuple[str, str]:
    """Whether the newest 30 s lie in the band, in words; and the mark of those that do not."""
    newest = [step for step in steps[-3:] if step["hits_per_second"] is not None]
    if len(newest) < 3 or any(step["high_per_second"] is None for step in newest):
        return "no usual value yet", ""
    seen = sum(step["hits_per_second"] for step in newest)
    if seen > sum(step["high_per_second"] for step in newest):
        return "above band", "▲"
    if seen < sum(step["low_per_second"] for step in newest):
        return "below band", "▼"
    return "within band", ""


def chart_of(
    clock: Clock,
    chosen: Range,
    state: StreamState,
    steps: Sequence[Row],
    ahead: Sequence[Row],
    anomalies: Sequence[Row],
) -> str:
    """Data of the chart of hits per second. Unknown steps are empty and hatched, never 0."""
    start = clock.now - timedelta(minutes=chosen.minutes)
    last = steps[-1]["step_end"] if steps else None
    seen = [step for step in steps if step["step_start"] >= start - timedelta(seconds=chosen.step_seconds)]
    gaps = unknown_spans(seen)
    if not state.is_now and last is not None:
        gaps.append({"gap_start": last, "gap_end": clock.now, "words": ""})
    # By five minutes, the coming minute is no more than a dot.
    forecast = right_of(clock.now, ahead) if state.is_now and chosen.step_seconds == 10 else []
    end = clock.now if state.is_now or last is None else last
    marks = [mark for anomaly in anomalies if (mark := anomaly_mark(clock, anomaly, start, end)) is not None]
    top = max((step["hits_per_second"] or 0 for step in seen), default=0)
    return chart_data(
        {
            "steps": [_step(step) for step in seen],
            "gaps": gaps,
            "ahead": forecast,
            "anomalies": marks,
        },
        from_time=start,
        until_time=clock.now + timedelta(minutes=chosen.minutes / 15) if state.is_now else clock.now,
        now_time=clock.now,
        now_words=f"now {clock.text(clock.now)}",
        counted_until=None if state.is_now else last,
        counted_words="counted to here" if state.is_alive else "stream stood still",
        top=top,
    )


def right_of(now: datetime, ahead: Sequence[Row]) -> list[Mapping[str, Any]]:
    """The forecast from now on: the bucket that is open begins at now."""
    return [
        step | {"bucket_start": max(step["bucket_start"], now)}
        for step in ahead
        if step["bucket_start"] + timedelta(seconds=10) > now
    ]


def _step(step: Row) -> Mapping[str, Any]:
    names = ("hits_per_second", "ewma_per_second", "low_per_second", "high_per_second")
    rounded = {name: None if step[name] is None else round(step[name], 2) for name in names}
    return {"step_start": step["step_start"], "step_end": step["step_end"]} | rounded


def unknown_spans(steps: Sequence[Row]) -> list[dict[str, Any]]:
    """Neighbouring steps that nobody could count, as spans with words."""
    spans: list[dict[str, Any]] = []
    for step in steps:
        if step["is_known"]:
            continue
        if spans and spans[-1]["gap_end"] == step["step_start"]:
            spans[-1]["gap_end"] = step["step_end"]
        else:
            spans.append({"gap_start": step["step_start"], "gap_end": step["step_end"], "words": "unknown, not zero"})
    return spans


def anomaly_mark(clock: Clock, anomaly: Row, start: datetime, now: datetime) -> Mapping[str, Any] | None:
    """The span of an anomaly with its words; None when it was over before the chart begins, or dissolved."""
    end = anomaly["closed_at"] or now
    if end <= start or anomaly["state"] == "dissolved":
        return None
    since = f", open since {clock.text(anomaly['started_at'])}" if anomaly["state"] == "open" else ""
    return {
        "anomaly_start": max(anomaly["started_at"], start),
        "anomaly_end": end,
        "words": f"▲ {anomaly_name(anomaly)}{since}",
    }


def chart_summary(chosen: Range, steps: Sequence[Row], words: str) -> str:
    """What the chart shows, for those who cannot see it."""
    known = [step["hits_per_second"] for step in steps if step["hits_per_second"] is not None]
    if not known:
        return f"Hits per second, last {chosen.words}: nothing is known."
    lost = sum(not step["is_known"] for step in steps)
    gap = f", {lost} steps unknown" if lost else ""
    return (
        f"Hits per second, last {chosen.words}: between {rate(min(known))} and {rate(max(known))}, "
        f"now {rate(known[-1])}, {words}{gap}."
    )

"""What charts are given to draw: breaks, lone points, and time that is unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from plugins.pages.live_chart import band_words
from plugins.pages.page_stream import RANGES, progress_data, with_breaks
from plugins.pages.times import Clock

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
CLOCK = Clock(NOW, ZoneInfo("UTC"))


def step(minute: int) -> dict[str, Any]:
    start = NOW - timedelta(hours=1) + timedelta(minutes=minute)
    return {"step_start": start, "median_seconds": 0.5, "longest_seconds": 0.7, "lag_records": 3}


def test_a_line_breaks_where_a_step_is_missing_and_a_step_without_neighbours_is_a_point() -> None:
    made = with_breaks([step(0), step(1), step(5), step(8), step(9)], 60)
    shown = [(row["step_start"].minute, row["lag_records"], row.get("is_lone")) for row in made]
    assert shown == [
        (0, 3, False), (1, 3, False), (2, None, None), (5, 3, True), (6, None, None), (8, 3, False), (9, 3, False),
    ]  # fmt: skip


def test_time_before_the_first_heartbeat_is_a_gap_with_words() -> None:
    (gap,) = json.loads(progress_data(CLOCK, RANGES["1h"], [step(40), step(41)], [], 1.0))["gaps"]
    assert gap["gap_end"] - gap["gap_start"] == 40 * 60 * 1000
    assert gap["words"] == "unknown: no heartbeat before 11:40"
    assert json.loads(progress_data(CLOCK, RANGES["1h"], [step(0)], [], 1.0))["gaps"] == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [(30, ("within band", "")), (61, ("above band", "▲")), (9, ("below band", "▼"))],
)
def test_the_newest_thirty_seconds_are_judged_by_the_sum_of_their_band(seen: int, words: tuple[str, str]) -> None:
    steps = [{"hits_per_second": seen / 3, "low_per_second": 10 / 3, "high_per_second": 20.0}] * 3
    assert band_words(steps) == words
    assert band_words([row | {"high_per_second": None} for row in steps]) == ("no usual value yet", "")

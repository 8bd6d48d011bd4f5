"""An incident is one anomaly: opened when outside long enough, closed when back for long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.trend_anomalies import UNKNOWN, Hysteresis, Interval, dissolved, hysteresis_step, intervals

TWO = np.array([2])


def of(text: str) -> list[tuple[int, int, int | None]]:
    """(first, opened, closed) of a series written + - . ? by bucket; opens after 2, closes after 3."""
    sides = np.array([[{"+": 1, "-": -1, ".": 0, "?": UNKNOWN}[letter]] for letter in text], np.int8)
    return [(one.first, one.opened, one.closed) for one in intervals(sides, TWO, 3)]


@pytest.mark.parametrize(
    ("text", "anomalies"),
    [
        ("....", []),
        (".+.+.", []),  # alone: chance
        (".++...", [(1, 2, 5)]),
        (".++..+...", [(1, 2, 8)]),  # a short return does not end it
        (".++.++", [(1, 2, None)]),
        (".+-+-", []),  # never twice on one side
        (".--...++", [(1, 2, 5), (6, 7, None)]),
        (".+?+...", [(1, 3, 6)]),  # unknown counts neither way
        (".++.?.?.", [(1, 2, 7)]),
        (".++---", [(1, 2, 5)]),  # the other side is not this one
    ],
)
def test_runs_of_buckets_become_anomalies(text: str, anomalies: list[tuple[int, int, int | None]]) -> None:
    assert of(text) == anomalies


def test_each_series_opens_after_its_own_number_of_buckets() -> None:
    sides = np.ones((3, 2), np.int8)
    assert [(one.series, one.opened) for one in intervals(sides, np.array([2, 3]), 3)] == [(0, 1), (1, 2)]


@given(st.lists(st.sampled_from([1, 0, -1, int(UNKNOWN)]), max_size=60), st.integers(1, 59))
def test_going_on_from_a_state_gives_what_the_whole_gives(letters: list[int], cut: int) -> None:
    sides = np.array(letters, np.int8).reshape(-1, 1)
    state = Hysteresis.start(1)
    opened: list[bool] = []
    closed: list[bool] = []
    for part in (sides[:cut], sides[cut:]):
        for row in part:
            state, opens, closes = hysteresis_step(state, len(opened), row, TWO, 3)
            opened.append(bool(opens[0]))
            closed.append(bool(closes[0]))
    whole = intervals(sides, TWO, 3)
    assert [one.opened for one in whole] == [n for n, flag in enumerate(opened) if flag]
    assert [one.closed for one in whole if one.closed is not None] == [n for n, flag in enumerate(closed) if flag]


def test_late_lines_dissolve_what_a_recomputation_does_not_find_again() -> None:
    before = intervals(np.array([[0, -1, -1, 0, 0, 0, 1, 1]], np.int8).T, TWO, 3)
    after = intervals(np.array([[0, 0, -1, 0, 0, 0, 1, 1]], np.int8).T, TWO, 3)
    assert dissolved(before, after) == [Interval(0, -1, 1, 2, 5)]
    assert dissolved(before, before) == []

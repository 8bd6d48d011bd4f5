"""From "this bucket is outside its band" to anomalies: opened when outside long enough, closed when back for long.

Two thresholds of time in place of one (hysteresis, as in Schmitt's trigger, 1938), so that one incident is one
anomaly. The state can be stepped bucket by bucket, and the same anomalies come out of whole arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Sides = NDArray[np.int8]  # +1 above the band, -1 below it, 0 inside
Integers = NDArray[np.int64]
UNKNOWN = np.int8(-128)  # the bucket is not known: it counts neither way


@dataclass(frozen=True)
class Hysteresis:
    """State of every series; each array is (series,)."""

    side: Sides  # side of the open anomaly, or of the run of buckets that may become one; 0: neither
    outside: Integers  # known buckets in a row outside, on that side
    inside: Integers  # known buckets in a row that were not, while open
    open: NDArray[np.bool_]
    first: Integers  # number of the first bucket of the run or anomaly

    @staticmethod
    def start(shape: int | tuple[int, ...]) -> Hysteresis:
        """Nothing open, nothing under way."""
        outside, inside, first = (np.zeros(shape, np.int64) for _ in range(3))
        return Hysteresis(np.zeros(shape, np.int8), outside, inside, np.zeros(shape, np.bool_), first)

    def without(self, where: NDArray[np.bool_]) -> Hysteresis:
        """The same with nothing open and nothing under way where asked."""
        zero = np.int64(0)
        return Hysteresis(
            np.where(where, np.int8(0), self.side),
            np.where(where, zero, self.outside),
            np.where(where, zero, self.inside),
            self.open & ~where,
            np.where(where, zero, self.first),
        )


def hysteresis_step(
    state: Hysteresis, bucket: int, sides: Sides, open_after: Integers, close_after: int | Integers
) -> tuple[Hysteresis, NDArray[np.bool_], NDArray[np.bool_]]:
    """(state, opened, closed) after one more bucket; the flags are (series,).

    bucket: its number, ascending. sides: (series,) +1, -1, 0 or UNKNOWN. open_after: (series,) buckets in a row on
    one side that open an anomaly; close_after: buckets in a row not on that side that close it, one
    number or (series,).
    """
    known = sides != UNKNOWN
    same = known & (sides != 0) & (sides == state.side)
    begins = known & (sides != 0) & ~same & ~state.open
    ends = known & ~same & ~begins & ~state.open
    outside = np.where(same, state.outside + 1, np.where(begins, 1, np.where(ends, 0, state.outside)))
    side = np.where(begins, sides, np.where(ends, 0, state.side)).astype(np.int8)
    first = np.where(begins, bucket, state.first)
    inside = np.where(known & state.open, np.where(same, 0, state.inside + 1), state.inside)
    opened = ~state.open & (side != 0) & (outside >= open_after)
    closed = state.open & (inside >= close_after)
    still = (state.open | opened) & ~closed
    side = np.where(closed, 0, side).astype(np.int8)
    outside, inside = np.where(closed, 0, outside), np.where(opened | closed, 0, inside)
    return Hysteresis(side, outside, inside, still, first), opened, closed


@dataclass(frozen=True)
class Interval:
    """One anomaly by bucket numbers: first bucket outside, bucket that opened it, bucket that closed it or None."""

    series: int
    side: int
    first: int
    opened: int
    closed: int | None


def intervals(
    sides: NDArray[np.int8], open_after: Integers, close_after: int, first_bucket: int = 0
) -> list[Interval]:
    """All anomalies of (buckets, series) sides, in order of opening: exactly what stepping gives."""
    state = Hysteresis.start(sides.shape[1])
    found: list[Interval] = []
    running: dict[int, Interval] = {}
    for number, row in enumerate(sides, first_bucket):
        state, opened, closed = hysteresis_step(state, number, row, open_after, close_after)
        for series in np.flatnonzero(closed).tolist():
            one = running.pop(series)
            found[found.index(one)] = Interval(one.series, one.side, one.first, one.opened, number)
        for series in np.flatnonzero(opened).tolist():
            one = Interval(series, int(state.side[series]), int(state.first[series]), number, None)
            running[series] = one
            found.append(one)
    return found


def dissolved(before: Iterable[Interval], after: Sequence[Interval]) -> list[Interval]:
    """Anomalies of ``before`` that a recomputation with late lines does not find: none of the same series and side
    overlaps them. They are marked, not deleted."""
    return [
        old
        for old in before
        if not any(
            old.series == new.series
            and old.side == new.side
            and (new.closed is None or old.first < new.closed)
            and (old.closed is None or new.first < old.closed)
            for new in after
        )
    ]

"""What a series is expected to be, from its own last two hours: a line for the next bucket, a level for ten minutes.

Every value is first divided by the course of the day that is expected for its bucket (1 where none is known). Then

* the *line*: least squares of the last 60 buckets on [1, time], carried one bucket on: what is expected of a bucket;
* the *level*: the mean of the 720 buckets that ended 60 buckets ago: what the last 60 are held against, because a
  line would follow a slow drift;
* the *dispersion* of windows of 1 and 6 buckets: the mean of (observed - expected)^2 / expected. That of 60 is three
  times that of 6: visits last minutes, so longer windows vary more; learning it would take a slow drift for chance.

Only buckets that were inside their band teach anything. While a series is outside, its expectation is held.
Arrays are (sites, series) throughout; sites do not influence each other. Sums are kept running: whole numbers stay
exact, and a step costs the same whatever the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

WINDOWS = (1, 6, 60)  # buckets that are judged together
LINE, GAP, LEVEL = 60, 60, 720
RING = GAP + LEVEL + 1
LEAST_LINE, LEAST_LEVEL = 20, 120
_COUNT_DISPERSION = (1.5, 3.0)  # taken for granted at first, as much as 30 buckets of evidence
_PRIOR_WEIGHT = 30
_DISPERSION_MEMORY = 360  # buckets over which dispersion is averaged
_LONGEST_OVER_MINUTE = 3.0


@dataclass(frozen=True)
class Windows:
    """The windows that end with the newest bucket: (windows, sites, series), NaN where unknown."""

    observed: Values
    expected: Values
    lever: Values  # variance of observed - expected, over that of observed alone
    dispersion: Values
    evidence: Values  # buckets from which that dispersion was learnt


class Baseline:
    """One ``look`` at every bucket, then one ``learn``."""

    def __init__(self, amount: Flags) -> None:
        """amount: (sites, series), whether a series is an amount and not a count."""
        shape = amount.shape
        self._amount = amount
        self._now = 0  # number of buckets so far
        self._x = np.zeros((RING, *shape))
        self._course = np.ones((RING, *shape))
        self._expected = np.zeros((RING, *shape))
        self._inside = np.zeros((RING, *shape), np.bool_)  # may be learnt from
        self._fresh = np.zeros((RING, *shape), np.bool_)  # known, and not part of an anomaly that is over
        self._paired = np.zeros((RING, *shape), np.bool_)  # fresh, and something was expected
        # Sums over the line's window, u = bucket - now: n, u, u^2, y, u * y.
        self._n, self._u, self._uu, self._y, self._uy = (np.zeros(shape) for _ in range(5))
        self._level_n, self._level_y = np.zeros(shape), np.zeros(shape)
        self._last_n, self._last_x, self._last_course = (np.zeros(shape) for _ in range(3))
        self.held = np.full(shape, np.nan)  # expected y while a series is outside
        self.is_held = np.zeros(shape, np.bool_)
        self._held_level = np.full(shape, np.nan)
        prior = np.where(amount, np.nan, np.array(_COUNT_DISPERSION)[:, None, None])
        self._dispersion = np.array(prior)
        self._evidence = np.zeros((2, *shape))
        self._prior_weight = np.where(amount, 1, _PRIOR_WEIGHT)

    def look(self, x: Values, course: Values) -> Windows:
        """The windows that end with a new bucket x, (sites, series); course: expected course of the day."""
        n = np.maximum(self._n, 1.0)
        mean_u = self._u / n
        spread = np.maximum(self._uu - self._u * mean_u, 1e-9)
        slope = (self._uy - mean_u * self._y) / spread
        # A line that falls does not fall below half of what there was, and what has not been seen may still come.
        least = 0.5 * (self._y + np.where(self._amount, 0.0, 0.5 / course)) / n
        line = np.maximum(self._y / n - slope * mean_u, least)
        enough = self._n >= LEAST_LINE
        moving = enough & ~self.is_held
        self.held = np.where(moving, line, self.held)
        lever = np.where(moving, 1.0 / n + mean_u * mean_u / spread, 1.0 / LEAST_LINE)
        level_known = self._level_n >= LEAST_LEVEL
        self._held_level = np.where(
            level_known & ~self.is_held, self._level_y / np.maximum(self._level_n, 1.0), self._held_level
        )
        known = ~np.isnan(x)
        expected = self.held * course
        place = self._now % RING
        self._x[place] = np.where(known, x, 0.0)
        self._course[place] = course
        paired = known & ~np.isnan(expected)
        self._expected[place] = np.where(paired, expected, 0.0)
        self._fresh[place], self._paired[place] = known, paired

        last = (self._now - np.arange(WINDOWS[1])) % RING
        taken = self._paired[last]
        few = taken.sum(axis=0)
        six_x = np.where(taken, self._x[last], 0.0).sum(axis=0)
        six_expected = np.where(taken, self._expected[last], 0.0).sum(axis=0)
        six_known = few >= WINDOWS[1] - 1
        self._last_n += known
        self._last_x += self._x[place]
        self._last_course += np.where(known, course, 0.0)
        last_known = self._last_n >= WINDOWS[2] - 6
        level_lever = self._last_n / np.maximum(self._level_n, LEAST_LEVEL)
        nan = np.nan
        return Windows(
            observed=np.array([x, np.where(six_known, six_x, nan), np.where(last_known, self._last_x, nan)]),
            expected=np.array([expected, six_expected, self._held_level * self._last_course]),
            lever=1.0 + np.array([lever, few * lever, level_lever]),
            dispersion=np.append(self._dispersion, _LONGEST_OVER_MINUTE * self._dispersion[1:], axis=0),
            evidence=np.append(self._evidence, self._evidence[1:], axis=0),
        )

    def learn(self, windows: Windows, inside: Flags, hold: Flags) -> None:
        """Take in the bucket that was looked at. inside: it may be learnt from; hold: keep what is expected."""
        place = self._now % RING
        inside = inside & self._fresh[place]
        self._inside[place] = inside
        with np.errstate(invalid="ignore", divide="ignore"):
            off = windows.observed[:2] - windows.expected[:2]
            surprise = off * off / (windows.expected[:2] * windows.lever[:2])
        taught = inside & np.isfinite(surprise)
        self._evidence = self._evidence + taught
        weight = 1.0 / np.minimum(_DISPERSION_MEMORY, self._evidence + self._prior_weight)
        before = np.where(np.isnan(self._dispersion), surprise, self._dispersion)
        self._dispersion = np.where(taught, before + weight * (surprise - before), self._dispersion)

        self._move_on(place, inside)
        self.is_held = hold
        self._now += 1

    def _move_on(self, place: int, inside: Flags) -> None:
        y = self._x[place] / self._course[place]
        # The window moves one bucket: every u becomes u - 1, the new bucket has u = -1, the oldest leaves at -61.
        self._uu += self._n - 2.0 * self._u
        self._u -= self._n
        self._uy -= self._y
        self._n += inside
        self._u -= inside
        self._uu += inside
        self._y += np.where(inside, y, 0.0)
        self._uy -= np.where(inside, y, 0.0)
        out = (self._now - LINE) % RING
        gone, gone_y = self._inside[out], self._x[out] / self._course[out]
        u = -(LINE + 1.0)
        self._n -= gone
        self._u -= u * gone
        self._uu -= u * u * gone
        self._y -= np.where(gone, gone_y, 0.0)
        self._uy -= np.where(gone, u * gone_y, 0.0)
        self._level_n += gone  # what leaves the line's window enters the level's
        self._level_y += np.where(gone, gone_y, 0.0)
        old = (self._now - GAP - LEVEL) % RING
        leaves = self._inside[old]
        self._level_n -= leaves
        self._level_y -= np.where(leaves, self._x[old] / self._course[old], 0.0)
        self._inside[old] = False
        first = (self._now - WINDOWS[2] + 1) % RING
        stale = self._fresh[first]
        self._last_n -= stale
        self._last_x -= np.where(stale, self._x[first], 0.0)
        self._last_course -= np.where(stale, self._course[first], 0.0)

    def forget_windows(self, where: Flags) -> None:
        """An anomaly is over: windows begin anew behind it. where: (sites, series)."""
        last = (self._now - 1 - np.arange(WINDOWS[2])) % RING
        for flags in (self._fresh, self._paired):
            flags[last] &= ~where
        for sums in (self._last_n, self._last_x, self._last_course):
            sums[where] = 0.0

    def go_back(self, where: Flags) -> None:
        """A slow drift has bent the line, and begun well before it was found: hold the line at the level, and forget
        what was learnt in the last twenty minutes. where: (sites, series)."""
        self.held = np.where(where & ~np.isnan(self._held_level), self._held_level, self.held)
        last = (self._now - 1 - np.arange(LINE + GAP)) % RING
        self._inside[last] &= ~where
        self._sum_up()

    def accept(self, where: Flags) -> None:
        """What was an anomaly is the usual now: learn from its last buckets, and forget what was before."""
        last = (self._now - 1 - np.arange(LINE)) % RING
        self._inside[:] &= ~where
        self._inside[last] |= where & self._fresh[last]
        self._held_level[where] = np.nan
        self.held[where] = np.nan
        self._sum_up()

    def follow(self, course_of: Callable[[int], Values]) -> None:
        """Another course of the day: everything remembered is divided anew. course_of(age): of the bucket ``age``
        buckets ago (1: the newest)."""
        newest = (self._now - 1) % RING
        before = self._course[newest]
        for age in range(1, min(self._now, RING) + 1):
            self._course[(self._now - age) % RING] = course_of(age)
        scale = before / self._course[newest]
        self.held, self._held_level = self.held * scale, self._held_level * scale
        self._sum_up()

    def replace(self, number: int, values: Values) -> None:
        """Another series in a place of the first site, with its last values (up to RING - 1), all learnt from."""
        column = np.s_[:, 0, number]
        for array in (self._inside, self._fresh, self._paired):
            array[column] = False
        places = (self._now - np.arange(len(values), 0, -1)) % RING
        known = ~np.isnan(values)
        self._x[places, 0, number] = np.where(known, values, 0.0)
        self._course[:, 0, number] = 1.0
        self._inside[places, 0, number] = self._fresh[places, 0, number] = known
        mean = values[known].mean() if known.any() else np.nan
        self.held[0, number], self._held_level[0, number] = mean, np.nan
        self.is_held[0, number] = False
        self._dispersion[:, 0, number] = _COUNT_DISPERSION
        self._evidence[:, 0, number] = 0.0
        self._sum_up()

    def _sum_up(self) -> None:
        """All running sums from what is remembered."""
        ages = np.arange(1, LINE + 1)
        places = (self._now - ages) % RING
        inside = self._inside[places]
        u = -ages[:, None, None].astype(np.float64)
        y = np.where(inside, self._x[places] / self._course[places], 0.0)
        self._n = inside.sum(axis=0).astype(np.float64)
        self._u, self._uu = (u * inside).sum(axis=0), (u * u * inside).sum(axis=0)
        self._y, self._uy = y.sum(axis=0), (u * y).sum(axis=0)
        places = (self._now - np.arange(GAP + 1, GAP + LEVEL + 1)) % RING
        inside = self._inside[places]
        self._level_n = inside.sum(axis=0).astype(np.float64)
        self._level_y = np.where(inside, self._x[places] / self._course[places], 0.0).sum(axis=0)
        places = (self._now - np.arange(1, WINDOWS[2])) % RING
        fresh = self._fresh[places]
        self._last_n = fresh.sum(axis=0).astype(np.float64)
        self._last_x = np.where(fresh, self._x[places], 0.0).sum(axis=0)
        self._last_course = np.where(fresh, self._course[places], 0.0).sum(axis=0)

"""Judges buckets of many sites at once: which series are outside their band, and what opens and closes.

Each bucket is held against its line, the last minute against the sum of its lines, the last ten minutes against the
level of the two hours before (see trend_baseline). What counts as outside takes account of what the series are:

* Errors are judged above only, and as a share of the lines: three times the visitors make three times the errors.
* Pages, countries and bytes are parts of the hits: while there are twice the hits, twice of each is inside.
* Latencies open nothing while errors are outside: answers that fail take longer, or no time at all.
* An anomaly of the hits that one kind of error, a page or a country explains by at least four fifths is that one's.
* Parts wait one bucket longer than totals and open nothing while the whole is outside on the same side: then they
  are its contributors. They are not judged in the twenty minutes after an anomaly either: what is expected of them
  has been held all the while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spark_jobs.trend_anomalies import UNKNOWN, Hysteresis, hysteresis_step
from spark_jobs.trend_bands import above, below
from spark_jobs.trend_baseline import RING, WINDOWS, Baseline, Windows
from spark_jobs.trend_course import BUCKET_S, Course

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Measure = Literal["hits", "bytes_sent", "client_errors", "server_errors", "mean_latency_us", "page", "country"]
AMOUNTS: tuple[Measure, ...] = ("bytes_sent", "mean_latency_us")  # the others are counts
_ERRORS = ("client_errors", "server_errors")
_PARTS = ("bytes_sent", "page", "country")
_EXPLAINS = 0.8
_NEVER = np.int64(1 << 40)


@dataclass(frozen=True)
class Rules:
    """tails: chance outside the band on each side, by window (10 s, 1 min, 10 min). The spreads are what is not worth
    an alert however many lines there are: standard deviation of the true value around the expected, relative."""

    tails: tuple[float, float, float] = (1e-6, 1e-8, 5e-5)
    open_after: int = 2
    open_after_parts: int = 3
    close_after: int = 6
    close_after_slow: int = 30  # where ten minutes were outside: their mean comes and goes slowly,
    back_tail: float = 0.01  # and is back only inside this narrower band
    least_lines: int = 2000  # latencies in a window below which their mean is not judged
    most_open_buckets: int = 1440  # after this an anomaly is the usual
    most_open_buckets_without_course: int = 360
    spread_hits: tuple[float, float, float] = (0.08, 0.06, 0.012)
    spread_errors: tuple[float, float, float] = (0.15, 0.12, 0.2)
    spread_parts: tuple[float, float, float] = (0.15, 0.12, 0.25)
    spread_latency: tuple[float, float, float] = (0.25, 0.2, 0.2)
    spread_without_course: float = 0.35  # of ten minutes against two hours, when nobody knows the course of the day
    bend: float = 0.1  # added to that spread, times how abruptly the course changes from hour to hour


@dataclass(frozen=True)
class Judgement:
    """One bucket: (sites, series), and bands as mean and variance on each side, (windows, sites, series)."""

    windows: Windows
    low_mean: Values
    low_variance: Values
    high_mean: Values
    high_variance: Values
    opened: Flags
    closed: Flags
    side: NDArray[np.int8]
    first: NDArray[np.int64]
    window: NDArray[np.int64]  # which window decided


class Judge:
    """``step`` for every bucket. ``measures``: of the series, the same for every site."""

    window_buckets = WINDOWS

    def __init__(self, measures: Sequence[Measure], sites: int, rules: Rules) -> None:
        self.rules = rules
        shape = (sites, len(measures))
        kinds = np.array(measures, dtype=object)
        self._hits = int(np.flatnonzero(kinds == "hits")[0]) if "hits" in measures else None
        self.amount = np.broadcast_to(np.isin(kinds, AMOUNTS), shape)
        self._latency = np.flatnonzero(kinds == "mean_latency_us")
        self._errors = np.flatnonzero(np.isin(kinds, _ERRORS))
        self._pieces = np.flatnonzero(np.isin(kinds, [*_ERRORS, "page", "country"]))
        self._is_error = np.isin(kinds, _ERRORS)
        self._is_part = np.isin(kinds, _PARTS)
        self._is_latency = kinds == "mean_latency_us"
        self._follows = self._is_part | self._is_error  # judged in proportion to the hits
        spreads = {
            "hits": rules.spread_hits,
            "client_errors": rules.spread_errors,
            "server_errors": rules.spread_errors,
            "mean_latency_us": rules.spread_latency,
        }
        self._spread = np.array([spreads.get(kind, rules.spread_parts) for kind in measures]).T.reshape(3, 1, -1)
        self._open_after = np.where(self._is_part, rules.open_after_parts, rules.open_after).astype(np.int64)
        self._tails = np.broadcast_to(np.array(rules.tails)[:, None, None], (3, *shape))
        self._amounts = np.broadcast_to(self.amount, (3, *shape))
        self._shape = shape
        self._baseline = Baseline(self.amount)
        self._state = Hysteresis.start(shape)
        self._opened_at = np.zeros(shape, np.int64)
        self._scale = np.zeros(
            shape, np.int64
        )  # window that opened the anomaly: it is judged by that and shorter ones
        self._course: Course | None = None
        self._lines: list[Values] = []
        self._parts_from = np.full((sites, 1), -1)  # bucket from which parts are judged again
        self._newest = 0

    def per(self, window: int, number: int) -> float:
        """What sums over a window are divided by to be shown: latencies are means."""
        return float(WINDOWS[window]) if number in self._latency else 1.0

    def follow(self, course: Course) -> None:
        """From now on expect this course of the day, also of what is remembered."""
        self._course = course
        self._baseline.follow(lambda age: course.at((self._newest + 1 - age) * BUCKET_S))

    def step(self, start_s: int, observed: Values, lines: Values) -> Judgement:
        """observed: (sites, series), NaN where unknown; lines: (sites,) number of latencies."""
        bucket = start_s // BUCKET_S
        self._newest = bucket
        windows = self._look(start_s, observed, lines)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ratio = self._ratio(windows)
            mean = np.maximum(windows.expected, 1e-9)
            spread = self._spreads(start_s)
            dispersion = np.where(self._amounts, windows.dispersion, np.maximum(windows.dispersion, 1.0))
            low_mean, high_mean = mean * np.minimum(ratio, 1.0), mean * np.maximum(ratio, 1.0)
            low_variance = dispersion * windows.lever * low_mean + np.square(spread * low_mean)
            high_variance = dispersion * windows.lever * high_mean + np.square(spread * high_mean)
            x = np.where(self._amounts & (windows.evidence < 60), np.nan, windows.observed)
            tails = self._tails
            slow = self._state.open & (self._scale == 2)
            if slow.any():
                tails = np.where(np.arange(3)[:, None, None] * slow == 2, self.rules.back_tail, tails)
            high = above(x, high_mean, high_variance, tails, self._amounts)
            low = below(x, low_mean, low_variance, tails, self._amounts) & ~self._is_error
            raw = high.astype(np.int8) - low.astype(np.int8)
        raw, sides, which = self._sides(raw, windows, np.isnan(observed))
        before = self._state
        close_after = np.where(slow, self.rules.close_after_slow, self.rules.close_after)
        self._state, opened, closed = hysteresis_step(before, bucket, sides, self._open_after, close_after)
        side = np.where(closed, before.side, self._state.side)
        first = np.where(closed, before.first, self._state.first)
        self._scale = np.where(opened, np.where(which >= 0, which, 2), self._scale)
        self._opened_at = np.where(opened, bucket, self._opened_at)
        window = np.where(which >= 0, which, self._scale)
        too_long = self._state.open & (bucket - self._opened_at >= self._patience())
        self._learn(windows, raw, opened, closed, too_long, np.isnan(observed))
        closed = closed | too_long
        return Judgement(
            windows, low_mean, low_variance, high_mean, high_variance, opened, closed, side, first, window
        )

    def _look(self, start_s: int, observed: Values, lines: Values) -> Windows:
        course = np.ones(self._shape) if self._course is None else self._course.at(start_s)
        windows = self._baseline.look(observed, course)
        self._lines = [*self._lines[-(WINDOWS[-1] - 1) :], np.nan_to_num(lines)]
        for place, length in enumerate(WINDOWS) if len(self._latency) else ():
            few = np.sum(self._lines[-length:], axis=0) < self.rules.least_lines
            windows.observed[place][:, self._latency] = np.where(
                few[:, None], np.nan, windows.observed[place][:, self._latency]
            )
        return windows

    def _spreads(self, start_s: int) -> Values:
        spread = np.broadcast_to(self._spread, (3, *self._shape)).copy()
        if self._course is None:
            spread[2] = np.maximum(spread[2], self.rules.spread_without_course)
        else:
            spread[2] += self.rules.bend * self._course.bend(start_s)
            spread[2] = np.where(
                self._course.known, spread[2], np.maximum(spread[2], self.rules.spread_without_course)
            )
        return spread

    def _ratio(self, windows: Windows) -> Values:
        """Hits over expected hits for what follows them, else 1: (windows, sites, series)."""
        if self._hits is None:
            return np.ones((3, *self._shape))
        whole = windows.observed[:, :, self._hits] / windows.expected[:, :, self._hits]
        whole = np.where(np.isfinite(whole), whole, 1.0)
        return np.where(self._follows, whole[:, :, None], 1.0)

    def _sides(
        self, raw: NDArray[np.int8], windows: Windows, unknown: Flags
    ) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int64]]:
        """(raw side, side that counts for opening, window that is outside or -1), each (sites, series)."""
        # An open anomaly is judged by the window that opened it and shorter ones: a longer one lags behind.
        usable = np.arange(3)[:, None, None] <= np.where(self._state.open, self._scale, 2)
        raw = np.where(usable, raw, 0)
        which = np.where(raw[0] != 0, 0, np.where(raw[1] != 0, 1, np.where(raw[2] != 0, 2, -1)))
        side = np.where(raw[0] != 0, raw[0], np.where(raw[1] != 0, raw[1], raw[2])).astype(np.int8)
        counts = side.copy()
        if self._hits is not None:
            hits = self._hits
            at = np.maximum(which[:, hits], 0)
            sites = np.arange(self._shape[0])
            with np.errstate(invalid="ignore"):
                excess = windows.observed[at, sites] - windows.expected[at, sites]  # (sites, series)
                explains = excess[:, self._pieces] * side[:, [hits]] >= _EXPLAINS * np.abs(excess[:, [hits]])
            pieces_state = self._state.open[:, self._pieces] | (
                self._is_error[self._pieces] & (side[:, self._pieces] != 0)
            )
            explained = (explains & pieces_state).any(axis=1) & (side[:, hits] != 0)
            counts[:, hits] = np.where(explained & ~self._state.open[:, hits], 0, counts[:, hits])
            whole = counts[:, [hits]]
            errors = side[:, self._errors].any(axis=1, keepdims=True) | self._state.open[:, self._errors].any(
                axis=1, keepdims=True
            )
            early = self._newest < self._parts_from
            held = (
                self._is_part & ~self._state.open & ((side == whole) | self._state.open[:, [hits]] | errors | early)
            )
            held |= self._is_latency & ~self._state.open & errors
            counts = np.where(held, 0, counts).astype(np.int8)
        return side, np.where(unknown, UNKNOWN, counts).astype(np.int8), which

    def _patience(self) -> Values:
        rules = self.rules
        if self._course is None:
            return np.full(self._shape, rules.most_open_buckets_without_course)
        return np.where(self._course.known, rules.most_open_buckets, rules.most_open_buckets_without_course)

    def _learn(
        self, windows: Windows, raw: NDArray[np.int8], opened: Flags, closed: Flags, too_long: Flags, unknown: Flags
    ) -> None:
        away = self._state.open | closed | (raw != 0)
        if self._hits is not None:
            whole = np.append(self._errors, self._hits)
            away = away | away[:, whole].any(axis=1, keepdims=True)
        hold = self._state.open | (away & ~closed) | unknown
        slow = opened & (self._scale == 2)
        self._baseline.learn(windows, ~away, hold)
        if slow.any():
            self._baseline.go_back(slow)
        if too_long.any():
            self._state = self._state.without(too_long)
            sites = np.broadcast_to(too_long.any(axis=1, keepdims=True), self._shape)
            self._baseline.accept(np.where(self._state.open, False, sites))
        over = closed | too_long
        if over.any():
            sites = np.broadcast_to(over.any(axis=1, keepdims=True), self._shape)
            self._baseline.forget_windows(sites & ~self._state.open)
            self._parts_from = np.where(sites[:, :1], self._newest + 1 + 2 * WINDOWS[-1], self._parts_from)

    def set_open(self, anomalies: Sequence[tuple[int, int, int, int]]) -> None:
        """Open exactly these in the first site: (series, side, first bucket, window that opened it)."""
        state = Hysteresis.start(self._shape)
        for number, side, first, window in anomalies:
            state.open[0, number], state.side[0, number], state.first[0, number] = True, side, first
            self._opened_at[0, number], self._scale[0, number] = first, window
        self._state = state

    def replace(self, number: int, values: Values) -> None:
        """Another series in a place of the first site; values: its last buckets, up to the newest."""
        self._state = self._state.without(np.arange(self._shape[1])[None, :] == number)
        self._baseline.replace(number, values[-RING + 1 :])

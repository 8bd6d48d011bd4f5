"""Forecasts by least squares: the next minute at 10 s grain, the next 24 hours at hour grain; and their scores.

Seasonal-naive (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 5.2): an hour is what the same
hour was a season before. It is what a forecast has to beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spark_jobs.trend_bands import amount_band, count_band
from spark_jobs.trend_ewma import ewma
from spark_jobs.trend_regression import LeastSquares, least_squares

Values = NDArray[np.float64]
Integers = NDArray[np.int64]
HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800
LEAST_HISTORY_HOURS = 48
# How much a day's level differs from the day before's, relative, before there are days enough to know.
USUAL_DAY_TO_DAY = 0.18
_STEPS = 3  # of reweighting; further ones change nothing in ten digits


@dataclass(frozen=True)
class Forecast:
    """Expected values with their 95 % band, by the start of the bucket or hour they are for."""

    starts_s: Integers  # (m,)
    expected: Values  # (m,) or (m, series)
    low: Values
    high: Values


@dataclass(frozen=True)
class Score:
    """How a forecast did: mean absolute error and the share of observations inside the band, over ``hours``."""

    hours: int
    mean_absolute_error: float
    coverage: float  # NaN for a forecast without band


def next_minute(values: Values, levels: Values, coverage: float = 0.95) -> tuple[Values, Values, Values]:
    """(expected, low, high), each (6, series), of the six 10 s buckets after the last.

    values, levels: (buckets, series), buckets in a row, NaN where unknown, with their EWMA (``trend_ewma.ewma``).
    Least squares on [1, time, level before]; all NaN for a series with fewer than six known buckets.
    """
    count, series = values.shape
    result = np.full((3, 6, series), np.nan)
    ahead = np.arange(1, 7, dtype=float)
    for column in range(series):
        if np.isfinite(values[:, column]).sum() < 6:
            continue
        time = np.arange(1 - count, 1, dtype=float)
        level = np.concatenate([[np.nan], levels[:-1, column]])
        fit = least_squares(np.column_stack([np.ones(count), time, level]), values[:, column])
        last = levels[np.isfinite(levels[:, column]), column][-1]
        rows = np.column_stack([np.ones(6), ahead, np.full(6, last)])
        low, high = fit.interval(rows, coverage)
        result[:, :, column] = np.maximum([fit.predict(rows), low, high], 0.0)
    return result[0], result[1], result[2]


def next_hours(
    hour_starts_s: Integers, values: Values, hours: int = 24, coverage: float = 0.95, amount: bool = False
) -> Forecast | None:
    """Forecast of one series' next ``hours`` (1 to 24) hours; None with less than 48 known hours.

    hour_starts_s: (n,) consecutive hours up to the last closed one; values: (n,) sums >= 0, NaN where unknown or
    where an incident is known to have been. amount: bytes or latencies, not counts. NaN where the history does not
    say: an hour of the day that was never known.
    """
    if not 1 <= hours <= 24:
        raise ValueError(f"a forecast of {hours} hours: it reaches 1 to 24 hours")
    fit = _Hours.fit(hour_starts_s, values)
    if fit is None:
        return None
    ahead = hour_starts_s[-1] + HOUR_S * np.arange(1, hours + 1)
    mean, variance = fit.expect(len(values), hours)
    low, high = (amount_band if amount else count_band)(mean, variance, (1.0 - coverage) / 2.0)
    return Forecast(ahead, mean, low, high)


def hour_course(hour_starts_s: Integers, values: Values, ahead: int = 24) -> tuple[Integers, Values]:
    """(hour starts (h + ahead,), course (h + ahead, series)): what the fit expects of past and of coming hours.

    What ``Detector.follow`` takes. Beyond 24 hours the course repeats the day, from eight days of history on the
    week. NaN throughout for a series with less than 48 known hours, and for hours of the day or week that were never
    known.
    """
    history, series = values.shape
    starts_s = hour_starts_s[0] + HOUR_S * np.arange(history + ahead)
    course = np.full((history + ahead, series), np.nan)
    for number in range(series):
        fit = _Hours.fit(hour_starts_s, values[:, number])
        if fit is not None:
            course[:, number] = fit.expect(0, history + ahead)[0]
    return starts_s, course


@dataclass(frozen=True)
class _Hours:
    """A fit of log mean = terms of the calendar + level, by iteratively reweighted least squares.

    Nelder and Wedderburn, JRSS A 1972: each step is least squares of eta + (x - m) / m with weights m, so a small
    hour does not weigh as much as a large one, no logarithm of 0 is taken, and the residual variance is that of the
    counts over their mean.
    """

    rows: Values  # (hours, terms): of the history and the 24 after it
    season: int  # hours after which they may be repeated
    history: int
    solved: LeastSquares
    untold: NDArray[np.bool_]  # (terms,): no known hour says anything about them
    day_to_day: float  # variance of tomorrow's log level around today's, where the terms do not tell days apart

    @staticmethod
    def fit(hour_starts_s: Integers, values: Values) -> _Hours | None:
        history = len(values)
        known = np.isfinite(values)
        if known.sum() < LEAST_HISTORY_HOURS or not values[known].any():
            return None
        hour = int(hour_starts_s[0] // HOUR_S) + np.arange(history + 24)
        if history < 8 * 24:
            rows = _days(hour, history)
            solved = _solve(rows[:history], values)
            steps = np.diff(np.append(0.0, solved.coefficients[24:]))
            day_to_day = (np.square(steps).sum() + 3 * USUAL_DAY_TO_DAY**2) / (len(steps) + 3)
            return _Hours(rows, 24, history, solved, _untold(rows, values), float(day_to_day))
        # In the first weeks a level would only repeat what the day of the week says.
        level = _level(values)[:, None] if history >= 22 * 24 else np.empty((len(hour), 0))
        rows = np.column_stack([_dummies(hour % 24, 24), _dummies(_of_week(hour) // 24, 7)[:, 1:], level])
        solved = _solve(rows[:history], values)
        # Hour and day by themselves, or every hour of the week? By what would err less.
        seen = len(np.unique(_of_week(hour[:history])[known])) == 168
        if seen and _week_noise(values) * (1.0 + 168.0 / history) < solved.residual_deviation**2:
            rows = np.column_stack([_dummies(_of_week(hour), 168), level])
            solved = _solve(rows[:history], values)
        return _Hours(rows, 168, history, solved, _untold(rows, values), 0.0)

    def expect(self, first: int, hours: int) -> tuple[Values, Values]:
        """(mean, variance of an observation) of hours counted from the first of the history, (hours,) each."""
        place = first + np.arange(hours)
        beyond = place >= len(self.rows)
        # The last season is repeated, from its end back.
        place = np.where(beyond, len(self.rows) - self.season + (place - len(self.rows)) % self.season, place)
        design = self.rows[place]
        told = ~(design[:, self.untold] != 0.0).any(axis=1)
        mean = np.where(told, np.exp(self.solved.predict(design)), np.nan)
        ratio = np.square(self.solved.residual_deviation)
        unsure = ratio * self.solved.leverage(design) + np.where(place >= self.history, self.day_to_day, 0.0)
        return mean, ratio * mean + mean * mean * unsure


def _solve(design: Values, values: Values) -> LeastSquares:
    usable = np.isfinite(values) & np.isfinite(design).all(axis=1)
    x, design = values[usable], design[usable]
    mean = np.maximum(x, 0.5)
    for _ in range(_STEPS):
        weight = np.sqrt(mean)
        solved = least_squares(design * weight[:, None], weight * (np.log(mean) + (x - mean) / mean))
        mean = np.exp(np.minimum(solved.predict(design), np.log(x.max()) + 2.0))
    return solved


def _untold(rows: Values, values: Values) -> NDArray[np.bool_]:
    """Terms that are 0 in every known hour: least squares of least norm says 0 of them, which is no forecast."""
    return np.asarray((rows[: len(values)][np.isfinite(values)] == 0.0).all(axis=0))


def _days(hour: Integers, history: int) -> Values:
    """Hour of the day, and the level of each 24 hours before the end by itself: what comes has that of the last."""
    block = np.maximum((history - 1 - np.arange(len(hour))) // 24, 0)
    return np.column_stack([_dummies(hour % 24, 24), _dummies(block, int(block.max()) + 1)[:, 1:]])


def _of_week(hour: Integers) -> Integers:
    """Hours since Monday, UTC, of hours since 1 January 1970, a Thursday."""
    return (hour + 72) % 168


def _week_noise(values: Values) -> float:
    """Variance of an hour over its mean, from what the same hours of two weeks differ by; infinite if not known."""
    old, new = values[:-168], values[168:]
    pairs = np.isfinite(old) & np.isfinite(new) & (old + new > 0)
    if pairs.sum() < 20:
        return float("inf")
    return float((np.square(new - old)[pairs] / (old + new)[pairs]).mean())


def _dummies(numbers: Integers, kinds: int) -> Values:
    return np.asarray(numbers[:, None] == np.arange(kinds), np.float64)


def _level(values: Values) -> Values:
    """Log of the EWMA, day by day, of the mean of 24 hours, as it was known a day before each hour: (n + 24,)."""
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    numbers = np.concatenate([[0], np.cumsum(known)])
    full = np.full(len(values), np.nan)
    day_n, day_sum = numbers[24:] - numbers[:-24], sums[24:] - sums[:-24]
    full[23:] = np.where((day_n == 24) & (day_sum > 0), day_sum / 24.0, np.nan)
    level = np.full(len(values), np.nan)
    for phase in range(24):
        level[phase::24] = ewma(full[phase::24])
    last = level[np.isfinite(level)][-1:]
    shifted = np.concatenate([np.full(24, np.nan), level])
    if not len(last):
        return np.zeros(len(shifted))
    shifted[len(values) :] = np.where(np.isnan(shifted[len(values) :]), last, shifted[len(values) :])
    first = shifted[np.isfinite(shifted)][0]
    begins = int(np.flatnonzero(np.isfinite(shifted))[0])
    shifted[:begins] = first  # the first two days had no level yet
    return np.asarray(np.log(shifted) - np.log(last))


def seasonal_naive(hour_starts_s: Integers, values: Values, hours: int = 24, season_hours: int = 24) -> Values:
    """What the same hours were a season before: (hours,), NaN where that is unknown or not there."""
    places = len(values) - season_hours + np.arange(hours) % season_hours
    return np.where(places >= 0, values[np.maximum(places, 0)], np.nan)


def score(observed: Values, expected: Values, low: Values | None = None, high: Values | None = None) -> Score:
    """Score over the hours where both are known; arrays of one shape."""
    known = np.isfinite(observed) & np.isfinite(expected)
    hours = int(known.sum())
    error = float(np.abs(observed - expected)[known].mean()) if hours else float("nan")
    if low is None or high is None or not hours:
        return Score(hours, error, float("nan"))
    return Score(hours, error, float(((observed >= low) & (observed <= high))[known].mean()))

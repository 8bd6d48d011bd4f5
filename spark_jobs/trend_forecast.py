"""Forecasts by least squares: the next minute at 10 s grain, the next 24 hours at hour grain; and their scores.

Seasonal-naive (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 5.2): an hour is what the same
hour was a season before. It is what a forecast has to beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spark_jobs.trend_regression import least_squares

Values = NDArray[np.float64]
Integers = NDArray[np.int64]
HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800
LEAST_HISTORY_HOURS = 48


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


def next_hours(hour_starts_s: Integers, values: Values, hours: int = 24, coverage: float = 0.95) -> Forecast | None:
    """Forecast of one series' next ``hours`` hours; None with less than 48 hours of history.

    hour_starts_s: (n,) consecutive hours up to the last closed one; values: (n,) sums, NaN where unknown.
    """
    if np.isfinite(values).sum() < LEAST_HISTORY_HOURS:
        return None
    ahead = hour_starts_s[-1] + HOUR_S * np.arange(1, hours + 1)
    fit = least_squares(_hour_design(hour_starts_s), values)
    rows = _hour_design(ahead)
    low, high = fit.interval(rows, coverage)
    return Forecast(ahead, np.maximum(fit.predict(rows), 0), np.maximum(low, 0), np.maximum(high, 0))


def _hour_design(starts_s: Integers) -> Values:
    return np.asarray((starts_s // HOUR_S % 24)[:, None] == np.arange(24), np.float64)


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


def hour_course(hour_starts_s: Integers, values: Values, ahead: int = 24) -> tuple[Integers, Values]:
    """(hour starts, course (h + ahead, series)): expected values of the hours given, and of those to come.

    What ``Detector.follow`` takes. NaN throughout for a series with less than 48 hours of history.
    """
    place = (hour_starts_s[0] // HOUR_S + np.arange(len(hour_starts_s) + ahead)) % 168
    table = np.full((168, values.shape[1]), np.nan)
    for p in range(168):
        table[p] = np.nanmean(values[(hour_starts_s // HOUR_S) % 168 == p], axis=0)
    return hour_starts_s[0] + HOUR_S * np.arange(len(place)), table[place]

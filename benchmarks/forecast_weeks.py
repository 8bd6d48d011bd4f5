"""How good the forecasts of hours are: two generated weeks, forecast day by day, against the plain rules.

Two cases: a site from its first 48 hours on, held against "as a day ago" (a week ago is not known yet); and a site
with eight weeks of history, held against "as a week ago", the better plain rule by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.bucket_weeks import SERIES, hourly_history
from spark_jobs.trend_forecast import next_hours, seasonal_naive
from spark_jobs.trend_judge import Measure

DAY, WEEK = 24, 168
SITES = 4  # whose hits are scored together: the coverage of 336 hours alone varies by 1.5 %
CASES = ((2 * DAY, 2 * WEEK, DAY), (8 * WEEK, 10 * WEEK, WEEK))  # first forecast, end, season of the plain rule
SCORED: tuple[Measure, ...] = ("hits", "server_errors", "page", "country")


@dataclass(frozen=True)
class Scored:
    """Forecasts of one series in one case, next to the plain rule."""

    rate: float
    series: str
    history_hours: int
    season_hours: int
    hours: int
    error: float  # mean absolute
    naive_error: float
    coverage: float

    @property
    def better(self) -> float:
        """How far below the plain rule's the error is, as a share of it."""
        return 1.0 - self.error / self.naive_error


def score_rate(rate: float, seed: int, begin_ms: int) -> Sequence[Scored]:
    """Both cases for the hits (of several sites), server errors, hottest page and largest country of a site."""
    found = []
    for first, end, season in CASES:
        sites = []
        for site in range(SITES):
            rng = np.random.default_rng((seed, int(rate * 1000), first, site))
            sites.append(hourly_history(rng, rate, begin_ms + end * 3_600_000, end))
        for measure in SCORED:
            number = [one.measure for one in SERIES].index(measure)
            name = f"{measure} {SERIES[number].value}".strip()
            chosen = sites if measure == "hits" else sites[:1]
            series = [values[:, number] for _, values in chosen]
            found.append(_score(rate, name, sites[0][0], series, first, season))
    return found


def _score(
    rate: float,
    name: str,
    starts_s: NDArray[np.int64],
    series: Sequence[NDArray[np.float64]],
    first: int,
    season: int,
) -> Scored:
    errors, naive_errors, inside = [], [], []
    for values in series:
        for origin in range(first, len(values) - DAY + 1, DAY):
            history, came = values[:origin], values[origin : origin + DAY]
            forecast = next_hours(starts_s[:origin], history)
            if forecast is None:
                raise ValueError(f"no forecast of {name} after {origin} hours")
            errors.append(np.abs(forecast.expected - came))
            naive_errors.append(np.abs(seasonal_naive(starts_s[:origin], history, DAY, season) - came))
            inside.append((came >= forecast.low) & (came <= forecast.high))
    hours = DAY * len(errors)
    return Scored(
        rate, name, first, season, hours,
        float(np.mean(errors)), float(np.mean(naive_errors)), float(np.mean(inside)),
    )  # fmt: skip

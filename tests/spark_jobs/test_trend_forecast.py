"""Forecasts: right on what can be computed by hand, better than the plain rule on generated weeks."""

from __future__ import annotations

import numpy as np
import pytest

from spark_jobs.trend_ewma import ewma
from spark_jobs.trend_forecast import Values, hour_course, next_hours, next_minute, score, seasonal_naive

HOUR_S = 3600
MONDAY_S = 1_794_787_200


def rhythm(hours: int) -> Values:
    """Hits an hour of a site that is five times as busy at noon as at midnight, and half as busy on weekends."""
    number = np.arange(hours)
    day = 3.0 - 2.0 * np.cos(2 * np.pi * number / 24)
    return np.asarray(400.0 * day * np.where(number // 24 % 7 >= 5, 0.5, 1.0))


def starts(hours: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return MONDAY_S + HOUR_S * np.arange(hours)


def test_the_next_minute_of_a_steady_climb_goes_on_climbing() -> None:
    values = np.arange(60.0)[:, None] * 10.0 + 100.0
    expected, low, high = next_minute(values, ewma(values))
    assert expected[:, 0] == pytest.approx(700.0 + 10.0 * np.arange(6), rel=1e-6)
    assert (low <= expected).all()
    assert (high >= expected).all()


def test_the_next_minute_holds_95_percent_of_poisson_counts() -> None:
    rng = np.random.default_rng(6)
    values = rng.poisson(200.0, (66, 300)).astype(np.float64)
    _, low, high = next_minute(values[:60], ewma(values[:60]))
    assert ((values[60:] >= low) & (values[60:] <= high)).mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("known", [0, 5])
def test_of_too_few_buckets_nothing_is_forecast(known: int) -> None:
    values = np.full((30, 1), np.nan)
    values[:known] = 7.0
    assert np.isnan(next_minute(values, ewma(values))).all()


def test_a_constant_series_is_forecast_as_it_is() -> None:
    values = np.full((30, 1), 1e12)
    expected, low, high = next_minute(values, ewma(values))
    assert [part[5, 0] for part in (expected, low, high)] == pytest.approx([1e12] * 3)


def test_less_than_48_hours_have_no_forecast() -> None:
    assert next_hours(starts(47), rhythm(47)) is None
    assert next_hours(starts(48), rhythm(48)) is not None
    assert next_hours(starts(60), np.zeros(60)) is None  # nothing ever came


@pytest.mark.parametrize("hours", [72, 21 * 24])
def test_a_rhythm_without_chance_is_forecast_hour_by_hour(hours: int) -> None:
    forecast = next_hours(starts(hours), rhythm(hours))
    assert forecast is not None
    assert forecast.starts_s.tolist() == starts(hours + 24)[hours:].tolist()
    assert forecast.expected == pytest.approx(rhythm(hours + 24)[hours:], rel=0.01)


def test_a_level_that_has_doubled_is_followed() -> None:
    values = rhythm(35 * 24)
    values[28 * 24 :] *= 2.0
    forecast = next_hours(starts(len(values)), values)
    assert forecast is not None
    plain = rhythm(36 * 24)[35 * 24 :]
    assert (forecast.expected / plain).mean() > 1.5


def test_hours_that_are_not_known_are_forecast_all_the_same() -> None:
    values = rhythm(21 * 24)
    values[300:306] = np.nan
    forecast = next_hours(starts(len(values)), values)
    assert forecast is not None
    assert forecast.expected == pytest.approx(rhythm(22 * 24)[21 * 24 :], rel=0.02)


def test_an_hour_of_the_day_that_was_never_known_is_not_forecast() -> None:
    values = np.where(np.arange(72) % 24 < 6, np.nan, 100.0)
    forecast = next_hours(starts(72), values)
    assert forecast is not None
    for part in (forecast.expected, forecast.low, forecast.high):
        assert np.isnan(part).tolist() == [True] * 6 + [False] * 18
    assert forecast.expected[6:] == pytest.approx(np.full(18, 100.0))
    assert np.isnan(hour_course(starts(72), values[:, None])[1][:6]).all()


@pytest.mark.parametrize("mean", [0.4, 3.0, 1e12])
def test_counts_small_and_huge_have_bands_that_hold_them(mean: float) -> None:
    rng = np.random.default_rng(8)
    values = rng.poisson(mean, 22 * 24).astype(np.float64)
    forecast = next_hours(starts(21 * 24), values[: 21 * 24])
    assert forecast is not None
    assert (forecast.low >= 0).all()
    came = values[21 * 24 :]
    assert ((came >= forecast.low) & (came <= forecast.high)).mean() > 0.85
    assert forecast.expected.mean() == pytest.approx(mean, rel=0.3)


def test_the_course_covers_the_history_and_repeats_the_week_beyond_a_day() -> None:
    hours_s, course = hour_course(starts(21 * 24), np.column_stack([rhythm(21 * 24), np.full(21 * 24, np.nan)]), 72)
    assert hours_s.tolist() == starts(24 * 24).tolist()
    assert course[:, 0] == pytest.approx(rhythm(24 * 24), rel=0.02)
    assert np.isnan(course[:, 1]).all()


def test_the_plain_rule_is_the_same_hour_a_season_before() -> None:
    values = np.arange(30.0)
    assert seasonal_naive(starts(30), values, 3).tolist() == [6.0, 7.0, 8.0]
    assert np.isnan(seasonal_naive(starts(30), values, 3, season_hours=168)).all()


def test_a_score_is_the_mean_distance_and_the_share_inside() -> None:
    came, expected = np.array([1.0, 5.0, np.nan]), np.array([2.0, 2.0, 2.0])
    found = score(came, expected, expected - 1, expected + 1)
    assert (found.hours, found.mean_absolute_error, found.coverage) == (2, 2.0, 0.5)
    assert score(came[2:], expected[2:]).hours == 0

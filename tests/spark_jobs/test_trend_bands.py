"""Bands of counts hold as much of what comes as they say, also where counts are small."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spark_jobs.trend_bands import above, amount_band, below, count_band


@pytest.mark.parametrize(
    ("mean", "low", "high"),
    [(0.1, 0, 1), (1.0, 0, 4), (5.0, 1, 11)],
)
def test_the_band_of_a_poisson_count_is_its_quantiles(mean: float, low: int, high: int) -> None:
    # Tables of the Poisson distribution: P(X > 4) = 0.0037 and P(X > 3) = 0.019 for mean 1.
    assert [float(end) for end in count_band(np.array(mean), np.array(mean), 0.01)] == [low, high]


def test_a_symmetric_band_would_be_wrong_where_a_quantile_is_not() -> None:
    # Mean 1, three deviations: 4. Every 55,000th bucket has more than 7, not every 740th more than 4 by half.
    _, high = count_band(np.array(1.0), np.array(1.0), 1e-5)
    assert high == 8
    assert stats.poisson.sf(1.0 + 3.0, 1.0) > 2 * stats.norm.sf(3.0)


def test_more_variance_than_a_poissons_widens_the_band_and_less_does_not_narrow_it() -> None:
    mean = np.full(3, 50.0)
    low, high = count_band(mean, np.array([20.0, 50.0, 200.0]), 1e-4)
    assert (low[0], high[0]) == (low[1], high[1])
    assert low[2] < low[1] < high[1] < high[2]


@pytest.mark.parametrize("mean", [0.3, 4.0, 60.0, 5000.0])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 6.0])
def test_less_than_the_tail_of_simulated_counts_is_outside_on_either_side(mean: float, ratio: float) -> None:
    rng = np.random.default_rng(4)
    rate = mean if ratio == 1.0 else rng.gamma(mean / (ratio - 1.0), ratio - 1.0, 200_000)
    counts = rng.poisson(rate, 200_000)
    low, high = count_band(np.array(mean), np.array(mean * ratio), 0.01)
    assert (counts < low).mean() <= 0.011
    assert (counts > high).mean() <= 0.011
    assert (counts > high - 1).mean() > 0.009  # and it is no wider than it must be


def test_outside_is_decided_exactly_as_by_comparing_with_the_band() -> None:
    rng = np.random.default_rng(5)
    mean = np.exp(rng.uniform(np.log(0.05), np.log(20_000), 4000))
    variance = mean * rng.uniform(1.0, 6.0, 4000) + np.square(0.08 * mean)
    values = np.rint(np.maximum(mean + 5 * rng.standard_normal(4000) * np.sqrt(variance), 0))
    tail = np.full(4000, 2e-5)
    low, high = count_band(mean, variance, 2e-5)
    counts = np.zeros(4000, np.bool_)
    np.testing.assert_array_equal(above(values, mean, variance, tail, counts), values > high)
    np.testing.assert_array_equal(below(values, mean, variance, tail, counts), values < low)
    mean, variance, values = 1e5 * mean, 1e10 * variance, 1e5 * values + 1.0  # bytes
    low, high = amount_band(mean, variance, 2e-5)
    np.testing.assert_array_equal(above(values, mean, variance, tail, ~counts), values > high)
    np.testing.assert_array_equal(below(values, mean, variance, tail, ~counts), values < low)
    assert 200 < (values > high).sum() < 3000


def test_what_is_unknown_is_not_outside() -> None:
    nan = np.array([np.nan, 5.0, 5.0])
    mean, variance = np.array([5.0, np.nan, 5.0]), np.array([5.0, 5.0, np.nan])
    assert not above(nan, mean, variance, np.full(3, 0.01), np.zeros(3, np.bool_)).any()
    assert np.isnan(count_band(mean, mean, 0.01)[1]).tolist() == [False, True, False]


def test_a_count_of_1e12_has_a_band_around_it() -> None:
    low, high = count_band(np.array(1e12), np.array(1e12 + 1e20), 1e-4)
    assert 0.95e12 < low < 1e12 < high < 1.05e12

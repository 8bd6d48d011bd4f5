"""Bands for counts that are honest when counts are small: predictive quantiles, not "mean plus three deviations".

A count with mean m and variance v is taken as negative binomial with size m^2 / (v - m), a sum of bytes or a latency
as gamma with shape m^2 / v. ``tail`` is the chance of being outside, on each side. Whether a value is outside is
decided by its tail probability, which is the same as comparing it with the quantile, and faster.

Negative binomial: Greenwood and Yule, JRSS 1920; its distribution function is the regularised incomplete beta
function I_(size / (size + m))(size, k + 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
# At most this size: from there on a negative binomial cannot be told from a Poisson.
_LARGEST_SIZE = 1e9
# A value within so many deviations of the mean has no tail probability of 0.01 or less, unless it is a small share of
# the mean: others need not be looked at.
_NEAR, _SMALL_SHARE = 1.5, 0.25


def _size(mean: Values, variance: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        size = mean * mean / (variance - mean)
    return np.where((variance > mean) & (size < _LARGEST_SIZE), np.maximum(size, 1e-9), _LARGEST_SIZE)


def count_band(mean: Values, variance: Values, tail: float) -> tuple[Values, Values]:
    """Smallest and largest count inside the band: P(count < low) <= tail and P(count > high) <= tail.

    mean, variance: of the predictive distribution, any shape, NaN where unknown; a variance below the mean counts as
    the mean (Poisson). Returns (low, high), whole numbers in float64.
    """
    mean = np.asarray(mean, np.float64)
    size = _size(mean, np.asarray(variance, np.float64))
    safe = np.maximum(mean, 1e-12)
    chance = size / (size + safe)
    return stats.nbinom.ppf(tail, size, chance), stats.nbinom.isf(tail, size, chance)


def amount_band(mean: Values, variance: Values, tail: float) -> tuple[Values, Values]:
    """The same for amounts (continuous, >= 0): quantiles of the gamma distribution with that mean and variance."""
    mean = np.maximum(np.asarray(mean, np.float64), 1e-12)
    scale = np.maximum(np.asarray(variance, np.float64), 1e-24) / mean
    return special.gammaincinv(mean / scale, tail) * scale, special.gammainccinv(mean / scale, tail) * scale


def above(values: Values, mean: Values, variance: Values, tail: Values, amount: Flags) -> Flags:
    """Whether values are above their band: P(X >= value) <= tail, by the distribution of counts or of amounts.

    All of one shape; NaN in any of them is False. tail: at most 0.01.
    """
    return _outside(values, mean, variance, tail, amount, upper=True)


def below(values: Values, mean: Values, variance: Values, tail: Values, amount: Flags) -> Flags:
    """Whether values are below their band: P(X <= value) <= tail."""
    return _outside(values, mean, variance, tail, amount, upper=False)


def _outside(values: Values, mean: Values, variance: Values, tail: Values, amount: Flags, upper: bool) -> Flags:
    away = values - mean if upper else mean - values
    with np.errstate(invalid="ignore"):
        far = away * away > _NEAR * _NEAR * variance
        candidates = (away > 0) & (far if upper else far | (values < _SMALL_SHARE * mean))
    result = np.zeros(values.shape, np.bool_)
    where = np.flatnonzero(candidates)
    if not len(where):
        return result
    x, m, v = (np.asarray(a, np.float64).ravel()[where] for a in (values, mean, variance))
    is_amount = np.ravel(amount)[where]
    m = np.maximum(m, 1e-12)
    size = _size(m, v)
    chance = np.where(
        is_amount,
        (special.gammaincc if upper else special.gammainc)(m * m / v, x * m / v),
        special.betainc(x, size, m / (size + m)) if upper else special.betainc(size, x + 1.0, size / (size + m)),
    )
    result.ravel()[where] = chance <= np.ravel(tail)[where]
    return result

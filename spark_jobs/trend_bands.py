"""Bands for counts that are honest when counts are small: predictive quantiles, not "mean plus three deviations".

A count with mean m and variance ratio * m + (spread * m)^2 is taken as negative binomial (Poisson when the variance
is not above the mean), an amount (bytes, latency) as gamma. ``tail`` is the chance outside on each side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]


def count_band(expected: Values, variance: Values, tail: float) -> tuple[Values, Values]:
    """Smallest and largest count inside the band: P(count < low) <= tail and P(count > high) <= tail.

    expected, variance: mean and variance of the predictive distribution, any shape, NaN where unknown.
    Returns (low, high) as whole numbers in float64, low >= 0.
    """
    mean = np.maximum(expected, 1e-9)
    over = np.maximum(variance - mean, 1e-9 * mean)
    size = mean * mean / over
    chance = size / (size + mean)
    return stats.nbinom.ppf(tail, size, chance), stats.nbinom.isf(tail, size, chance)


def amount_band(expected: Values, variance: Values, tail: float) -> tuple[Values, Values]:
    """The same for amounts (continuous, >= 0): quantiles of the gamma distribution with that mean and variance."""
    mean = np.maximum(expected, 1e-9)
    shape = mean * mean / np.maximum(variance, 1e-18)
    return stats.gamma.ppf(tail, shape, scale=mean / shape), stats.gamma.isf(tail, shape, scale=mean / shape)

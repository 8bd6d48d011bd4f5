"""Latencies as counts in bins that grow by 2 %: sums of counts, so that any order and any replay gives the same.

The bins of DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
Guarantees", VLDB 2019), with a = 0.01 and g = (1 + a) / (1 - a) = 101/99: bin i holds g^(i-1) < latency_us <= g^i and
stands for 2 g^i / (g + 1), which is off by at most 1 %. Bin -1 holds 0 us. The bounds are exact integers, so that
every machine puts a latency into the same bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from producers.access_log import LARGEST_LATENCY_MS

RELATIVE_ERROR = Fraction(1, 100)
_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
ZERO_BIN = -1


def _upper_bounds(largest_us: int) -> list[int]:
    """Largest whole latency of each bin from 0 on, until one holds the largest latency."""
    bounds: list[int] = []
    above, below = 1, 1
    while not bounds or bounds[-1] < largest_us:
        bounds.append(above // below)
        above *= _GROWTH.numerator
        below *= _GROWTH.denominator
    return bounds


_BOUNDS: npt.NDArray[np.int64] = np.array(_upper_bounds(LARGEST_LATENCY_MS * 1000), dtype=np.int64)


def bins_of(latency_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Bin of each latency in whole microseconds, from 0 to a day."""
    return np.where(latency_us == 0, ZERO_BIN, np.searchsorted(_BOUNDS, latency_us, side="left"))


def bin_latency_us(bin_number: int) -> float:
    """The latency in microseconds that a bin stands for: within 1 % of all it holds."""
    growth = float(_GROWTH)
    return 0.0 if bin_number == ZERO_BIN else 2 * growth**bin_number / (growth + 1)


def percentile_us(bins: Sequence[int], counts: Sequence[int], fraction: float, largest_us: int) -> float:
    """Latency in microseconds at rank floor(fraction * (n - 1)), counted from 0, of n counted latencies.

    bins: ascending; counts: of each bin, at least 1 together; fraction: 0 to 1; largest_us: no answer is larger.
    """
    rank = int(fraction * (sum(counts) - 1))
    place = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
    return min(bin_latency_us(bins[place]), float(largest_us))

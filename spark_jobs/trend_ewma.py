"""Exponentially weighted moving average: S_0 = X_0, S_t = alpha * X_t + (1 - alpha) * S_(t-1).

Roberts, "Control chart tests based on geometric moving averages", Technometrics 1959; Hunter, "The exponentially
weighted moving average", Journal of Quality Technology 1986. A value that is unknown (NaN) is skipped: its average
is NaN, and the next known value goes on from the last known average.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Values = NDArray[np.float64]
ALPHA = 0.3


def ewma_step(before: Values, values: Values, alpha: float = ALPHA) -> Values:
    """The averages after one more bucket, and to go on from; (series,) each.

    before: the averages so far, NaN where there is none yet. values: the bucket, NaN where unknown: there the
    result is ``before`` (what is shown of such a bucket is NaN, ``numpy.where(isnan(values), nan, result)``).
    """
    moved = alpha * values + (1.0 - alpha) * before
    return np.where(np.isnan(values), before, np.where(np.isnan(before), values, moved))


def ewma(values: Values, alpha: float = ALPHA, before: Values | None = None) -> Values:
    """The averages of whole series: (buckets,) or (buckets, series) to the same shape, NaN where the value is.

    before: averages to go on from, (series,), NaN or None for none. To the bit what ``ewma_step`` gives bucket by
    bucket, so late lines need only the recomputation from the first bucket they change on.
    Raises ValueError unless 0 < alpha <= 1.
    """
    if not 0.0 < alpha <= 1.0:
        raise ValueError(f"alpha is {alpha}, but must lie above 0 and up to 1")
    table = np.asarray(values, np.float64)
    table = table[:, None] if table.ndim == 1 else table
    start = np.full(table.shape[1], np.nan) if before is None else np.broadcast_to(before, table.shape[1:])
    averages = np.full(table.shape, np.nan)
    for column, state in enumerate(start.astype(np.float64)):
        known = ~np.isnan(table[:, column])
        series = table[known, column]
        if not len(series):
            continue
        begin, first = (1, series[0]) if np.isnan(state) else (0, state)
        rest, _ = lfilter([alpha], [1.0, alpha - 1.0], series[begin:], zi=[(1.0 - alpha) * first])
        averages[known, column] = np.concatenate([series[:begin], rest])
    return averages.reshape(np.shape(values))

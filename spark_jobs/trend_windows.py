"""Sliding windows and coarser grains as exact sums of 10 s buckets.

A window belongs to the starts at which Spark's ``window(ts, length, step)`` has one: every multiple of the step,
from the Unix epoch, whose interval [start, start + length) holds at least one bucket. Sums are int64: exact up to
9.2e18, and the same in any order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def sliding_sums(
    bucket_starts_s: Integers, values: Integers, length_s: int = 30, step_s: int = 10, bucket_s: int = 10
) -> tuple[Integers, Integers]:
    """Sums over sliding windows that hold at least one of the buckets.

    bucket_starts_s: (n,) epoch seconds, multiples of ``bucket_s``, ascending, each once; buckets without lines may be
    absent. values: (n,) or (n, series). Returns (window starts (m,) ascending, sums (m,) or (m, series)).
    Raises ValueError when length or step is no multiple of the bucket, or the starts are not as described.
    """
    if length_s <= 0 or step_s <= 0 or length_s % bucket_s or step_s % bucket_s:
        raise ValueError(f"a window of {length_s} s every {step_s} s is not made of whole buckets of {bucket_s} s")
    starts = np.asarray(bucket_starts_s, np.int64)
    values = np.asarray(values, np.int64)
    if len(starts) != len(values) or np.any(starts % bucket_s) or np.any(np.diff(starts) <= 0):
        raise ValueError("bucket starts must be multiples of the bucket, ascending, one for each value")
    # The windows over a bucket: the last begins at or before it, the first still reaches into it.
    last = starts // step_s * step_s
    candidates = (last[:, None] - step_s * np.arange(-(-length_s // step_s))).ravel()
    covers = candidates > np.repeat(starts, -(-length_s // step_s)) - length_s
    windows = np.unique(candidates[covers])
    before = np.concatenate([np.zeros((1, *values.shape[1:]), np.int64), np.cumsum(values, axis=0)])
    first, end = np.searchsorted(starts, windows), np.searchsorted(starts, windows + length_s)
    return windows, before[end] - before[first]


def coarser(bucket_starts_s: Integers, values: Integers, grain_s: int) -> tuple[Integers, Integers]:
    """Sums by a coarser grain (60: minutes, 3600: hours), for every grain that holds a bucket.

    Shapes as in ``sliding_sums``: the same buckets, never separate counts.
    """
    return sliding_sums(bucket_starts_s, values, grain_s, grain_s)

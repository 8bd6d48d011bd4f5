"""The course of the day that is expected of a bucket, from the expected values of hours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
BUCKET_S = 10
HOUR_S = 3600


class Course:
    """Expected values of hours as a line through time: even steps from the middle of an hour to the next one's.

    hour_starts_s: (h,) consecutive; hours: (h, sites, series). Where a series has no course it is 1.
    """

    def __init__(self, hour_starts_s: NDArray[np.int64], hours: Values) -> None:
        self._first_s = int(hour_starts_s[0])
        padded = np.concatenate([hours[:1], hours, hours[-1:]])
        kink = padded[:-2] - 2.0 * padded[1:-1] + padded[2:]
        # So that the line's mean over each hour is the hour's value (to first order).
        middles = hours - kink / 8.0
        usual = hours.mean(axis=0)  # NaN where one hour is
        self.known: Flags = usual > 0
        least = np.where(self.known, 0.01 * usual, 1.0)
        self._middles = np.where(self.known, np.maximum(middles, least), 1.0)
        self._bends = np.where(self.known, np.abs(kink) / np.maximum(hours, least), 0.0)

    def at(self, start_s: int) -> Values:
        """(sites, series) for the bucket that starts there."""
        before, share = self._place(start_s)
        return np.asarray(self._middles[before] * (1.0 - share) + self._middles[before + 1] * share)

    def bend(self, start_s: int) -> Values:
        """How abruptly it changes there: second difference of the hours, relative."""
        before, _ = self._place(start_s)
        return np.asarray(np.maximum(self._bends[before], self._bends[before + 1]))

    def _place(self, start_s: int) -> tuple[int, float]:
        hours = (start_s + BUCKET_S / 2 - self._first_s) / HOUR_S - 0.5
        hours = min(max(hours, 0.0), len(self._middles) - 1.000001)
        return int(hours), hours - int(hours)

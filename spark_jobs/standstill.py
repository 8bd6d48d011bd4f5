"""What is known of a closed bucket: zero is zero only while counting went on.

A bucket is closed once everything that Kafka had received by its end, and a moment more, is counted. The moment up
to which that holds moves on in small steps; a jump means that counting stood still (no driver, no Kafka, no
Postgres, or a backlog). A bucket of such a time that holds lines is known, one that stayed empty is not: nobody can
tell whether nothing came or nobody could send. Where records were lost, none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spark_jobs.trend_course import BUCKET_S

# Several heartbeats; a driver that was killed and is counting again at once is within it.
LONGEST_STEP_S = 30.0


@dataclass(frozen=True)
class Standstill:
    """[start_s, end_s) in epoch seconds."""

    start_s: float
    end_s: float
    records_lost: bool = False


def standstill_between(before_s: float | None, now_s: float, records_lost: bool) -> Standstill | None:
    """What a step of the caught-up moment says; None when counting went on, or there is no step before."""
    if before_s is None or now_s <= before_s or (now_s - before_s <= LONGEST_STEP_S and not records_lost):
        return None
    return Standstill(before_s, now_s, records_lost)


def known(first: int, hits: NDArray[np.int64], standstills: Sequence[Standstill]) -> NDArray[np.bool_]:
    """Which of the buckets first, first + 1, … (bucket numbers) with so many hits of a site are known."""
    starts_s = (first + np.arange(len(hits))) * BUCKET_S
    result = np.ones(len(hits), np.bool_)
    for span in standstills:
        inside = (starts_s + BUCKET_S > span.start_s) & (starts_s < span.end_s)
        result &= ~(inside & ((hits == 0) | span.records_lost))
    return result

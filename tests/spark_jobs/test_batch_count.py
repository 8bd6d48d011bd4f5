"""What one Spark task does around its counting."""

from __future__ import annotations

import gc

from spark_jobs.batch_count import TASKS_A_COLLECTION, count_task
from spark_jobs.visitor_hash import PeriodKeys


def test_the_collector_leaves_out_what_caches_hold_but_goes_through_all_now_and_then() -> None:
    frozen = []
    try:
        for _ in range(TASKS_A_COLLECTION):
            list(count_task([], 0.0, {}, PeriodKeys("month", {})))
            frozen.append(gc.get_freeze_count())
    finally:
        gc.unfreeze()
    assert frozen.count(0) == 1
    assert max(frozen) > 10_000
    assert gc.isenabled()

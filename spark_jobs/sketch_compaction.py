"""Sixty sketches of an hour become one: nothing is lost, because a union is all that is ever asked of them."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from spark_jobs.count_tables import SKETCHES, merged_sketches
from spark_jobs.table_writer import sketch_keys
from sql.warehouse import Warehouse, rows, run

HOURS_A_TRANSACTION = 24  # few, because the stream waits meanwhile


def compact_sketches(warehouse: Warehouse, before: datetime) -> int:
    """Unite the minutes of hours that ended before a moment; returns how many sketches there are fewer.

    The lease's lock keeps the stream job from changing a sketch that is being united. A late line puts a minute
    beside the hour's sketch again, until the next time.
    """
    fewer = 0
    while True:
        with warehouse.transaction() as cursor:
            rows(cursor, "stream/lock_lease")
            found = rows(cursor, "stream/sketches_to_compact", {"before": before, "hours": HOURS_A_TRANSACTION})
            if not found:
                return fewer
            spread = pa.Table.from_pylist([row | {"sketch": bytes(row["sketch"])} for row in found], schema=SKETCHES)
            compact = merged_sketches(spread)
            keys = sketch_keys(compact)
            run(cursor, "stream/write_sketches", keys | {"sketches": compact["sketch"].to_pylist()})
            run(cursor, "stream/delete_minutes", {name: keys[name] for name in ("sites", "minute_starts")})
            fewer += spread.num_rows - compact.num_rows

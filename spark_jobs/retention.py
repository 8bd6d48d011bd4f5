"""What is kept how long: old detail is summed up or deleted, in small transactions between the stream job's batches.

Nothing here changes a published number. Hours and days go only when their report includes every line and has been
left alone for the time kept (docs/privacy.md, docs/decisions/0035-retention.md).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from spark_jobs.visitor_sketches import united
from sql.warehouse import Warehouse, rows, run

# Of one transaction: while it lasts, the stream job's batch waits.
HOURS_AT_ONCE = 24
DAYS_AT_ONCE = 1
SCATTERED_AT_ONCE = 500
KEEP_MINUTES = timedelta(days=3)


def compact_hours(warehouse: Warehouse, as_of: datetime, days: int) -> int:
    """Sum up the 10-second buckets of hours settled so many days ago; returns the number of hours."""
    return _until_done(warehouse, "retention/compact_hours", as_of - timedelta(days=days), HOURS_AT_ONCE)


def expire_visits(warehouse: Warehouse, as_of: datetime, days: int) -> int:
    """Delete the visits of days settled so many days ago; returns the number of visits."""
    return _until_done(warehouse, "retention/expire_visits", as_of - timedelta(days=days), DAYS_AT_ONCE)


def expire_sketches(warehouse: Warehouse, as_of: datetime, days: int) -> int:
    """Delete the visitor sketches of hours settled so many days ago; returns the number of sketches."""
    return _until_done(warehouse, "retention/expire_sketches", as_of - timedelta(days=days), HOURS_AT_ONCE)


def _until_done(warehouse: Warehouse, name: str, settled_before: datetime, most: int) -> int:
    total = 0
    while done := int(warehouse.row(name, {"settled_before": settled_before, "most": most})["done"]):
        total += done
    return total


def compact_sketches(warehouse: Warehouse, as_of: datetime) -> int:
    """Unite the minute sketches of hours that began three days ago or earlier; returns the number of site hours.

    Sketches under different keys and of different classes stay apart. A line that comes later makes a minute of its
    own, which the next run unites.
    """
    compacted = 0
    search = {"before": as_of - KEEP_MINUTES, "most": SCATTERED_AT_ONCE}
    while scattered := warehouse.rows("retention/scattered_hours", search):
        for hour in scattered:
            with warehouse.transaction() as cursor:
                rows(cursor, "stream/lock_lease")
                sketches: dict[tuple[str, str], list[bytes]] = defaultdict(list)
                for row in rows(cursor, "retention/sketches_of_hour", hour):
                    sketches[row["key_id"], row["agent_class"]].append(bytes(row["sketch"]))
                for (key_id, agent_class), parts in sketches.items():
                    whole = {"key_id": key_id, "agent_class": agent_class, "sketch": united(parts)}
                    run(cursor, "retention/keep_sketch", hour | whole)
            compacted += 1
    return compacted

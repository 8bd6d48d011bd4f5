"""What is kept how long: old detail is summed up or deleted, in small transactions between the stream job's batches.

Nothing here changes a published number. Hours and days go only when their report includes every line and has been
left alone for the time kept (docs/privacy.md, docs/decisions/0037-retention.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sql.warehouse import Warehouse

# Of one transaction: while it lasts, the stream job's batch waits.
HOURS_AT_ONCE = 24
DAYS_AT_ONCE = 1


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

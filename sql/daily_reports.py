"""Publishes day reports: traffic and visitors from the hour reports, and the visits that began on the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sql.hourly_reports import again
from sql.visitor_union import unite_hours
from sql.warehouse import Warehouse, rows, run, run_many


@dataclass(frozen=True)
class PublishedDay:
    """A revision of one UTC day's report, made of ``hours`` hour reports."""

    site: str
    day_start: datetime
    revision: int
    hours: int
    hits_delta: int


@dataclass(frozen=True)
class PublishedVisits:
    """A revision of the report of the visits that began on a UTC day."""

    site: str
    day_start: datetime
    revision: int
    cause: str
    visits_delta: int


@again
def publish_days(
    warehouse: Warehouse, as_of: datetime, start: datetime | None = None, end: datetime | None = None
) -> list[PublishedDay]:
    """Report each closed UTC day of which an hour report changed; returns the revisions made.

    as_of decides what is closed (a day closes 5 minutes after its end); start, end: half-open range of day
    starts, None = no bound. A rerun returns nothing. warehouse: role footfall_reporter.
    """
    with warehouse.transaction(isolation="REPEATABLE READ") as cursor:
        run(cursor, "reports/lock_publishing")
        run(cursor, "reports/collect_days", {"as_of": as_of, "start": start, "end_": end})
        made = rows(cursor, "reports/publish_days")
        for day in made:
            key = {name: day[name] for name in ("site", "day_start", "revision")}
            united = unite_hours(rows(cursor, "reports/day_sketches", key))
            run_many(cursor, "reports/add_day_visitors", (key | visitors for visitors in united))
    return [PublishedDay(**revision) for revision in made]


@again
def publish_visits(
    warehouse: Warehouse, as_of: datetime, start: datetime | None = None, end: datetime | None = None
) -> list[PublishedVisits]:
    """Report the visits of each UTC day whose visits have ended, or that ended a day ago; returns the revisions made.

    as_of decides what has ended (a visit 35 minutes after its last hit); start, end: half-open range of day
    starts, None = no bound. Visits that changed after a report make the next revision, with its cause. A rerun
    returns nothing. warehouse: role footfall_reporter.
    """
    with warehouse.transaction(isolation="REPEATABLE READ") as cursor:
        run(cursor, "reports/lock_publishing")
        made = rows(cursor, "reports/publish_visits", {"as_of": as_of, "start": start, "end_": end})
    return [PublishedVisits(**revision) for revision in made]

"""Publishes hour reports from what the stream counted, as revisions that are never changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

from sql.visitor_union import unite_minutes
from sql.warehouse import DatabaseError, Warehouse, rows, run, run_many

# Hours of one transaction: few enough that a long back-fill keeps what it has done when it is stopped.
HOURS_A_TRANSACTION = 48


@dataclass(frozen=True)
class PublishedHour:
    """A revision of one hour's report; ``hits_delta`` is what moved against the revision before."""

    site: str
    hour_start: datetime
    revision: int
    cause: str
    hits_delta: int


@dataclass(frozen=True)
class OpenHour:
    """An hour with traffic that is not reported yet, because it closes only at ``closes_at``."""

    site: str
    hour_start: datetime
    closes_at: datetime


def _worth_another_try(error: BaseException) -> bool:
    """A serialization failure or a deadlock: Postgres asks for the same transaction again."""
    return isinstance(error, DatabaseError) and error.pgcode in {"40001", "40P01"}


again = retry(
    retry=retry_if_exception(_worth_another_try),
    wait=wait_random_exponential(multiplier=0.1, max=5),
    stop=stop_after_attempt(10),
    reraise=True,
)


def publish_hours(
    warehouse: Warehouse, as_of: datetime, start: datetime | None = None, end: datetime | None = None
) -> list[PublishedHour]:
    """Report each closed hour that has no report or was added to since; returns the revisions made.

    as_of decides what is closed (an hour closes 5 minutes after its end); start, end: half-open range of hour
    starts, None = no bound. Hours of the range that are not closed are in ``open_hours``. A rerun returns
    nothing, and any number of runs at once publish each revision once. warehouse: role footfall_reporter.
    """
    due = warehouse.rows("reports/due_hours", {"as_of": as_of, "start": start, "end_": end})
    published: list[PublishedHour] = []
    for first in range(0, len(due), HOURS_A_TRANSACTION):
        hours = due[first : first + HOURS_A_TRANSACTION]
        published += _publish(warehouse, [hour["site"] for hour in hours], [hour["hour_start"] for hour in hours])
    return published


@again
def _publish(warehouse: Warehouse, sites: list[str], hour_starts: list[datetime]) -> list[PublishedHour]:
    with warehouse.transaction(isolation="REPEATABLE READ") as cursor:
        run(cursor, "reports/lock_publishing")
        run(cursor, "reports/collect_hours", {"sites": sites, "hour_starts": hour_starts})
        run_many(cursor, "reports/add_visitors", unite_minutes(rows(cursor, "reports/minute_sketches")))
        run(cursor, "reports/compare_hours")
        made = rows(cursor, "reports/publish_hours")
    return [PublishedHour(**revision) for revision in made]


def open_hours(
    warehouse: Warehouse, as_of: datetime, start: datetime | None = None, end: datetime | None = None
) -> list[OpenHour]:
    """Hours of the range that have traffic but are not closed as of ``as_of``: publish_hours leaves them out."""
    found = warehouse.rows("reports/open_hours", {"as_of": as_of, "start": start, "end_": end})
    return [OpenHour(**hour) for hour in found]

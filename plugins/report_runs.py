"""What the report DAGs do in their tasks: parameters in, reports and seals out, said in the task's log."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time

from airflow.sdk.exceptions import AirflowFailException

from settings import Settings
from sql.daily_reports import publish_days, publish_visits
from sql.hourly_reports import open_hours, publish_hours
from sql.warehouse import Warehouse

log = logging.getLogger(__name__)


def reporter(settings: Settings) -> Warehouse:
    return Warehouse(settings.dsn("footfall_reporter"), "footfall-airflow-reports", statement_timeout_s=1800.0)


def publish_due_hours(as_of: datetime, start: str | None, end: str | None) -> int:
    """Publish what is due; ``start``, ``end``: RFC 3339 or None. Returns the number of revisions."""
    first, until = parse_range(start, end)
    with reporter(Settings()) as warehouse:
        published = publish_hours(warehouse, as_of, first, until)
        still_open = open_hours(warehouse, as_of, first, until)
    for hour in published:
        log.info(
            "%s %s revision %d (%s, %+d hits)",
            *(hour.site, f"{hour.hour_start:%Y-%m-%dT%H:%MZ}", hour.revision, hour.cause, hour.hits_delta),
        )
    for waiting in still_open:
        log.info(
            "%s %s closes at %s",
            *(waiting.site, f"{waiting.hour_start:%Y-%m-%dT%H:%MZ}", f"{waiting.closes_at:%Y-%m-%dT%H:%MZ}"),
        )
    log.info("%d revisions published, %d hours still open", len(published), len(still_open))
    return len(published)


def publish_due_days(as_of: datetime, start: str | None, end: str | None) -> int:
    """Publish the days whose hours changed; ``start``, ``end``: ISO dates or None. Returns how many revisions."""
    first, until = _days(start, end)
    with reporter(Settings()) as warehouse:
        published = publish_days(warehouse, as_of, first, until)
    for day in published:
        log.info(
            "%s %s revision %d (%d hours, %+d hits)",
            *(day.site, f"{day.day_start:%Y-%m-%d}", day.revision, day.hours, day.hits_delta),
        )
    return len(published)


def publish_due_visits(as_of: datetime, start: str | None, end: str | None) -> int:
    """Publish the visits of the days whose visits have ended; ``start``, ``end``: as above. Returns the number."""
    first, until = _days(start, end)
    with reporter(Settings()) as warehouse:
        published = publish_visits(warehouse, as_of, first, until)
    for day in published:
        log.info(
            "%s %s visits revision %d (%s, %+d visits)",
            *(day.site, f"{day.day_start:%Y-%m-%d}", day.revision, day.cause, day.visits_delta),
        )
    return len(published)


def _days(start: str | None, end: str | None) -> list[datetime | None]:
    return [datetime.combine(date.fromisoformat(day), time(), UTC) if day else None for day in (start, end)]


def seal_reports(run_label: str, as_of: datetime) -> None:
    """Validate and seal all unsealed revisions."""
    from expectations.run import validate_unsealed

    with reporter(Settings()) as warehouse:
        log.info("%s", validate_unsealed(warehouse, run_label, as_of))


def parse_range(start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    """Times with an offset; one without is taken for UTC. AirflowFailException names what is wrong."""
    first, until = (text and _utc(datetime.fromisoformat(text)) for text in (start, end))
    if first and until and first >= until:
        raise AirflowFailException(f"start {start} is not before end {end}")
    return first or None, until or None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

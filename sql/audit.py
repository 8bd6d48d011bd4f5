"""What an audit reads of one moment, and what it writes of its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sql.warehouse import Cursor, Warehouse, copy_out, rows, run_many

Verdict = Literal["equal", "differs", "unchecked"]
LONGEST_REASON = 500


@dataclass(frozen=True)
class TouchedHour:
    """An hour of a site that has traffic. state: reported (up to date), dirty (late data waits) or unreported."""

    site: str
    hour_start: datetime
    revision: int | None
    state: Literal["reported", "dirty", "unreported"]


@dataclass(frozen=True)
class HourRange:
    """Offsets [from_offset, until_offset) of a partition that hold accepted records of an hour."""

    hour_start: datetime
    topic_id: str
    kafka_partition: int
    from_offset: int
    until_offset: int


@dataclass(frozen=True)
class VisitorPeriod:
    """A period under one name of visitor keys; with two keys nobody can tell which line was counted under which."""

    period_start: datetime
    period_end: datetime
    keys: int


@dataclass(frozen=True)
class ReportedDay:
    """A site's day with a report. visit_ledger_id: last ledger row in its visits; None without a report of them.

    waits: an hour of it has a newer revision than the day's report knows.
    """

    site: str
    day_start: datetime
    waits: bool
    visit_ledger_id: int | None


@dataclass(frozen=True)
class AuditedHour:
    """What an audit says of an hour."""

    site: str
    hour_start: datetime
    revision: int | None
    verdict: Verdict
    cells_differing: int
    reason: str


@dataclass(frozen=True)
class Difference:
    """A figure in which report and records differ; hour_start is the start of the report's hour, day or month."""

    report: str
    site: str
    hour_start: datetime
    key: str
    figure: str
    reported: str | None
    recomputed: str | None


@dataclass(frozen=True)
class Outcome:
    """An audit's row in ``quality.audit``; the table's comments say what each is."""

    status: Literal["equal", "differs", "unchecked", "broken"]
    ledger_id: int | None = None
    hours_checked: int = 0
    hours_unchecked: int = 0
    records_read: int = 0
    offsets_gone: int = 0
    cells_compared: int = 0
    cells_differing: int = 0
    estimates: int = 0
    estimates_beyond_bound: int = 0
    visitors_error: int | None = None
    visitors_error_bound: int | None = None
    latency_error: float | None = None
    notes: str = ""
    error: str | None = None


class AuditRunning(Exception):
    """Another audit runs: one at a time."""


def start_audit(warehouse: Warehouse, run_label: str, start: datetime, end: datetime) -> int:
    """Take the lock that this connection then holds, and note that an audit of [start, end) begins.

    Raises AuditRunning. warehouse: role footfall_reporter.
    """
    if not warehouse.row("audit/lock_audits")["free"]:
        raise AuditRunning("another audit runs: wait for its end, or stop it")
    warehouse.run("audit/close_dead_audits")
    period = {"run_label": run_label, "audited_from": start, "audited_until": end}
    return int(warehouse.row("audit/start_audit", period)["audit_id"])


def finish_audit(
    warehouse: Warehouse,
    audit_id: int,
    outcome: Outcome,
    hours: Sequence[AuditedHour] = (),
    differences: Sequence[Difference] = (),
    ranges: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Write the outcome in one transaction. ranges: rows of ``quality.audit_range``."""
    of = {"audit_id": audit_id}
    with warehouse.transaction() as cursor:
        run_many(cursor, "audit/write_hour", [of | asdict(hour) for hour in hours])
        run_many(cursor, "audit/write_difference", [of | asdict(difference) for difference in differences])
        run_many(cursor, "audit/write_range", [of | dict(one) for one in ranges])
        run_many(cursor, "audit/finish_audit", [of | asdict(outcome)])


class Snapshot:
    """Reports, ledger and index of one moment; all questions are asked within one REPEATABLE READ transaction."""

    def __init__(self, cursor: Cursor, topic_id: str) -> None:
        self._cursor = cursor
        position = rows(cursor, "audit/ledger_position", {"topic_id": topic_id})[0]
        self.ledger_id = int(position["ledger_id"])
        self.other_incarnations = bool(position["other_incarnations"])
        self._topic_id = topic_id

    def other_rules_until(self, rules_version: int) -> int:
        """Last number in the ledger that another version of the agents' rules has counted."""
        found = rows(self._cursor, "audit/rules_in_force")
        ours = found and found[0]["rules_version"] == rules_version
        return int(found[0]["ledger_id"]) if ours else self.ledger_id

    def hours(self, start: datetime, end: datetime) -> list[TouchedHour]:
        return [TouchedHour(**row) for row in rows(self._cursor, "audit/hours", {"start": start, "end_": end})]

    def hour_ranges(self, start: datetime, end: datetime) -> list[HourRange]:
        return [HourRange(**row) for row in rows(self._cursor, "audit/hour_ranges", {"start": start, "end_": end})]

    def visitor_periods(self, start: datetime, end: datetime) -> list[VisitorPeriod]:
        found = rows(self._cursor, "audit/visitor_periods", {"start": start, "end_": end})
        return [VisitorPeriod(**row) for row in found]

    def days(self, start: datetime, end: datetime) -> list[ReportedDay]:
        return [ReportedDay(**row) for row in rows(self._cursor, "audit/days", {"start": start, "end_": end})]

    def copy_ledger(self, path: Path) -> None:
        """CSV of ``sql/audit/ledger.sql``."""
        self._copy("audit/ledger", {"topic_id": self._topic_id}, path)

    def copy_own_rows(self, start: datetime, end: datetime, path: Path) -> None:
        """CSV of ``sql/audit/own_rows.sql``."""
        self._copy("audit/own_rows", {"start": start, "end_": end}, path)

    def copy_published(self, start: datetime, end: datetime, path: Path) -> None:
        """CSV of ``sql/audit/published_cells.sql``."""
        self._copy("audit/published_cells", {"start": start, "end_": end}, path)

    def _copy(self, name: str, parameters: Mapping[str, Any], path: Path) -> None:
        with path.open("wb") as file:
            copy_out(self._cursor, name, parameters, file)

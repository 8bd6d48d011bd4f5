"""Detached jobs as the database knows them: launches, the lease, and what is wished of the stream job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sql.warehouse import Row, Warehouse

Job = Literal["traffic_stream", "log_generator"]
Wish = Literal["running", "stopped"]


@dataclass(frozen=True)
class Launch:
    """One start of a detached job; pid and start time are None until its process is known."""

    launch_id: str
    job: Job
    host: str
    pid: int | None
    process_started_at: datetime | None
    epoch: int | None
    log_path: str
    ended_at: datetime | None
    end_reason: str | None
    age_seconds: float


@dataclass(frozen=True)
class LeaseStatus:
    """The stream job's lease; ages in seconds, None when it has never happened."""

    epoch: int
    owner: str | None
    desired_state: Wish
    state: str
    message: str
    lag_records: int | None
    records_per_second: float | None
    heartbeat_age_seconds: float | None
    batch_age_seconds: float | None


@dataclass(frozen=True)
class Failures:
    """Launches that ended lately without having been asked to."""

    failures: int
    seconds_since_last: float
    last_reason: str


@dataclass(frozen=True)
class CountedSource:
    """How far a source has been counted; see ``sql/monitoring/counted_sources.sql``."""

    source: str
    lines: int
    highest_line: int
    complete: bool
    reached: bool


def read_lease(warehouse: Warehouse) -> LeaseStatus:
    return LeaseStatus(**warehouse.row("stream/lease_read"))


def wish(warehouse: Warehouse, desired_state: Wish) -> None:
    """Ask the stream job to run, or to stop after its batch."""
    warehouse.run("stream/lease_wish", {"desired_state": desired_state})


def open_launches(warehouse: Warehouse, job: Job) -> list[Launch]:
    """Launches that have not been seen to end, the newest first."""
    return [_launch(row) for row in warehouse.rows("stream/launch_open", {"job": job})]


def read_launch(warehouse: Warehouse, launch_id: str) -> Launch | None:
    found = warehouse.rows("stream/launch_by_id", {"launch_id": launch_id})
    return _launch(found[0]) if found else None


def record_launch(warehouse: Warehouse, launch_id: str, job: Job, host: str, log_path: str) -> None:
    """Write a launch down before its process exists."""
    warehouse.run("stream/launch_record", {"launch_id": launch_id, "job": job, "host": host, "log_path": log_path})


def record_process(warehouse: Warehouse, launch: Launch, pid: int, started_at: datetime) -> None:
    """Note the process of a launch; the process itself notes the same."""
    warehouse.run(
        "stream/register_process",
        {
            "launch_id": launch.launch_id,
            "job": launch.job,
            "host": launch.host,
            "pid": pid,
            "process_started_at": started_at,
            "log_path": launch.log_path,
        },
    )


def end_launch(warehouse: Warehouse, launch: Launch, reason: str) -> None:
    """Note that a launch ended; the first reason stays, so the process's own word wins."""
    warehouse.run("stream/end_launch", {"launch_id": launch.launch_id, "end_reason": reason})


def end_lease(warehouse: Warehouse, epoch: int, message: str) -> None:
    """Say on the lease that its job failed; changes nothing when a newer launch holds it."""
    warehouse.run("stream/end_lease", {"epoch": epoch, "state": "failed", "message": message[:500]})


def recent_failures(warehouse: Warehouse, job: Job, within_seconds: float) -> Failures:
    return Failures(**warehouse.row("stream/launch_failures", {"job": job, "within_seconds": within_seconds}))


def say_no_job_runs(warehouse: Warehouse, message: str) -> None:
    """Say on the lease why no stream job runs just now."""
    warehouse.run("stream/launch_backoff", {"message": message[:500]})


def counted_sources(warehouse: Warehouse, lines: Mapping[str, int]) -> list[CountedSource]:
    """How far sources have been counted; ``lines``: source -> line asked for."""
    found = warehouse.rows("monitoring/counted_sources", {"sources": list(lines), "lines": list(lines.values())})
    return [CountedSource(**row) for row in found]


def expire_rejected_samples(warehouse: Warehouse, as_of: datetime, days: int) -> int:
    """Delete samples of rejected records received more than so many days before ``as_of``; returns how many."""
    return warehouse.run("stream/expire_rejected_samples", {"as_of": as_of, "days": days})


def _launch(row: Row) -> Launch:
    return Launch(**row)

"""What the platform says of itself: the stream job, the ledger, the hours. For status screens, triggers and DAGs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sql.warehouse import Row, Warehouse


@dataclass(frozen=True)
class StreamStatus:
    """The stream job's row (view ``report.stream_status``); ages in seconds, None before the first time."""

    state: str
    desired_state: str
    message: str
    epoch: int
    started_at: datetime | None
    heartbeat_at: datetime | None
    heartbeat_age_seconds: float | None
    last_batch_at: datetime | None
    last_batch_age_seconds: float | None
    last_batch_seconds: float | None
    lag_records: int | None
    records_per_second: float | None
    last_ledger_id: int | None
    trend_error: str = ""


@dataclass(frozen=True)
class LedgerTotal:
    """Records by what became of them: consumed = accepted + rejected + duplicate; lost were never read."""

    consumed: int
    accepted: int
    rejected: int
    duplicate: int
    unsourced: int
    lost: int


@dataclass(frozen=True)
class HourSummary:
    """Number of hours by state and by seal, over all sites."""

    hours: int
    hours_open: int
    hours_due: int
    hours_reported: int
    hours_dirty: int
    seals_green: int
    seals_amber: int
    seals_red: int
    seals_unchecked: int
    last_made_at: datetime | None
    last_sealed_at: datetime | None


@dataclass(frozen=True)
class SourceProgress:
    """How many lines of one source are counted or rejected; ``lines_missing`` are gaps before ``last_line``."""

    source: str
    site: str
    lines_counted: int
    last_line: int
    lines_missing: int
    first_seen_at: datetime
    last_seen_at: datetime


def read_stream_status(warehouse: Warehouse) -> StreamStatus:
    """The stream job's state; any role of ours may ask (footfall_reader does)."""
    return StreamStatus(**warehouse.row("monitoring/stream_status"))


def read_ledger_total(warehouse: Warehouse) -> LedgerTotal:
    """Totals over the whole ledger: a scan of it, so not for every second."""
    return LedgerTotal(**warehouse.row("monitoring/ledger_total"))


def read_hour_summary(warehouse: Warehouse) -> HourSummary:
    """Hours reported, due, dirty, and their seals."""
    return HourSummary(**warehouse.row("monitoring/hour_summary"))


def read_site_totals(warehouse: Warehouse) -> list[Row]:
    """Live totals, one row a site, the busiest first (columns of ``report.live_total``)."""
    return warehouse.rows("monitoring/site_totals")


def read_rejected_reasons(warehouse: Warehouse, most: int = 20) -> list[Row]:
    """Reasons of rejection with their number of records, the most frequent first."""
    return warehouse.rows("monitoring/rejected_reasons", {"most": most})


def read_source_progress(warehouse: Warehouse, source: str) -> SourceProgress | None:
    """How far one source is counted; None while none of its lines is."""
    found = warehouse.rows("monitoring/source_progress", {"source": source})
    return SourceProgress(**found[0]) if found else None


def read_rejected_lines(warehouse: Warehouse, source: str, most: int = 100) -> list[Row]:
    """Line numbers (``seq``) and reasons of one source's rejected lines, as far as samples are kept."""
    return warehouse.rows("monitoring/rejected_lines", {"source": source, "most": most})


def stream_troubles(status: StreamStatus, stalled_after_s: float) -> list[str]:
    """What is wrong with the stream job, in words; empty when it is well or stopped as wished."""
    if status.desired_state == "stopped":
        return [] if status.state == "stopped" else [f"stream job: asked to stop, still {status.state}"]
    said = f": {status.message}" if status.message else ""
    if status.heartbeat_age_seconds is None:
        return ["stream job: never started"]
    if status.state in {"stopped", "failed"}:
        return [f"stream job: {status.state}{said}"]
    if status.heartbeat_age_seconds > stalled_after_s:
        return [f"stream job: no sign of life for {status.heartbeat_age_seconds:.0f} s (was {status.state}){said}"]
    found = [f"stream job: waiting{said}"] if status.state == "waiting" else []
    if status.trend_error:
        found.append(f"trends do not follow the sites (counting goes on): {status.trend_error}")
    return found

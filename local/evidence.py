"""``make evidence``: from a number in a report to the lines behind it, as long as Kafka keeps them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from local.steps import StepFailed
from settings import Settings
from spark_jobs.evidence import Wanted
from spark_jobs.evidence_search import Evidence, Range, search
from spark_jobs.kafka_topic import TopicMissing
from spark_jobs.request_names import OTHER
from sql.warehouse import Row, Warehouse

_STATUS = re.compile(r"([1-5])(?:xx)?|([1-5][0-9][0-9])", re.IGNORECASE)


def show_evidence(
    settings: Settings, site: str, hour: str, path: str, status: str, limit: int, as_json: bool, console: Console
) -> None:
    """Find and print.

    StepFailed when hour or status cannot be read, the site has no traffic in that hour, or the page is (other).
    """
    wanted = Wanted(site, hour_of(hour), path or None, status_of(status))
    if path == OTHER:
        raise StepFailed(
            f"{OTHER} is no page but the sum of all pages that have no row of their own on that day",
            "leave PAGE out: each of the hour's lines comes with its path; STATUS=404 or STATUS=4xx narrows them, "
            "LIMIT=500 shows more. report.current_hourly_page lists the pages that have a row",
        )
    with Warehouse(settings.dsn("footfall_reader"), "footfall-evidence", statement_timeout_s=30.0) as warehouse:
        rows = warehouse.rows("stack/evidence", {"site": wanted.site, "hour_start": wanted.hour_start})
    if not rows:
        raise StepFailed(
            f"nothing is counted for the site {site!r} in the hour from {wanted.hour_start:%Y-%m-%d %H:%M} UTC",
            'make sql Q="select site, hour_start, state from report.hour_state order by 2 desc limit 20"',
        )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        found = find(settings, wanted, rows, limit, bar)
    if as_json:
        console.file.write(msgspec.json.encode(found).decode("utf-8") + "\n")
    else:
        _print(found, console)


def hour_of(text: str) -> datetime:
    """``2026-11-25T10``, ``2026-11-25 10:00`` or with an offset: the start of an hour, UTC unless it says so."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.minute or moment.second or moment.microsecond:
        raise StepFailed(
            f"HOUR is the start of an hour, not {text!r}", "for example HOUR=2026-11-25T10, which is UTC"
        )
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def status_of(text: str) -> int | None:
    """``404``, or a class as ``4`` or ``4xx``; None when empty."""
    if not text.strip():
        return None
    match = _STATUS.fullmatch(text.strip())
    if match is None:
        raise StepFailed(
            f"STATUS is a status or a class of them, not {text!r}", "for example STATUS=404 or STATUS=4xx"
        )
    return int(match[1] or match[2])


def find(settings: Settings, wanted: Wanted, rows: list[Row], limit: int, bar: Progress) -> Evidence:
    """Read every range that Kafka still holds; rows: of ``report.evidence``."""
    task = bar.add_task("reading Kafka", total=None)

    def told(span: Range, ranges: int) -> None:
        bar.update(task, total=ranges, advance=1)

    try:
        return search(settings, wanted, rows, limit, on_range=told)
    except TopicMissing as error:
        raise StepFailed(f"{error}: the records are gone, the counts stay") from error


def _print(found: Evidence, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("partition@offset", "time UTC", "from", "request", "status", "bytes", "ms", "agent", "referrer"):
        table.add_column(heading, overflow="fold")
    for event in found.events:
        cells = (
            f"{event.kafka_partition}@{event.kafka_offset}" + (" repeat" if event.repeated else ""),
            f"{event.ts:%H:%M:%S}.{event.ts.microsecond // 1000:03d}",
            f"{event.network} {event.country}".strip(),
            " ".join([event.method, event.path, *(f"{name}={value}" for name, value in event.campaign.items())]),
            str(event.status),
            f"{event.bytes_sent:,}",
            "" if event.latency_ms is None else f"{event.latency_ms:,.1f}",
            f"{event.agent_class}: {event.browser} ({event.rule})",
            event.referrer,
        )
        table.add_row(*(Text(cell) for cell in cells))  # Text: what a stranger typed is no markup
    if found.events:
        console.print(table)
    read = sum(span.records for span in found.ranges)
    console.print(
        f"{found.lines:,} lines in {read:,} records read, {found.more:,} more than are shown", soft_wrap=True
    )
    if found.repeats:
        console.print(f"{found.repeats:,} records repeat a line that is counted once", soft_wrap=True)
    for span in found.gone:
        words = f"Kafka no longer has {span.topic} partition {span.kafka_partition}, "
        console.print(f"{words}offsets {span.from_offset:,} to {span.until_offset - 1:,}", soft_wrap=True)
    if found.gone:
        console.print("What was counted from there stays in the reports; its lines are deleted.", soft_wrap=True)

"""``make evidence``: from a number in a report to the lines behind it, as long as Kafka keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from local.steps import StepFailed
from settings import Settings
from spark_jobs.evidence import EvidenceReader, Shown, Wanted
from spark_jobs.kafka_topic import KafkaTopic, TopicMissing, TopicState
from sql.warehouse import Row, Warehouse

_STATUS = re.compile(r"([1-5])(?:xx)?|([1-5][0-9][0-9])", re.IGNORECASE)


class Range(msgspec.Struct, frozen=True):
    """Offsets [from_offset, until_offset) of a partition; records: at most so many are in it."""

    topic: str
    kafka_partition: int
    from_offset: int
    until_offset: int

    @property
    def records(self) -> int:
        return self.until_offset - self.from_offset


class Evidence(msgspec.Struct):
    """What was found: the first records of a cell, how many more there are, and what Kafka no longer has."""

    site: str
    hour_start: datetime
    ranges: list[Range]
    gone: list[Range]
    events: list[Shown]
    lines: int = 0  # records of the cell, repeats left out: what the report counts, while nothing is gone
    repeats: int = 0
    more: int = 0


def show_evidence(
    settings: Settings, site: str, hour: str, path: str, status: str, limit: int, as_json: bool, console: Console
) -> None:
    """Find and print. StepFailed when hour or status cannot be read, or the site has no traffic in that hour."""
    wanted = Wanted(site, hour_of(hour), path or None, status_of(status))
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
    with closing(KafkaTopic(settings.kafka_python_options("footfall_stream"), settings.topic)) as topic:
        try:
            state = topic.state()
        except TopicMissing as error:
            raise StepFailed(f"{error}: the records are gone, the counts stay") from error
        ranges, gone = split(rows, state)
        found = Evidence(wanted.site, wanted.hour_start, ranges, gone, [])
        reader = EvidenceReader(wanted)
        task = bar.add_task("reading Kafka", total=sum(span.records for span in ranges))
        for span in ranges:
            for shown in _shown(topic, reader, span):
                found.repeats += shown.repeated
                found.lines += not shown.repeated
                if len(found.events) < limit:
                    found.events.append(shown)
                else:
                    found.more += 1
            bar.advance(task, span.records)
    return found


def split(rows: list[Row], state: TopicState) -> tuple[list[Range], list[Range]]:
    """(what Kafka still holds, what it has deleted by now) of ranges; another incarnation's are gone."""
    ranges, gone = [], []
    for row in rows:
        topic, partition, start, until = (
            row[name] for name in ("topic", "kafka_partition", "from_offset", "until_offset")
        )
        same = str(row["topic_id"]) == str(state.topic_id)
        earliest = min(max(start, state.earliest.get(partition, until)), until) if same else until
        if start < earliest:
            gone.append(Range(topic, partition, start, earliest))
        if earliest < until:
            ranges.append(Range(topic, partition, earliest, until))
    return ranges, gone


def _shown(topic: KafkaTopic, reader: EvidenceReader, span: Range) -> Iterator[Shown]:
    for offset, value in topic.records(span.kafka_partition, span.from_offset, span.until_offset):
        shown = reader.shown(span.kafka_partition, offset, value)
        if shown is not None:
            yield shown


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

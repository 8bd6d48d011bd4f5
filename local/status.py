"""``make status``: one screen on how the stack is; what is not well comes first and makes the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.airflow import airflow_url, login_file
from local.airflow_client import AirflowUnreachable, airflow_client
from local.supervision import socket_path
from local.supervisor_client import ProcessState, SupervisorClient
from plugins.process_identity import find_process
from settings import Settings
from spark_jobs.process_memory import memory_bytes
from sql.launches import Job, open_launches
from sql.stream_status import (
    HourSummary,
    LedgerTotal,
    StreamStatus,
    read_hour_summary,
    read_ledger_total,
    read_site_totals,
    read_stream_status,
    stream_troubles,
)
from sql.warehouse import POSTGRES_AWAY, Row, Warehouse

# DAGs that run by themselves, and what is not done while one is paused.
UNATTENDED = {
    "traffic_stream": "nobody watches the stream job",
    "hourly_traffic_report": "no hour gets its report",
    "report_quality": "no hour gets its seal",
    "daily_traffic_report": "no day gets its report",
    "maintenance": "nothing old is deleted",
    "anomaly_alert": "no anomaly is told",
    "traffic_forecast": "no forecast is made",
}
LATE_BATCH_SECONDS = 60.0
LARGE_LAG_RECORDS = 1_000_000


@dataclass(frozen=True)
class ProcessLine:
    name: str
    state: str
    pid: int | None
    memory_bytes: int

    @property
    def is_well(self) -> bool:
        return self.state in ("RUNNING", "running")


def show_status(settings: Settings, console: Console) -> list[str]:
    """Print the screen; returns what is not well, in words."""
    supervisor = SupervisorClient(socket_path(settings.home))
    if not supervisor.is_up():
        console.print("The stack is down. Start it with: make up", highlight=False)
        return ["the stack is down"]
    lines = [_supervised(state) for state in supervisor.processes()]
    trouble = [f"{line.name} is {line.state.lower()}" for line in lines if not line.is_well]
    try:
        with Warehouse(settings.dsn("footfall_writer"), "footfall-status", statement_timeout_s=30.0) as warehouse:
            lines += _detached(warehouse)
        with Warehouse(settings.dsn("footfall_reader"), "footfall-status", statement_timeout_s=30.0) as warehouse:
            stream, ledger = read_stream_status(warehouse), read_ledger_total(warehouse)
            hours, totals = read_hour_summary(warehouse), read_site_totals(warehouse)
    except POSTGRES_AWAY as error:
        _print_processes(console, lines)
        return [*trouble, f"Postgres gives no answer: {error}".strip()]
    trouble += stream_troubles(stream, settings.stalled_after_seconds)
    trouble += number_troubles(stream, ledger, hours) + _airflow_troubles(settings)
    _print_processes(console, lines)
    _print_numbers(console, stream, ledger, hours, totals)
    return trouble


def number_troubles(stream: StreamStatus, ledger: LedgerTotal, hours: HourSummary) -> list[str]:
    """What the numbers say is not well, in words, each with where to look."""
    found = []
    if stream.desired_state == "stopped":
        found.append("the stream job is wished stopped: start it with the DAG stream_control")
    lag, batch_age = stream.lag_records or 0, stream.last_batch_age_seconds or 0
    if lag > LARGE_LAG_RECORDS:
        found.append(f"the stream job is {lag:,} records behind")
    if lag > 0 and batch_age > LATE_BATCH_SECONDS:
        found.append(f"the last batch is {_age(batch_age)} old, though {lag:,} records wait")
    if ledger.lost:
        found.append(f"{ledger.lost:,} records were lost before they were counted: see report.lost_range")
    if hours.seals_red:
        found.append(f"{hours.seals_red} hours have a red seal: see quality.current_result")
    return found


def paused_troubles(dags: Mapping[str, bool]) -> list[str]:
    """What is left undone since somebody paused a DAG; dags: each with whether it is paused."""
    return [f"the DAG {name} is paused: {words}" for name, words in UNATTENDED.items() if dags.get(name, False)]


def _supervised(state: ProcessState) -> ProcessLine:
    return ProcessLine(state.name, state.state, state.pid or None, memory_bytes(state.pid) if state.pid else 0)


def _detached(warehouse: Warehouse) -> list[ProcessLine]:
    jobs: tuple[Job, ...] = ("traffic_stream", "log_generator")
    return [
        ProcessLine(launch.job, "running", process.pid, memory_bytes(process.pid))
        for job in jobs
        for launch in open_launches(warehouse, job)
        if (process := find_process(launch)) is not None
    ]


def _airflow_troubles(settings: Settings) -> list[str]:
    with airflow_client(airflow_url(settings), login_file(settings)) as airflow:
        try:
            found = [f"Airflow: {words}" for words in airflow.unhealthy()]
            found += [f"Airflow cannot import {error}" for error in airflow.import_errors()]
            found += paused_troubles(airflow.dags())
        except AirflowUnreachable as error:
            return [str(error)]
    return found


def _print_processes(console: Console, lines: Sequence[ProcessLine]) -> None:
    table = Table(box=None, pad_edge=False)
    for column, justify in (("process", "left"), ("state", "left"), ("pid", "right"), ("memory", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for line in lines:
        colour = "green" if line.is_well else "red"
        memory = f"{line.memory_bytes / 1024**2:,.0f} MB"
        table.add_row(line.name, f"[{colour}]{line.state.lower()}[/]", str(line.pid or "-"), memory)
    table.add_row("", "", "", f"{sum(line.memory_bytes for line in lines) / 1024**2:,.0f} MB", style="dim")
    console.print(table)


def _print_numbers(
    console: Console, stream: StreamStatus, ledger: LedgerTotal, hours: HourSummary, totals: Sequence[Row]
) -> None:
    rate = stream.records_per_second
    speed = "-" if rate is None else f"{rate:,.0f}"
    for name, words in (
        ("stream", f"{stream.state}, {speed} events/s" + (f": {stream.message}" if stream.message else "")),
        ("lag", f"{stream.lag_records or 0:,} records; last batch {_age(stream.last_batch_age_seconds)} ago"),
        (
            "ledger",
            f"{ledger.consumed:,} read = {ledger.accepted:,} accepted + {ledger.rejected:,} rejected "
            f"+ {ledger.duplicate:,} duplicate; {ledger.lost:,} lost",
        ),
        (
            "hours",
            f"{hours.hours_reported:,} of {hours.hours:,} reported; {hours.hours_open} open, "
            f"{hours.hours_due} due, {hours.hours_dirty} to be revised",
        ),
        (
            "seals",
            f"{hours.seals_green:,} green, {hours.seals_amber:,} amber, {hours.seals_red:,} red, "
            f"{hours.seals_unchecked:,} unchecked",
        ),
        *(
            (f"site {total['site']}", f"{total['hits']:,} hits, {total['bytes_sent']:,} bytes")
            for total in totals[:5]
        ),
    ):
        console.print(f"[bold]{escape(name):<12}[/] {escape(words)}", highlight=False, soft_wrap=True)


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

"""``make import``: ships real logs, waits until the ledger holds every line, has the hours reported and sealed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from local.airflow import airflow_url, login_file
from local.airflow_client import AirflowUnreachable, airflow_client
from local.steps import StepFailed
from producers.delivery import Delivery, DeliveryFailed
from producers.log_shipper import CannotShip, ShipProgress, ShipReport, ship
from settings import Settings
from sql.launches import counted_sources
from sql.stream_status import read_stream_status, stream_troubles
from sql.warehouse import POSTGRES_AWAY, Warehouse

REPORT_DAG = "hourly_traffic_report"
STUCK_AFTER_SECONDS = 300.0
REPORT_PATIENCE_SECONDS = 900.0
SEAL_PATIENCE_SECONDS = 600.0
POSTGRES_PATIENCE_SECONDS = 120.0
LOOK_EVERY_SECONDS = 0.5
VERDICTS = ("green", "amber", "red")


@dataclass
class HourStates:
    """Reports and seals of the touched hours: site -> start of hour -> (state, seal)."""

    hours: dict[str, dict[datetime, tuple[str, str | None]]] = field(default_factory=dict)

    def unreported(self) -> list[datetime]:
        """Closed hours whose report is missing or out of date."""
        return [hour for hour, (state, _) in self._all() if state in ("due", "dirty")]

    def unsealed(self) -> list[datetime]:
        """Reported hours without a verdict."""
        return [hour for hour, (state, seal) in self._all() if state == "reported" and seal not in VERDICTS]

    def count(self, state: str) -> int:
        return sum(1 for _, (found, _) in self._all() if found == state)

    def seals(self) -> Counter[str]:
        return Counter(seal or "unchecked" for _, (state, seal) in self._all() if state == "reported")

    def _all(self) -> list[tuple[datetime, tuple[str, str | None]]]:
        return [entry for site in self.hours.values() for entry in site.items()]


def import_logs(settings: Settings, paths: Sequence[str], site: str, log_format: str, console: Console) -> None:
    """The whole import, shown as it goes. StepFailed names what is done and what is not."""
    reader = Warehouse(settings.dsn("footfall_reader"), "footfall-import")
    watcher = Warehouse(settings.dsn("footfall_reporter"), "footfall-import")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with reader, watcher, Progress(*columns, console=console, transient=True) as bar:
        before = {row["source"]: int(row["lines_counted"]) for row in reader.rows("stack/sources")}
        report = _ship(settings, paths, site, log_format, console, bar)
        _await_counted(settings, watcher, report, bar)
        _print_lines(report, before, console)
        try:
            states = _report_hours(settings, reader, report, bar)
        except AirflowUnreachable as error:
            raise StepFailed(f"The lines are counted, but not reported yet: {error}", "make up") from error
    _print_hours(states, console)


def duplicate_lines(report: ShipReport, before: Mapping[str, int]) -> int:
    """Lines of a shipment that had been counted before, or came twice in it (copies of one log)."""
    copies = report.lines - sum(source.lines for source in report.sources)
    return copies + sum(min(source.lines, before.get(source.source, 0)) for source in report.sources)


def _ship(
    settings: Settings, paths: Sequence[str], site: str, log_format: str, console: Console, bar: Progress
) -> ShipReport:
    task = bar.add_task("looking at the logs", total=None)

    def show(progress: ShipProgress) -> None:
        bar.update(
            task,
            description=f"sending, {progress.lines:,} lines",
            completed=progress.bytes_read,
            total=progress.bytes_total or None,
        )

    def say(words: str) -> None:
        console.print(f"[yellow]{escape(words)}[/]")

    options = settings.kafka_python_options("footfall_producer")
    try:
        with Delivery(options, settings.topic, say) as delivery:
            report = ship(list(paths), site, log_format, delivery, show)
    except CannotShip as error:
        raise StepFailed(str(error)) from error
    except DeliveryFailed as error:
        raise StepFailed(str(error), "make status; then the same import again: no line is counted twice") from error
    bar.remove_task(task)
    return report


def _patience(bar: Progress) -> Retrying:
    """Asks again for as long as Postgres is away (it restarts by itself), and says so."""

    def say(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        bar.console.print(f"[yellow]waiting for Postgres: {escape(str(error).strip())}[/]", soft_wrap=True)

    return Retrying(
        retry=retry_if_exception_type(POSTGRES_AWAY),
        wait=wait_fixed(2),
        stop=stop_after_delay(POSTGRES_PATIENCE_SECONDS),
        before_sleep=say,
        reraise=True,
    )


def _await_counted(settings: Settings, warehouse: Warehouse, report: ShipReport, bar: Progress) -> None:
    wanted = {source.source: source.lines for source in report.sources if source.lines}
    patiently = _patience(bar)
    task = bar.add_task("counting", total=sum(wanted.values()))
    reached, moved_at = -1, time.monotonic()
    while wanted:
        found = patiently(counted_sources, warehouse, wanted)
        if all(source.complete for source in found):
            break
        highest = sum(min(source.highest_line, source.lines) for source in found)
        if highest != reached:
            reached, moved_at = highest, time.monotonic()
        status = patiently(read_stream_status, warehouse)
        trouble = ", ".join(stream_troubles(status, settings.stalled_after_seconds))
        bar.update(task, description=f"counting {escape(trouble)}".strip(), completed=highest)
        if time.monotonic() - moved_at > STUCK_AFTER_SECONDS:
            raise StepFailed(
                f"the lines are in Kafka, but nothing was counted for {STUCK_AFTER_SECONDS:.0f} s: "
                f"{trouble or 'the stream job says nothing'}",
                "make status tells more; no line is lost, and the same import again counts none twice",
            )
        time.sleep(LOOK_EVERY_SECONDS)
    bar.remove_task(task)


def _report_hours(settings: Settings, warehouse: Warehouse, report: ShipReport, bar: Progress) -> HourStates:
    patiently = _patience(bar)
    states = patiently(_hour_states, warehouse, report)
    if states.unreported():
        _run_report(settings, sorted(report.hours), bar)
    task = bar.add_task("waiting for the quality seals", total=None)
    deadline = time.monotonic() + SEAL_PATIENCE_SECONDS
    while (states := patiently(_hour_states, warehouse, report)).unsealed() and time.monotonic() < deadline:
        bar.update(task, description=f"waiting for the quality seals of {len(states.unsealed())} hours")
        time.sleep(LOOK_EVERY_SECONDS)
    bar.remove_task(task)
    return states


def _run_report(settings: Settings, hours: Sequence[datetime], bar: Progress) -> None:
    """One run of the report DAG over the touched hours, waited for."""
    task = bar.add_task(f"reporting {len(hours)} hours", total=None)
    conf = {"start": hours[0].isoformat(), "end": (hours[-1] + timedelta(hours=1)).isoformat()}
    with airflow_client(airflow_url(settings), login_file(settings)) as airflow:
        run_id = airflow.trigger(REPORT_DAG, conf)
        deadline = time.monotonic() + REPORT_PATIENCE_SECONDS
        while (state := airflow.run_state(REPORT_DAG, run_id)) in ("queued", "running"):
            if time.monotonic() > deadline:
                break
            bar.update(task, description=f"reporting {len(hours)} hours: run {state}")
            time.sleep(LOOK_EVERY_SECONDS)
    if state != "success":
        raise StepFailed(
            f"The lines are counted, but not reported yet: the run {run_id} of {REPORT_DAG} is {state}",
            f"look at it in Airflow, {airflow_url(settings)}",
        )
    bar.remove_task(task)


def _hour_states(warehouse: Warehouse, report: ShipReport) -> HourStates:
    touched: dict[str, set[datetime]] = {}
    for source in report.sources:
        touched.setdefault(source.site, set()).update(source.hours)
    found = HourStates()
    for site, hours in touched.items():
        rows = warehouse.rows("stack/hours", {"site": site, "hours": sorted(hours)})
        found.hours[site] = {row["hour_start"]: (row["state"], row["seal"]) for row in rows}
    return found


def _print_lines(report: ShipReport, before: Mapping[str, int], console: Console) -> None:
    rejected = report.lines - report.events
    duplicates = duplicate_lines(report, before)
    _row(console, "lines read", report.lines)
    _row(console, "accepted", report.events, f"{report.bytes_sent:,} bytes")
    _row(console, "rejected", rejected)
    for log in report.logs:
        for reason, lines in log.unparsed.items():
            more = ", …" if lines.count > len(lines.line_numbers) else ""
            numbers = ", ".join(f"{number:,}" for number in lines.line_numbers)
            words = f"{lines.count:,} × {reason}: line {numbers}{more} of {log.path}"
            console.print(f"    {escape(words)}", soft_wrap=True)
    _row(console, "duplicates", duplicates, "counted before: they add nothing" if duplicates else "")
    _row(console, "new lines", report.lines - duplicates)
    _row(console, "hours touched", len(report.hours), _span(report))
    for skipped in report.skipped:
        console.print(f"skipped {escape(skipped)}", soft_wrap=True)


def _print_hours(states: HourStates, console: Console) -> None:
    still_open = states.count("open")
    _row(console, "reported", states.count("reported"), f"{still_open} still open" if still_open else "")
    seals = ", ".join(f"{count:,} {seal}" for seal, count in sorted(states.seals().items()))
    _row(console, "sealed", sum(states.seals()[verdict] for verdict in VERDICTS), seals)
    if states.unreported() or states.unsealed():
        raise StepFailed(
            f"{len(states.unreported())} hours are not reported and {len(states.unsealed())} not sealed yet",
            "see the DAGs hourly_traffic_report and report_quality in Airflow",
        )


def _row(console: Console, name: str, number: int, words: str = "") -> None:
    console.print(f"{name:<14} {number:>14,}  [dim]{escape(words)}[/]".rstrip(), soft_wrap=True)


def _span(report: ShipReport) -> str:
    if report.first_ts is None or report.last_ts is None:
        return ""
    first, last = report.first_ts.astimezone(UTC), report.last_ts.astimezone(UTC)
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"

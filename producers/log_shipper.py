"""The log shipper's door: ``python -m producers.log_shipper PATH… --site S`` sends real access logs to Kafka.

Every line travels, as an event or as an unparsed line with its reason. Shipping a log again is harmless: its
lines keep their (source, seq), and each of those is counted once.
"""

from __future__ import annotations

import signal
import sys
from threading import Event
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from producers.delivery import Delivery, DeliveryFailed
from producers.log_following import follow as follow_logs
from producers.log_formats import AUTO, CHOICES
from producers.ship_report import ShipReport
from producers.shipping import CannotShip, ShipProgress, ship
from settings import Settings

__all__ = ["CannotShip", "ShipProgress", "ShipReport", "app", "ship"]

EXIT_CANNOT_SHIP = 2
EXIT_DELIVERY_FAILED = 3
EXIT_INTERRUPTED = 130

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def main(
    paths: Annotated[
        list[str], typer.Argument(help="Logs: files (plain, .gz, .bz2, .xz), folders, or - for standard input.")
    ],
    site: Annotated[str, typer.Option(help="The web site these logs belong to.")] = "default",
    log_format: Annotated[
        str, typer.Option("--format", help=f"auto (combined and common are recognised), {CHOICES}.")
    ] = AUTO,
    follow: Annotated[
        bool, typer.Option("--follow", help="Keep reading as the files grow and are rotated, until stopped.")
    ] = False,
    origin: Annotated[
        str,
        typer.Option(help="Machine the logs come from; give it when the logs of several may begin alike."),
    ] = "",
) -> None:
    """Ship access logs to Kafka. Shipping a log again, renamed, compressed or longer, adds only its new lines.

    Exit codes: 0 shipped, 2 a log or its format cannot be used, 3 Kafka does not take records, 130 interrupted.
    """
    console = Console(stderr=True)

    def say(message: str) -> None:
        console.print(message, style="yellow", markup=False, highlight=False)

    try:
        settings = Settings()
        options = settings.kafka_python_options("footfall_producer")
        with Delivery(options, settings.topic, say) as delivery:
            if follow:
                report = follow_logs(paths, site, log_format, delivery, _stopped_by_signals(), origin=origin)
            else:
                report = _ship_with_progress(console, paths, site, log_format, delivery, origin)
    except CannotShip as error:
        raise _end(console, error, EXIT_CANNOT_SHIP) from error
    except OSError as error:
        message = f"{error.filename}: {error.strerror}. Has `make up` made the secrets of this FOOTFALL_HOME?"
        raise _end(console, message, EXIT_CANNOT_SHIP) from error
    except DeliveryFailed as error:
        raise _end(console, error, EXIT_DELIVERY_FAILED) from error
    except KeyboardInterrupt as error:
        message = "interrupted; run it again to ship the rest, nothing is counted twice"
        raise _end(console, message, EXIT_INTERRUPTED) from error
    _print_report(report)


def _end(console: Console, message: object, code: int) -> typer.Exit:
    console.print(f"log_shipper: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def _ship_with_progress(
    console: Console, paths: list[str], site: str, log_format: str, delivery: Delivery, origin: str
) -> ShipReport:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("looking at the logs", total=None)

        def show(progress: ShipProgress) -> None:
            bar.update(
                task,
                description=f"{progress.lines:,} lines",
                completed=progress.bytes_read,
                total=progress.bytes_total or None,
            )

        return ship(paths, site, log_format, delivery, show, origin=origin)


def _stopped_by_signals() -> Event:
    """Set by the first SIGTERM or SIGINT; a second one interrupts even a wait for Kafka."""
    stop = Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def _print_report(report: ShipReport) -> None:
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    out.print(f"{report.lines:,} lines read and shipped: {report.events:,} events", end="")
    out.print(f", {report.lines - report.events:,} unparsed, {len(report.hours):,} hours", end="")
    out.print(
        f" from {report.first_ts:%Y-%m-%d %H:%M:%S} to {report.last_ts:%Y-%m-%d %H:%M:%S} UTC"
        if report.first_ts
        else ""
    )
    for log in report.logs:
        for reason, unparsed in log.unparsed.items():
            numbers = ", ".join(map(str, unparsed.line_numbers))
            more = ", …" if unparsed.count > len(unparsed.line_numbers) else ""
            out.print(f"  unparsed in {log.path}: {unparsed.count:,} × {reason}; line {numbers}{more}", markup=False)
    for skipped in report.skipped:
        out.print(f"  skipped {skipped}", markup=False)


if __name__ == "__main__":
    app()

"""Generate the access log of a believable web shop and send it to Kafka, or into a file to look at.

The run's parameters decide every byte: the same seed, start and options make the same records under the same
source and seq, so that running it twice adds nothing to the reports.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from rich.console import Console

from producers.access_log import Site
from producers.delivery import Delivery, DeliveryFailed
from producers.generator_display import Display, FileSink
from producers.generator_run import Run
from producers.generator_state import StateFolder, StateInUse, read_progress
from producers.incidents import parse_incident
from producers.inventory import Inventory
from producers.site_model import INCIDENT_PAGES
from producers.traffic import Traffic
from producers.transmission import Sink, StoppedWhileWaiting, Transmission
from settings import Settings

INVENTORY_EVERY_SECONDS = 15.0

app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
say = Console(stderr=True, highlight=False)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write it like 2026-11-17T00:00Z") from None
    if at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no zone; write {text}Z for UTC")
    return at.astimezone(UTC)


Share = typer.Option(min=0, max=0.5, help="Share of the hits.")


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def generate(
    seed: Annotated[int, typer.Option(min=0, help="Other seed, other traffic.")] = 1,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where history ends and live traffic begins. Default: now.")
    ] = None,
    history_hours: Annotated[float, typer.Option(min=0, help="Simulated hours before start, sent at once.")] = 48,
    history_rate: Annotated[float, typer.Option(min=0, help="Hits a second in history, mean of a week.")] = 5,
    rate: Annotated[float, typer.Option(min=0, help="Hits a second from start on; 0: no live traffic.")] = 50,
    rhythm: Annotated[
        bool, typer.Option("--rhythm/--steady", help="Let live traffic follow day and week, or keep --rate.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Minutes of live traffic. Default: until stopped (SIGTERM).")
    ] = None,
    events: Annotated[int | None, typer.Option(min=1, help="End after so many records.")] = None,
    site: Annotated[str, typer.Option(help="Name of the site.")] = "shop",
    visitors: Annotated[int, typer.Option(min=1000, max=5_000_000, help="People there are.")] = 200_000,
    late_share: Annotated[float, Share] = 0.01,
    out_of_order_share: Annotated[float, Share] = 0.02,
    duplicate_share: Annotated[float, Share] = 0.005,
    malformed_share: Annotated[float, Share] = 0.002,
    incident: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND:START:DURATION[:SIZE[:PAGE]]",
            help="Something that happens, see below; may be given several times.",
        ),
    ] = None,
    incidents_per_day: Annotated[
        float, typer.Option(min=0, max=24, help="More of them, drawn from the seed: so many a UTC day on average.")
    ] = 0,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder for progress.json and inventory.json. Default: generator/ in FOOTFALL_HOME."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the unfinished run of --state, whatever its start was.")
    ] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="Print the records instead of sending them.")] = False,
    to: Annotated[Path | None, typer.Option(help="Write the records to a file instead of sending them.")] = None,
) -> None:
    """Generate the access log of a believable web shop and send it to Kafka.

    First comes history, the simulated hours before --start, as fast as it goes. Then live traffic: what is due
    by the clock. Live traffic that lies in the past already (the run was away, or --start is long ago) follows
    at once. A run started again with the same options, or with --resume, goes on where Kafka's last
    acknowledgement stood.

    Late: minutes to hours old when sent. Out of order: up to 30 s old. Duplicate: the same record once more.
    Malformed: breaks the wire contract. inventory.json says what the reports must show.

    Incidents: START is a time like 2026-11-17T08:00Z or an offset from --start like +5m or -2h; DURATION is like 90s,
    10m or 2h. SIZE by KIND: surge, so many times the usual hits (with PAGE, the extra ones all on that page); outage,
    share of hits lost; errors, share answered 5xx; attack, probing hits per usual hit; drift, so many times the usual
    hits at its end; viral, hits on PAGE per usual hit at its peak. inventory.json lists them with what they changed.

    Examples: ten minutes of traffic to look at; two days of history and then 50 hits a second for an hour; the same
    with an outage in history and a surge five minutes after the start

        python -m producers.log_generator --history-hours 0.17 --minutes 0 --stdout
        python -m producers.log_generator --seed 7 --minutes 60
        python -m producers.log_generator --minutes 60 --incident outage:-3h:15m --incident surge:+5m:10m:4
    """
    begin = _instant(start) if start else datetime.now(UTC).replace(microsecond=0)
    try:
        msgspec.convert(site, Site)
    except msgspec.ValidationError:
        raise typer.BadParameter(
            f"{site!r}: 1 to 64 letters, digits, dots, colons or dashes", param_hint="--site"
        ) from None
    start_ms = int(begin.timestamp() * 1000)
    try:
        incidents = tuple(parse_incident(text, start_ms, INCIDENT_PAGES) for text in incident or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--incident") from None
    to_kafka = not stdout and to is None
    settings = Settings()
    folder = state or (settings.home / "generator" if to_kafka else None)
    run = Run(
        seed=seed,
        site=site,
        start_ms=start_ms,
        history_ms=round(history_hours * 3_600_000) if history_rate else 0,
        history_rate=history_rate,
        rate=rate,
        rhythm=rhythm,
        late=late_share,
        out_of_order=out_of_order_share,
        duplicated=duplicate_share,
        malformed=malformed_share,
        visitors=visitors,
        incidents=incidents,
        incidents_per_day=incidents_per_day,
    )
    live_ms = None if minutes is None else round(minutes * 60_000)
    if rate == 0:
        live_ms = 0

    def open_sink(on_waiting: Callable[[str], None]) -> AbstractContextManager[Sink]:
        if not to_kafka:
            return _file_sink(to)
        return Delivery(settings.kafka_python_options("footfall_producer"), settings.topic, on_waiting)

    try:
        with ExitStack() as stack:
            held = stack.enter_context(StateFolder(folder, time.time)) if folder else None
            run, already_sent = _where_to_begin(run, folder if to_kafka else None, resume)
            if live_ms != 0 and run.start_ms > time.time() * 1000:
                raise typer.BadParameter("live traffic cannot start in the future", param_hint="--start")
            traffic = Traffic(run)
            display = Display(say)
            written = time.time()

            def on_chunk(transmission: Transmission) -> None:
                nonlocal written
                display.show(transmission, time.time())
                if held:
                    held.check()
                    if time.time() - written >= INVENTORY_EVERY_SECONDS:
                        held.note_inventory(transmission)
                        written = time.time()

            transmission = Transmission(
                traffic,
                Inventory(traffic),
                clock=time.time,
                sleep=time.sleep,
                already_sent=already_sent,
                most_records=events,
                on_chunk=on_chunk,
            )
            _send(transmission, live_ms, open_sink, held, display)
    except FileNotFoundError as error:
        _fail(f"{error.filename} is missing; if it is a secret, `make up` makes it under FOOTFALL_HOME.")
    except (DeliveryFailed, StateInUse, ValueError) as error:
        _fail(str(error))
    except BrokenPipeError:  # the reader of --stdout has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(f"{error.filename or folder or to}: {error.strerror or error}")


def _where_to_begin(run: Run, folder: Path | None, resume: bool) -> tuple[Run, int]:
    """The run to send, and how many of its records Kafka has acknowledged already."""
    before = read_progress(folder) if folder else None
    if before is None:
        return run, 0
    if resume and before.phase != "done":
        run = msgspec.structs.replace(run, start_ms=before.parameters.start_ms)
        if run != before.parameters:
            options = msgspec.json.encode(before.parameters).decode()
            raise ValueError(f"the unfinished run in {folder} has other options, give the same: {options}")
    return run, before.records_acknowledged if before.run == run.id else 0


def _send(
    transmission: Transmission,
    live_ms: int | None,
    open_sink: Callable[[Callable[[str], None]], AbstractContextManager[Sink]],
    held: StateFolder | None,
    display: Display,
) -> None:
    """Send the run; SIGTERM and SIGINT end it early and in order."""

    def on_waiting(words: str) -> None:
        say.print(words, markup=False, soft_wrap=True)
        transmission.broker_state_changed(words)

    before = {
        number: signal.signal(number, lambda *_: transmission.stop()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    problem: str | None = None
    if held:
        held.watch(transmission)
    try:
        with open_sink(on_waiting) as sink, display:
            transmission.transmit(sink, live_ms)
    except StoppedWhileWaiting:
        transmission.phase = "stopped"
        rest = transmission.sent - transmission.acknowledged
        say.print(f"Stopped while Kafka was away; {rest} records wait for the next start with the same options.")
    except BaseException as error:
        transmission.phase, problem = "failed", str(error) or type(error).__name__
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            held.note_progress(transmission, problem)
            held.note_inventory(transmission)
    display.conclude(transmission)


@contextmanager
def _file_sink(path: Path | None) -> Iterator[Sink]:
    if path is None:
        yield FileSink(sys.stdout.buffer)
    else:
        with path.open("wb") as file:
            yield FileSink(file)


def _fail(words: str) -> NoReturn:
    say.print(f"log_generator: {words}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()

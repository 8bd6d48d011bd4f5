"""Ship whole logs: look at all of them first, then send every line of each, oldest log first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from producers import log_files
from producers.access_log import Site
from producers.apache_format import FormatUnusable
from producers.delivery import Delivery
from producers.log_files import STANDARD_INPUT, LogFile, LogUnreadable
from producers.log_formats import AUTO, LineParser, candidates, recognise
from producers.log_records import LogRecords
from producers.ship_report import ShipReport

PROGRESS_EVERY_LINES = 500


class CannotShip(ValueError):
    """The logs cannot be shipped; the message says which, why and the way out."""


@dataclass(frozen=True)
class ShipProgress:
    """How far a shipment is; bytes are those on disk, the total is 0 when unknown (standard input)."""

    path: str
    lines: int
    bytes_read: int
    bytes_total: int


@dataclass(frozen=True)
class _Examined:
    path: str
    parse: LineParser
    first_ts: datetime
    # Standard input cannot be opened twice: what is left of it, with the lines already looked at in front.
    lines: Iterator[bytes] | None


def ship(
    paths: Sequence[str | Path],
    site: str,
    log_format: str,
    delivery: Delivery,
    on_progress: Callable[[ShipProgress], None],
    origin: str = "",
) -> ShipReport:
    """Send every line of the logs and return when Kafka has acknowledged them all.

    ``paths``: files (plain, gzip, bzip2, xz), folders, ``-``. ``log_format``: ``auto``, a nickname, a LogFormat
    string or ``json``. ``origin`` names the machine when logs of several may begin alike. Raises CannotShip
    before anything is sent (save for a file found damaged in its midst) and DeliveryFailed.
    """
    check_options(site, log_format)
    report = ShipReport()
    try:
        logs, passed_over = log_files.expand(map(str, paths))
        report.skipped += [f"{path}: not a file" for path in passed_over]
        examined = []
        for path in logs:
            log = examine(path, log_format)
            if log is None:
                report.skipped.append(f"{path}: empty")
            else:
                examined.append(log)
        if not examined:
            raise CannotShip(f"nothing to ship: {'; '.join(report.skipped)}")
        examined.sort(key=lambda log: log.first_ts)
        total = 0 if STANDARD_INPUT in logs else sum(log_files.bytes_on_disk(log.path) for log in examined)
        done = 0
        for log in examined:
            _send(log, LogRecords(log.path, site, log.parse, origin), report, delivery, on_progress, done, total)
            done += log_files.bytes_on_disk(log.path)
    except LogUnreadable as error:
        delivery.flush()
        shipped = f". {report.lines} lines are shipped; a next try counts none twice" if report.lines else ""
        raise CannotShip(f"{error}{shipped}") from error
    delivery.flush()
    return report


def check_options(site: str, log_format: str) -> None:
    """Raises CannotShip for an unknown format, or a site's name that the wire contract would refuse."""
    try:
        candidates(log_format)
        msgspec.convert(site, Site)
    except FormatUnusable as error:
        raise CannotShip(str(error)) from error
    except msgspec.ValidationError as error:
        raise CannotShip(f"site {site!r}: use 1 to 64 letters, digits and . _ : -") from error


def examine(path: str, log_format: str = AUTO) -> _Examined | None:
    """How to parse a log and when it begins; None when it is empty. Raises CannotShip, LogUnreadable."""
    log = LogFile(path)
    seen: list[bytes] = []
    rest = log.lines()
    try:
        parse, first = recognise(_remember(rest, seen), log_format)
    except FormatUnusable as error:
        if not seen:
            return None
        raise CannotShip(f"{path}: {error}") from error
    finally:
        if path != STANDARD_INPUT:
            log.close()
    lines = itertools.chain(seen, rest) if path == STANDARD_INPUT else None
    return _Examined(path, parse, first.ts, lines)


def _remember(lines: Iterable[bytes], seen: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        seen.append(line)
        yield line


def _send(
    log: _Examined,
    records: LogRecords,
    report: ShipReport,
    delivery: Delivery,
    on_progress: Callable[[ShipProgress], None],
    bytes_before: int,
    bytes_total: int,
) -> None:
    lines = report.lines
    report.logs.append(records.report)
    file = LogFile(log.path) if log.lines is None else None
    try:
        for line in log.lines or (file.lines() if file else ()):
            key, value = records.record(line)
            delivery.send(key, value)
            lines += 1
            if lines % PROGRESS_EVERY_LINES == 0:
                position = file.bytes_read() if file else None
                on_progress(ShipProgress(log.path, lines, bytes_before + (position or 0), bytes_total))
    finally:
        if file is not None:
            file.close()
    on_progress(ShipProgress(log.path, lines, bytes_before + log_files.bytes_on_disk(log.path), bytes_total))

"""Follow growing logs through rotation: rename-and-create and copy-and-truncate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from producers.apache_format import FormatUnusable
from producers.delivery import Delivery
from producers.log_files import LONGEST_LINE, STANDARD_INPUT
from producers.log_formats import RECOGNISED_WITHIN_LINES, LineParser, recognise
from producers.log_records import LogRecords
from producers.ship_report import ShipReport
from producers.shipping import CannotShip, check_options

CHUNK = 256 * 1024
REMEMBERED_BEGINNING = 1024


def follow(
    paths: Sequence[str | Path],
    site: str,
    log_format: str,
    delivery: Delivery,
    stop: Event,
    poll_seconds: float = 0.5,
    origin: str = "",
) -> ShipReport:
    """Ship plain logs from their beginning and then as they grow, until ``stop`` is set; then flush.

    A line is shipped once its newline is there. Raises CannotShip and DeliveryFailed.
    """
    check_options(site, log_format)
    report = ShipReport()
    logs = [_FollowedLog(str(path), site, log_format, origin, report) for path in paths]
    try:
        while True:
            stopping = stop.is_set()
            moved = False
            for log in logs:
                for key, value in log.poll():
                    delivery.send(key, value)
                    moved = True
            if stopping:
                break
            if not moved:
                _ = delivery.acknowledged  # lets it notice, and say, that the broker is away
                stop.wait(poll_seconds)
    finally:
        for log in logs:
            log.close()
    delivery.flush()
    return report


class _FollowedLog:
    def __init__(self, path: str, site: str, log_format: str, origin: str, report: ShipReport) -> None:
        if path == STANDARD_INPUT or Path(path).is_dir():
            raise CannotShip(f"{path}: --follow follows plain files")
        self._path, self._site, self._format, self._origin = path, site, log_format, origin
        self._report = report
        self._parse: LineParser | None = None
        try:
            self._open()
        except OSError as error:
            raise CannotShip(f"{path}: {error.strerror}") from error

    def _open(self) -> None:
        self._file = Path(self._path).open("rb", buffering=0)  # noqa: SIM115
        self._beginning = b""
        self._partial = b""
        self._unrecognised: list[bytes] = []
        self._records: LogRecords | None = None

    def close(self) -> None:
        self._file.close()

    def poll(self) -> Iterator[tuple[bytes, bytes]]:
        """Records of what has been written since the last poll, at most a chunk of it."""
        if self._rewritten():
            yield from self._begin_again()
        chunk = self._file.read(CHUNK)
        if chunk:
            yield from self._take(chunk)
        elif self._renamed():
            while chunk := self._file.read(CHUNK):  # written between our last read and the rename
                yield from self._take(chunk)
            yield from self._begin_again()

    def _rewritten(self) -> bool:
        """Whether the file was truncated since the last read, even if it has grown long again."""
        position = self._file.tell()
        if os.fstat(self._file.fileno()).st_size < position:
            return True
        return os.pread(self._file.fileno(), len(self._beginning), 0) != self._beginning

    def _renamed(self) -> bool:
        try:
            return not os.path.samestat(Path(self._path).stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False  # between rename and create

    def _begin_again(self) -> Iterator[tuple[bytes, bytes]]:
        if self._partial:
            yield from self._take(b"\n")
        self._file.close()
        self._open()

    def _take(self, chunk: bytes) -> Iterator[tuple[bytes, bytes]]:
        if len(self._beginning) < REMEMBERED_BEGINNING:
            self._beginning = (self._beginning + chunk)[:REMEMBERED_BEGINNING]
        *lines, partial = (self._partial + chunk).split(b"\n")
        self._partial = partial[: LONGEST_LINE + 2]
        for line in lines:
            yield from self._record(line.removesuffix(b"\r")[: LONGEST_LINE + 1])

    def _record(self, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        if self._records is None:
            self._unrecognised.append(line)
            if self._parse is None:
                try:
                    self._parse, _ = recognise(self._unrecognised, self._format)
                except FormatUnusable as error:
                    if len(self._unrecognised) >= RECOGNISED_WITHIN_LINES:
                        raise CannotShip(f"{self._path}: {error}") from error
                    return
            self._records = LogRecords(self._path, self._site, self._parse, self._origin)
            self._report.logs.append(self._records.report)
            waiting, self._unrecognised = self._unrecognised, []
        else:
            waiting = [line]
        for each in waiting:
            yield self._records.record(each)

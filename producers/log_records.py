"""From a log's lines to Kafka records: identity, parsing, the contract's bounds, the size cap."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from producers.access_log import AccessEvent, Names, UnparsedLine
from producers.apache_format import Unparsable
from producers.log_files import LONGEST_LINE
from producers.log_formats import LineParser
from producers.log_identity import LineIdentity
from producers.ship_report import ShippedLog, ShippedSource

LARGEST_RECORD = 64 * 1024
TOO_LONG = f"longer than {LONGEST_LINE // 1024} KiB"

_ENCODER = msgspec.json.Encoder()
_CONTRACT = msgspec.json.Decoder(AccessEvent)


class LogRecords:
    """Turns the lines of one log, fed in order, into records and keeps its report."""

    def __init__(self, path: str, site: str, parse: LineParser, origin: str = "") -> None:
        self._parse = parse
        self._identity = LineIdentity(site, origin)
        self._site = site
        self.report = ShippedLog(path)

    def record(self, line: bytes) -> tuple[bytes, bytes]:
        """(key, value) of the next line: an event that keeps the contract, or an UnparsedLine. Never raises."""
        source, seq = self._identity.next(line)
        if seq == 1:
            self._shipped = ShippedSource(source, self._site)
            self.report.sources.append(self._shipped)
        try:
            event, value = self._event(line, source, seq)
        except Unparsable as error:
            reason = str(error)
            self._shipped.reject(reason, self._identity.line)
            value = _ENCODER.encode(UnparsedLine(source, seq, reason, escaped_and_cut(line), self._site))
        else:
            self._shipped.accept(event)
        return source.encode("ascii"), value

    def _event(self, line: bytes, source: str, seq: int) -> tuple[AccessEvent, bytes]:
        if len(line) > LONGEST_LINE:
            raise Unparsable(TOO_LONG)
        event = self._parse(line)
        if event.site == "default":
            event.site = self._site
        event.source, event.seq = source, seq
        value = _ENCODER.encode(event)
        if len(value) > LARGEST_RECORD:
            raise Unparsable(TOO_LONG)
        try:
            # What the stream would refuse is told here, with its line number.
            _CONTRACT.decode(value)
            _check_names(event.site, event.country)
        except msgspec.ValidationError as error:
            raise Unparsable(str(error)[:200]) from error
        return event, value


@lru_cache(maxsize=4096)
def _check_names(site: str, country: str | None) -> None:
    Names.checked(site, None, country)


def escaped_and_cut(line: bytes) -> str:
    """A line's beginning in printable ASCII, at most 4096 characters."""
    readable = line[:1024].decode("utf-8", "backslashreplace")
    return readable.encode("unicode_escape").decode("ascii")[:4096]

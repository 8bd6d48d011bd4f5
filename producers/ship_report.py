"""What a shipment was: lines read, events, unparsed lines by reason, hours touched; by source, log, altogether."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from producers.access_log import AccessEvent

MOST_LINE_NUMBERS = 20


@dataclass
class Unparsed:
    """Lines that travelled as rejects for one reason; ``line_numbers`` (in the log) are the first 20 of them."""

    count: int = 0
    line_numbers: list[int] = field(default_factory=list)

    def add(self, count: int, line_numbers: Sequence[int]) -> None:
        self.count += count
        self.line_numbers += line_numbers[: MOST_LINE_NUMBERS - len(self.line_numbers)]


@dataclass
class ShippedSource:
    """One source (a segment of a log). Counted once ``stream.source_range.counted`` holds [1, lines] of it.

    ``bytes_sent`` is the sum of the logged response sizes, ``hours`` the starts of the UTC hours with events.
    """

    source: str
    site: str
    lines: int = 0
    events: int = 0
    bytes_sent: int = 0
    unparsed: dict[str, Unparsed] = field(default_factory=dict)
    hours: set[datetime] = field(default_factory=set)
    first_ts: datetime | None = None
    last_ts: datetime | None = None

    def accept(self, event: AccessEvent) -> None:
        ts = event.ts
        self.lines += 1
        self.events += 1
        self.bytes_sent += event.bytes
        self.hours.add(ts.replace(minute=0, second=0, microsecond=0))
        if self.first_ts is None or ts < self.first_ts:
            self.first_ts = ts
        if self.last_ts is None or ts > self.last_ts:
            self.last_ts = ts

    def reject(self, reason: str, line_number: int) -> None:
        self.lines += 1
        self.unparsed.setdefault(reason, Unparsed()).add(1, [line_number])


class _Sum(ABC):
    """The same figures over several parts."""

    @property
    @abstractmethod
    def _parts(self) -> Sequence[ShippedSource | _Sum]: ...

    @property
    def lines(self) -> int:
        """Lines read; every one of them was sent."""
        return sum(part.lines for part in self._parts)

    @property
    def events(self) -> int:
        return sum(part.events for part in self._parts)

    @property
    def bytes_sent(self) -> int:
        return sum(part.bytes_sent for part in self._parts)

    @property
    def unparsed(self) -> dict[str, Unparsed]:
        merged: dict[str, Unparsed] = {}
        for part in self._parts:
            for reason, lines in part.unparsed.items():
                merged.setdefault(reason, Unparsed()).add(lines.count, lines.line_numbers)
        return merged

    @property
    def hours(self) -> set[datetime]:
        return {hour for part in self._parts for hour in part.hours}

    @property
    def first_ts(self) -> datetime | None:
        return min((part.first_ts for part in self._parts if part.first_ts), default=None)

    @property
    def last_ts(self) -> datetime | None:
        return max((part.last_ts for part in self._parts if part.last_ts), default=None)


@dataclass
class ShippedLog(_Sum):
    """One log and its sources, in the order of its lines."""

    path: str
    sources: list[ShippedSource] = field(default_factory=list)

    @property
    def _parts(self) -> Sequence[ShippedSource]:
        return self.sources


@dataclass
class ShipReport(_Sum):
    """All logs of one shipment, oldest first; ``skipped`` names what was passed over and why."""

    logs: list[ShippedLog] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def _parts(self) -> Sequence[ShippedLog]:
        return self.logs

    @property
    def sources(self) -> list[ShippedSource]:
        """Every source once: of copies of one log among the files, the longest."""
        longest: dict[str, ShippedSource] = {}
        for log in self.logs:
            for source in log.sources:
                if source.source not in longest or source.lines > longest[source.source].lines:
                    longest[source.source] = source
        return list(longest.values())

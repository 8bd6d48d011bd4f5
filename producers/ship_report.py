"""What a shipment was: lines read, events, unparsed lines by reason, hours touched, sources and their lengths."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from producers.access_log import AccessEvent

MOST_LINE_NUMBERS = 20


@dataclass
class Unparsed:
    """Lines of one log that travelled as rejects for one reason."""

    count: int = 0
    line_numbers: list[int] = field(default_factory=list)  # the first MOST_LINE_NUMBERS of them

    def add(self, line_number: int) -> None:
        self.count += 1
        if len(self.line_numbers) < MOST_LINE_NUMBERS:
            self.line_numbers.append(line_number)


@dataclass
class ShippedLog:
    """One log; ``sources`` maps each of its sources to the number of its lines.

    A source is counted once ``stream.source_range.counted`` holds [1, lines] for it.
    """

    path: str
    site: str
    lines: int = 0
    sent: int = 0
    events: int = 0
    bytes_sent: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    unparsed: dict[str, Unparsed] = field(default_factory=dict)
    hours: set[datetime] = field(default_factory=set)
    first_ts: datetime | None = None
    last_ts: datetime | None = None
    _hour: datetime | None = None

    def accept(self, event: AccessEvent) -> None:
        self.events += 1
        self.bytes_sent += event.bytes
        ts = event.ts
        hour = ts.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self.hours.add(hour)
        if self.first_ts is None or ts < self.first_ts:
            self.first_ts = ts
        if self.last_ts is None or ts > self.last_ts:
            self.last_ts = ts

    def reject(self, reason: str, line_number: int) -> None:
        self.unparsed.setdefault(reason, Unparsed()).add(line_number)


@dataclass
class ShipReport:
    """All logs of one shipment, oldest first; ``skipped`` names what was passed over and why."""

    logs: list[ShippedLog] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        return sum(log.lines for log in self.logs)

    @property
    def sent(self) -> int:
        return sum(log.sent for log in self.logs)

    @property
    def events(self) -> int:
        return sum(log.events for log in self.logs)

    @property
    def bytes_sent(self) -> int:
        """Sum of the logged response sizes."""
        return sum(log.bytes_sent for log in self.logs)

    @property
    def unparsed(self) -> dict[str, int]:
        """Number of unparsed lines by reason; the line numbers are with each log."""
        totals: dict[str, int] = {}
        for log in self.logs:
            for reason, lines in log.unparsed.items():
                totals[reason] = totals.get(reason, 0) + lines.count
        return totals

    @property
    def sources(self) -> dict[str, int]:
        """Lines of every source; copies of one log among the files share their sources."""
        longest: dict[str, int] = {}
        for log in self.logs:
            for source, lines in log.sources.items():
                longest[source] = max(lines, longest.get(source, 0))
        return longest

    @property
    def hours(self) -> set[datetime]:
        """Starts of the UTC hours with events."""
        return set().union(*(log.hours for log in self.logs))

    @property
    def first_ts(self) -> datetime | None:
        return min((log.first_ts for log in self.logs if log.first_ts), default=None)

    @property
    def last_ts(self) -> datetime | None:
        return max((log.last_ts for log in self.logs if log.last_ts), default=None)

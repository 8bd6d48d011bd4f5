"""From rows of hours and revisions to what the report pages show: the calendar, seals of ranges, changes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from plugins.pages.times import Clock
from sql.warehouse import Row

Seal = Literal["green", "amber", "red", "unchecked", "open", "none"]
# The worst first: a day is sealed as its worst hour.
WORST: tuple[Seal, ...] = ("red", "unchecked", "amber", "green")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Cell:
    """One hour of the calendar; ``seal`` none: no traffic, open: not reported yet."""

    hour_start: datetime
    seal: Seal
    revision: int
    hits: int | None

    def words(self, clock: Clock) -> str:
        """Thursday 19 November, 09:00 to 10:00, amber, revision 3, 180,977 hits"""
        start = self.hour_start.astimezone(UTC)
        said = f"{start:%A} {start.day} {start:%B}, {start:%H:%M} to {start + HOUR:%H:%M}, "
        if self.seal in ("open", "none"):
            return said + ("not reported yet" if self.seal == "open" else "no traffic")
        return said + f"{self.seal}, revision {self.revision}, {self.hits or 0:,} hits"


@dataclass(frozen=True)
class Day:
    """A row of the calendar: 24 cells, and the day as published."""

    day_start: datetime
    cells: list[Cell]
    published: Row | None

    @property
    def seal(self) -> Seal:
        seals = {cell.seal for cell in self.cells}
        if "open" in seals:
            return "open"
        return next((seal for seal in WORST if seal in seals), "none")

    @property
    def hits(self) -> int:
        return sum(cell.hits or 0 for cell in self.cells)


def calendar(hours: Sequence[Row], days: Sequence[Row], first_day: datetime, count: int) -> list[Day]:
    """Days from the newest to the oldest, each with its 24 hours of UTC."""
    known = {row["hour_start"]: row for row in hours}
    published = {row["day_start"]: row for row in days}
    made = []
    for offset in reversed(range(count)):
        day = first_day + timedelta(days=offset)
        cells = [_cell(day + hour * HOUR, known.get(day + hour * HOUR)) for hour in range(24)]
        made.append(Day(day, cells, published.get(day)))
    return made


def _cell(hour_start: datetime, row: Row | None) -> Cell:
    if row is None:
        return Cell(hour_start, "none", 0, None)
    if row["revision"] is None:
        return Cell(hour_start, "open", 0, None)
    return Cell(hour_start, row["seal"] or "unchecked", row["revision"], row["hits"])


def seal_counts(days: Sequence[Day]) -> Counter[str]:
    """How many hours have which seal, and how many changed after publication."""
    found: Counter[str] = Counter(cell.seal for day in days for cell in day.cells if cell.seal in WORST)
    found["changed"] = sum(cell.revision > 1 for day in days for cell in day.cells)
    return found


def known_revision(revisions: Sequence[Row], moment: datetime | None) -> Row | None:
    """Of the revisions of one hour, the newest first, the one that was the latest at a moment (None: now)."""
    return next((row for row in revisions if moment is None or row["made_at"] <= moment), None)


def worst_seal(seals: Sequence[Row]) -> Seal:
    """The seal of a range: the worst of its hours; none without an hour. seals: of ``report_seals``."""
    found = {row["seal"] for row in seals}
    return next((seal for seal in WORST if seal in found), "none")


def within_bound(now: Row, name: str) -> bool:
    """Whether the difference of two visitor figures is smaller than their bounds together."""
    then, bound = now[f"{name}_visitors"], now[f"{name}_visitors_bound"]
    if now["visitors"] is None or then is None:
        return False
    return bool(abs(now["visitors"] - then) <= (now["visitors_bound"] or 0) + (bound or 0))

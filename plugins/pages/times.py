"""Times in the reader's zone: which zone that is, and how a moment is written in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from markupsafe import Markup
from pydantic import AfterValidator

ZONE_COOKIE = "footfall_zone"

# Beyond these years some zone, or some range beside the one that is asked for, cannot be written.
FIRST_YEAR, LAST_YEAR = 1970, 2199
YEARS_WORDS = f"the years go from {FIRST_YEAR} to {LAST_YEAR}"


def is_in_reach(day: date) -> bool:
    """Whether pages may be about a day or a moment."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _in_reach(day: date) -> date:
    if not is_in_reach(day):
        raise ValueError(YEARS_WORDS)
    return day


# A day in an address.
Day = Annotated[date, AfterValidator(_in_reach)]


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: str | None) -> ZoneInfo:
    """The zone a browser named; UTC for none, and for whatever is no zone."""
    return ZoneInfo(name if name in _known_zones() else "UTC")


@dataclass(frozen=True)
class Clock:
    """How moments are written for one reader: now, and their zone."""

    now: datetime
    zone: ZoneInfo

    @property
    def utc(self) -> tzinfo:
        return UTC

    @property
    def zone_words(self) -> str:
        """Europe/Lisbon · UTC+0"""
        offset = self.now.astimezone(self.zone).utcoffset() or timedelta()
        minutes = int(offset.total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        sign = "\N{MINUS SIGN}" if minutes < 0 else "+"
        return f"{self.zone.key} · UTC{sign}{hours}{f':{rest:02d}' if rest else ''}"

    def text(self, moment: datetime, tenths: bool = False) -> str:
        """11:42:10 today, 18 Nov 00:52 on another day, 18 Nov 2015 00:52 in another year."""
        local, today = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        if local.date() == today.date():
            return f"{local:%H:%M:%S}" + (f".{local.microsecond // 100_000}" if tenths else "")
        year = "" if local.year == today.year else f" {local.year}"
        return f"{local.day} {local:%b}{year} {local:%H:%M}"

    def minute(self, moment: datetime) -> str:
        """11:42 today, else as ``text``."""
        written = self.text(moment)
        return written[:5] if written[2] == ":" else written

    def day(self, moment: datetime) -> str:
        """19 Nov, of a UTC day."""
        return self.date(moment.astimezone(UTC))

    def local_day(self, moment: datetime) -> str:
        """19 Nov, of the reader's zone."""
        return self.date(moment.astimezone(self.zone))

    def date(self, moment: datetime) -> str:
        """19 Nov, in the zone that the moment has; another year adds it."""
        return f"{moment.day} {moment:%b}" + ("" if moment.year == self.now.year else f" {moment.year}")

    def span(self, start: datetime, end: datetime) -> str:
        """09:00 – 10:00, half-open; with its day when that is not today."""
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        day = "" if first.date() == self.now.astimezone(self.zone).date() else f"{first.day} {first:%b} "
        return f"{day}{first:%H:%M} – {last:%H:%M}"

    def mark(self, moment: datetime | None, style: str = "text") -> Markup | str:
        """A ``time`` element that shows UTC when pointed at or focused; an em dash for unknown."""
        if moment is None:
            return "—"
        utc = moment.astimezone(UTC)
        words = {"text": self.text, "minute": self.minute, "day": self.day}
        shown = self.text(moment, tenths=True) if style == "tenths" else words[style](moment)
        return Markup('<time datetime="{}" data-utc="{}" tabindex="0">{}</time>').format(
            utc.isoformat(timespec="milliseconds"), f"{utc:%Y-%m-%d %H:%M:%S} UTC", shown
        )

    def seconds_since(self, moment: datetime | None) -> float | None:
        return None if moment is None else max(0.0, (self.now - moment).total_seconds())

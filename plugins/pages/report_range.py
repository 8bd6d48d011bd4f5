"""Which range a report is of, and as of which moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from fastapi import HTTPException

from plugins.pages.quality_rows import zulu
from plugins.pages.report_rows import HOUR
from plugins.pages.times import YEARS_WORDS, Clock, is_in_reach

Kind = Literal["hour", "day", "range"]
LONGEST = timedelta(days=366)
# What was known at a past moment stays as it is: one answer serves all who ask until newer reports are published.
KNOWN_FRESH_SECONDS = 3600.0
# The last hour of a range has its report when it closes (report.hour_closes_at).
CLOSES_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Asked:
    """The range that an address names, and the moment as of which it is to be shown (None: now)."""

    kind: Kind
    start: datetime
    end: datetime
    known_at: datetime | None
    # When now is shown: the newest report there was when the page was opened. A refresh shows nothing later.
    seen_at: datetime | None = None

    @property
    def moment(self) -> datetime | None:
        """As of when reports are shown; None: whatever is newest."""
        return self.known_at or self.seen_at

    @property
    def parameters(self) -> dict[str, str]:
        return {"from_time": zulu(self.start), "until_time": zulu(self.end)}

    @property
    def as_known(self) -> dict[str, str]:
        moment = "infinity" if self.moment is None else self.moment.isoformat()
        return self.parameters | {"known_at": moment}

    @property
    def judged_at(self) -> str:
        """As of when verdicts count, as a parameter: the moment asked for; "now" takes the newest one there is."""
        return "infinity" if self.known_at is None else self.known_at.isoformat()

    @property
    def hours(self) -> int:
        """How many hours it has."""
        return (self.end - self.start) // HOUR

    @property
    def fresh_seconds(self) -> float:
        """For how long an answer about what was known at that moment serves others."""
        return KNOWN_FRESH_SECONDS if self.moment else 0.0

    def as_published(self, newest: datetime | None) -> Asked:
        """The same report, as known at a moment whose answer is final: newest is when the last one was published."""
        earlier = newest is not None and self.moment is not None and self.moment < newest
        return self if earlier else replace(self, known_at=newest, seen_at=None)

    @property
    def before_start(self) -> datetime:
        """Start of the period before, which is as long."""
        return self.start - (self.end - self.start)

    @property
    def step(self) -> timedelta:
        """What a bar is of."""
        if self.kind == "hour":
            return timedelta(minutes=1)
        return HOUR if self.end - self.start <= 72 * HOUR else timedelta(days=1)

    def as_of(self, now: datetime) -> datetime:
        """The moment the report is shown as of."""
        return self.known_at or now

    def is_whole(self, now: datetime) -> bool:
        """Whether all of it was over, as of the moment shown: only then it may be compared with a whole period."""
        return self.as_of(now) >= self.end + CLOSES_AFTER

    def week_words(self, clock: Clock) -> str:
        """The same range a week before, by the day it starts: Sat 21 Nov, or Sat 21 Nov, 09:00 for an hour."""
        start = self.start - timedelta(days=7)
        if self.kind == "hour":
            return f"{start.astimezone(clock.zone):%a} {clock.local_day(start)}, {start.astimezone(clock.zone):%H:%M}"
        return f"{start:%a} {clock.day(start)}"

    def before_words(self, clock: Clock) -> str:
        """The period before, by name: 08:00 – 09:00 in the reader's zone, 18 Nov, 5 Nov – 11 Nov, or with hours."""
        first, last = self.before_start, self.start
        if self.kind == "hour":
            return f"{first.astimezone(clock.zone):%H:%M} – {last.astimezone(clock.zone):%H:%M}"
        if self.kind == "day":
            return clock.day(first)
        if first.hour or last.hour:
            return f"{clock.day(first)} {first:%H:%M} – {clock.day(last)} {last:%H:%M}"
        last_day = last - timedelta(days=1)
        return clock.day(first) if first == last_day else f"{clock.day(first)} – {clock.day(last_day)}"


def asked_range(
    kind: Kind, start: datetime, end: datetime | None, as_known_at: str, seen: datetime | None = None
) -> Asked:
    """The range; 422 in words for what is none."""
    if not all(is_in_reach(moment) for moment in (start, end, seen) if moment):
        raise HTTPException(422, f"That is out of reach: {YEARS_WORDS}.")
    first = (start.replace(tzinfo=UTC) if start.tzinfo is None else start).astimezone(UTC)
    length = {"hour": HOUR, "day": timedelta(days=1)}.get(kind)
    if length is not None:
        last = first + length
    elif end is None:
        raise HTTPException(422, "A range needs an end.")
    else:
        last = (end.replace(tzinfo=UTC) if end.tzinfo is None else end).astimezone(UTC)
    if any(moment.minute or moment.second or moment.microsecond for moment in (first, last)):
        raise HTTPException(422, "Reports are made of whole hours: start and end must be on the hour, UTC.")
    if kind == "day" and first.hour:
        raise HTTPException(422, "A day starts at midnight, UTC. For other hours ask for a range.")
    if not first < last <= first + LONGEST:
        raise HTTPException(422, "The end must be after the start, and at most a year after it.")
    if as_known_at == "now":
        return Asked(kind, first, last, None, seen)
    return Asked(kind, first, last, named_moment(as_known_at))


def named_moment(text: str) -> datetime:
    """A moment in an address, UTC unless it says otherwise; 422 in words for what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(422, f"{text!r} is no time; 2026-11-19T10:20Z is one.") from None
    if not is_in_reach(moment):
        raise HTTPException(422, f"{text!r} is out of reach: {YEARS_WORDS}.")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def field_value(moment: datetime) -> str:
    """For a field of whole seconds, UTC: the next one, so that what was known at the moment is known then."""
    up = moment + timedelta(microseconds=-moment.microsecond % 1_000_000)
    return f"{up.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"

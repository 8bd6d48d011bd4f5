"""What an audit can check and what it must read for it: from the moment's hours and offsets, and what Kafka holds.

An hour can be checked when its report is up to date and every offset of its records is still in Kafka. A day's visits
can be checked when the hour before it and all that follows until its last visit ends can be read, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sql.audit import HourRange, ReportedDay, TouchedHour

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Before a day one hour tells which of its first visits began earlier; after it visits may go on for long.
BEFORE = HOUR
AFTER = DAY
# Kafka sends a gap's records faster than a plan of many ranges filters them out.
SMALLEST_GAP = 100_000

Span = tuple[int, int]  # offsets [from, until)
WAITS = "late data waits for its revision"
UNREPORTED = "no report yet"
NOT_INDEXED = "counted before there was an index of offsets"


@dataclass(frozen=True)
class AuditPlan:
    """What to read, what to compare, and what could not be."""

    checked: list[TouchedHour]
    unchecked: dict[tuple[str, datetime], tuple[TouchedHour, str]]  # by site and hour: why
    spans: dict[int, list[Span]]  # by partition: what to read
    gone: dict[tuple[str, int], list[Span]]  # by topic id and partition: what Kafka no longer has, of the period
    unreadable: set[datetime] = field(default_factory=set)  # hours around the period, of which some offset is gone

    @property
    def offsets_gone(self) -> int:
        return sum(until - start for spans in self.gone.values() for start, until in spans)


def plan_audit(
    start: datetime,
    end: datetime,
    hours: Sequence[TouchedHour],
    ranges: Sequence[HourRange],
    topic_id: str,
    earliest: Mapping[int, int],
) -> AuditPlan:
    """Plan the audit of [start, end).

    hours, ranges: of ``start - BEFORE`` until ``end + AFTER``; topic_id, earliest: what Kafka has now.
    """
    readable: dict[datetime, list[HourRange]] = {}
    gone: dict[datetime, list[HourRange]] = {}
    for one in ranges:
        there = one.topic_id == topic_id and one.from_offset >= earliest.get(one.kafka_partition, one.until_offset)
        (readable if there else gone).setdefault(one.hour_start, []).append(one)
    checked: list[TouchedHour] = []
    unchecked: dict[tuple[str, datetime], tuple[TouchedHour, str]] = {}
    for hour in hours:
        if not start <= hour.hour_start < end:
            continue
        reason = _why_not(hour, readable, gone)
        if reason:
            unchecked[hour.site, hour.hour_start] = (hour, reason)
        else:
            checked.append(hour)
    wanted = [one for moment, found in readable.items() if moment not in gone for one in found]
    spans: dict[int, list[Span]] = {}
    for one in wanted:
        spans.setdefault(one.kafka_partition, []).append((one.from_offset, one.until_offset))
    of_period: dict[tuple[str, int], list[Span]] = {}
    for moment, missing in gone.items():
        for one in missing if start <= moment < end else []:
            place = of_period.setdefault((one.topic_id, one.kafka_partition), [])
            place.append((one.from_offset, _first_kept(one, topic_id, earliest)))
    indexed = readable.keys() | gone.keys()
    return AuditPlan(
        checked=checked,
        unchecked=unchecked,
        spans={partition: joined(found, SMALLEST_GAP) for partition, found in sorted(spans.items())}
        if checked
        else {},
        gone={place: joined(found, 0) for place, found in sorted(of_period.items())},
        unreadable=set(gone) | {hour.hour_start for hour in hours if hour.hour_start not in indexed},
    )


def _why_not(
    hour: TouchedHour, readable: Mapping[datetime, list[HourRange]], gone: Mapping[datetime, list[HourRange]]
) -> str:
    if hour.state == "unreported":
        return UNREPORTED
    if hour.state == "dirty":
        return WAITS
    missing = gone.get(hour.hour_start)
    if missing:
        places = ", ".join(
            f"partition {one.kafka_partition} [{one.from_offset}, {one.until_offset})" for one in missing[:3]
        )
        return f"no longer in Kafka: {places}{' …' if len(missing) > 3 else ''}"
    return "" if hour.hour_start in readable else NOT_INDEXED


def _first_kept(one: HourRange, topic_id: str, earliest: Mapping[int, int]) -> int:
    """End of what is gone of a range: all of it, or what stands before the first offset kept."""
    if one.topic_id != topic_id:
        return one.until_offset
    return min(one.until_offset, max(one.from_offset, earliest.get(one.kafka_partition, one.until_offset)))


def joined(spans: Iterable[Span], smallest_gap: int) -> list[Span]:
    """The spans in order, united where they overlap, touch, or leave less than ``smallest_gap`` between them."""
    result: list[Span] = []
    for start, until in sorted(spans):
        if result and start - result[-1][1] < max(smallest_gap, 1):
            result[-1] = (result[-1][0], max(result[-1][1], until))
        else:
            result.append((start, until))
    return result


def everything(earliest: Mapping[int, int], latest: Mapping[int, int]) -> dict[int, list[Span]]:
    """All that Kafka has: among it are the lines of which a batch says that it held copies."""
    return {
        partition: [(first, latest[partition])]
        for partition, first in sorted(earliest.items())
        if first < latest[partition]
    }


def days_to_check(plan: AuditPlan, days: Iterable[ReportedDay]) -> tuple[list[ReportedDay], list[str]]:
    """Days whose every hour is checked and whose report is up to date; and for the others a note each."""
    skipped = {(site, moment - _since_midnight(moment)) for site, moment in plan.unchecked}
    found, notes = [], []
    for day in days:
        if (day.site, day.day_start) in skipped:
            notes.append(f"{day.site} {day.day_start:%Y-%m-%d}: not all hours could be checked, so the day was not")
        elif day.waits:
            notes.append(f"{day.site} {day.day_start:%Y-%m-%d}: the day's report waits for its next revision")
        else:
            found.append(day)
    return found, notes


def readable_until(plan: AuditPlan, day_start: datetime, end: datetime) -> datetime:
    """End of the time from a day on of which every record could be read. end: of the audited period."""
    moment = day_start
    while moment < end + AFTER and moment not in plan.unreadable:
        moment += HOUR
    return moment


def _since_midnight(moment: datetime) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)

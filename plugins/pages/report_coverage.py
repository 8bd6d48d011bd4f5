"""How much of a range has a report: what may be compared, what is hatched, and what is said of the rest. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from plugins.pages.formats import count
from plugins.pages.report_range import CLOSES_AFTER, Asked
from plugins.pages.report_rows import HOUR
from plugins.pages.times import Clock
from sql.warehouse import Row

# Words in a narrower gap would run into their neighbours.
LEAST_SHARE_WITH_WORDS = 0.1


def of_hours(reported: int, hours: int) -> str:
    """no report; 6 of 24 hours"""
    return f"{count(reported)} of {count(hours)} hours" if reported else "no report"


def is_comparable(figures: Row, name: str, hours: int) -> bool:
    """Whether every hour has a report, here and there; figures: of ``report_figures``; name: previous or week."""
    return bool(figures) and figures["hours"] == figures[f"{name}_hours"] == hours


def change_words(asked: Asked, figures: Row, clock: Clock, is_filtered: bool) -> str:
    """What changes are against, or why none is shown."""
    before, week = asked.before_words(clock), asked.week_words(clock)
    if not figures or not figures["hours"]:
        return ""
    if not asked.is_whole(clock.now):
        return f"No change is shown: this {asked.kind} {'was not over then' if asked.known_at else 'is not over'}."
    if figures["hours"] < asked.hours:
        return f"No change is shown: only {of_hours(figures['hours'], asked.hours)} have a report."
    if is_comparable(figures, "previous", asked.hours):
        filtered = "filtered lists have none; " if is_filtered else ""
        said = f"Changes are against {before}; {filtered}few: under 20 hits in one of the two; bold: more than chance"
        said += " (2 σ)."
    else:
        said = f"No change is shown: {before} has {of_hours(figures['previous_hours'], asked.hours)}."
    if not is_comparable(figures, "week", asked.hours):
        said += f" None is shown against {week}: it has {of_hours(figures['week_hours'], asked.hours)}."
    return said


def no_change(period: Row, now: datetime) -> str:
    """Why a week or month is not compared with the one before, in words; empty when it is.

    period: of ``reports_weeks`` or ``reports_months``.
    """
    start, end = period["period_start"], period["period_end"]
    if end > now:
        return "not over"
    if period["hours"] < (end - start) // HOUR:
        return "hours missing"
    # The week before is as long; a month ends where the next one starts.
    before = end - start if (end - start).days == 7 else start - (start - timedelta(days=1)).replace(day=1)
    known = period["previous_hours"] or 0
    return "" if known == before // HOUR else f"one before: {of_hours(known, before // HOUR)}"


def gaps(asked: Asked, steps: Sequence[Row], moment: datetime) -> list[dict[str, Any]]:
    """Spans of a longer range in which hours have no report, as the chart takes them; steps: of ``report_steps``."""
    reported = {row["step_start"]: row["hours"] for row in steps if row["revision"] == 1}
    found: list[dict[str, Any]] = []
    start = asked.start - (asked.start - datetime.fromtimestamp(0, asked.start.tzinfo)) % asked.step
    while start < asked.end:
        first, last = max(start, asked.start), min(start + asked.step, asked.end)
        hours, known = (last - first) // HOUR, reported.get(start, 0)
        if known < hours:
            is_open = first + HOUR + CLOSES_AFTER > moment
            words = "not published yet" if is_open and not known else of_hours(known, hours)
            if found and found[-1]["gap_end"] == first and found[-1]["words"] == words and not known:
                found[-1]["gap_end"] = last
            else:
                found.append({"gap_start": first, "gap_end": last, "words": words})
        start += asked.step
    least = LEAST_SHARE_WITH_WORDS * (asked.end - asked.start)
    return [gap if gap["gap_end"] - gap["gap_start"] >= least else gap | {"words": ""} for gap in found]


def missing_words(asked: Asked, clock: Clock, has_traffic: bool | None) -> str:
    """Why nothing of it has a report: it is due, or no line was counted. has_traffic: whether hours have lines."""
    if asked.known_at:
        return "Nothing was known then."
    due = next_due(asked, clock.now)
    if due is not None:
        return f"Not published yet: {'' if asked.kind == 'hour' else 'its next hour is '}due {clock.minute(due)}."
    if has_traffic:
        return f"Not published yet: due since {clock.minute(asked.end + CLOSES_AFTER)}."
    if has_traffic is None:
        return "Not published. Whether it has lines could not be read."
    return f"No line of this {asked.kind} has been counted."


def next_due(asked: Asked, now: datetime) -> datetime | None:
    """When the next of its hours closes; None when all have."""
    first = asked.start + HOUR + CLOSES_AFTER
    due = first + max(0, (now - first) // HOUR + 1) * HOUR
    return due if due <= asked.end + CLOSES_AFTER else None


def filter_words(filters: Mapping[str, str]) -> str:
    """this filter; these two filters"""
    number = sum(map(bool, filters.values()))
    return "this filter" if number == 1 else f"these {('no', 'one', 'two', 'three', 'four')[number]} filters"

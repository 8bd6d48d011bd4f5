"""From results of checks to what the scorecard shows: tables of checks, and their strips of days. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from plugins.pages.check_words import Verdict, tally, verdict_of
from sql.warehouse import Row

Day = Literal["passed", "warning", "critical", "none"]
# Taller is worse.
HEIGHTS: dict[Day, int] = {"none": 0, "passed": 4, "warning": 10, "critical": 16}


@dataclass(frozen=True)
class Window:
    """The hours a page looks at: whole UTC days, the last one included."""

    from_time: datetime
    until_time: datetime

    @property
    def days(self) -> list[datetime]:
        count = (self.until_time - self.from_time).days
        return [self.from_time + timedelta(days=day) for day in range(count)]

    def parameters(self) -> dict[str, str]:
        """As parameters of a query and of an address."""
        return {"from_time": zulu(self.from_time), "until_time": zulu(self.until_time)}


def zulu(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def last_days(now: datetime, days: int, until: datetime | None = None) -> Window:
    """So many UTC days, ending with today or with the day given."""
    last = (until or now).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(last - timedelta(days=days - 1), last + timedelta(days=1))


@dataclass(frozen=True)
class Suite:
    """A table's checks: those that fail stand first and alone, the rest may be folded."""

    name: str
    checks: list[Row]
    strip: list[Day]

    @property
    def counted(self) -> Counter[Verdict]:
        return tally(self.checks)

    @property
    def failing(self) -> list[Row]:
        return [check for check in self.checks if verdict_of(check) == "fails"]

    @property
    def newest_hour_start(self) -> datetime | None:
        """The newest hour that one of its checks looked at."""
        return max((check["hour_start"] for check in self.checks if check["hour_start"]), default=None)

    @property
    def owners(self) -> list[str]:
        return sorted({check["owner"] for check in self.checks})

    @property
    def worst(self) -> Literal["green", "amber", "red", "unchecked"]:
        if any(check["severity"] == "critical" for check in self.failing):
            return "red"
        if self.failing:
            return "amber"
        return "green" if self.counted["passes"] else "unchecked"


def suites(checks: Sequence[Row], strips: dict[tuple[str, str], list[Day]], failing_only: bool) -> list[Suite]:
    """The checks by table, in their order."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for check in checks:
        if not failing_only or verdict_of(check) == "fails":
            grouped[check["suite"]].append(check)
    return [
        Suite(name, members, worst_of([strips.get((name, check["expectation"]), []) for check in members]))
        for name, members in grouped.items()
    ]


def strips_of(
    days: Sequence[Row], severities: dict[tuple[str, str], str], window: Window
) -> dict[tuple[str, str], list[Day]]:
    """For each check, its worst result of each day of the window."""
    found: dict[tuple[str, str], dict[datetime, Day]] = defaultdict(dict)
    for row in days:
        key = (row["suite"], row["expectation"])
        found[key][row["day_start"]] = _day(row, severities.get(key, "warning"))
    return {key: [by_day.get(day, "none") for day in window.days] for key, by_day in found.items()}


def worst_of(strips: Sequence[Sequence[Day]]) -> list[Day]:
    """Day by day the worst of several strips."""
    longest = max((len(strip) for strip in strips), default=0)
    return [
        max((strip[day] for strip in strips if day < len(strip)), key=lambda result: HEIGHTS[result], default="none")
        for day in range(longest)
    ]


def _day(row: Row, severity: str) -> Day:
    if row["failed"] and severity != "waits":
        return "critical" if severity == "critical" else "warning"
    return "passed" if row["passed"] else "none"


def title(expectation: str) -> str:
    """report_is_fresh -> Report is fresh"""
    words = expectation.replace("_", " ")
    return words[:1].upper() + words[1:]

"""What an import says of lines that had been counted before."""

from __future__ import annotations

from datetime import UTC, datetime

from local.import_log import HourStates, duplicate_lines
from producers.ship_report import ShippedLog, ShippedSource, ShipReport

HOUR = datetime(2026, 11, 17, 10, tzinfo=UTC)


def report(*lines: int) -> ShipReport:
    """One log a number, all of the same source."""
    return ShipReport(logs=[ShippedLog(f"log{n}", [ShippedSource("s", "shop", lines=n)]) for n in lines])


def test_a_new_log_has_no_duplicates() -> None:
    assert duplicate_lines(report(10), before={}) == 0


def test_a_log_that_grew_has_its_old_lines_as_duplicates() -> None:
    assert duplicate_lines(report(12), before={"s": 10}) == 10


def test_an_old_copy_of_a_log_is_all_duplicates() -> None:
    assert duplicate_lines(report(8), before={"s": 10}) == 8


def test_a_copy_in_the_same_import_is_a_duplicate() -> None:
    assert duplicate_lines(report(10, 10), before={}) == 10


def test_hours_are_told_apart_by_report_and_seal() -> None:
    states = HourStates({"shop": {HOUR: ("reported", "green"), HOUR.replace(hour=11): ("reported", None)}})
    states.hours["shop"][HOUR.replace(hour=12)] = ("dirty", "green")
    states.hours["shop"][HOUR.replace(hour=13)] = ("open", None)
    assert states.unsealed() == [HOUR.replace(hour=11)]
    assert states.unreported() == [HOUR.replace(hour=12)]
    assert states.count("open") == 1
    assert states.seals() == {"green": 1, "unchecked": 1}

"""A report divides by, and compares with, only the time it knows of; the rest is hatched, and said to be missing."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from plugins.pages.charts import svg
from plugins.pages.report_coverage import change_words, filter_words, gaps, missing_words, next_due, no_change
from plugins.pages.report_gathering import bars
from plugins.pages.report_range import asked_range
from plugins.pages.times import Clock
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at

AS_OF = at("2026-06-09T00:00:00")
CLOCK = Clock(AS_OF, ZoneInfo("UTC"))
DAY = asked_range("day", at("2026-06-01T00:00:00"), None, "now")
WEEK = asked_range("range", at("2026-06-01T00:00:00"), at("2026-06-08T00:00:00"), "now")


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_no_change_is_said_unless_all_hours_of_both_periods_have_a_report() -> None:
    def said(hours: int, previous: int, week: int) -> str:
        return change_words(DAY, {"hours": hours, "previous_hours": previous, "week_hours": week}, CLOCK, False)

    assert said(24, 24, 24).startswith("Changes are against 31 May;")
    assert said(24, 6, 24) == "No change is shown: 31 May has 6 of 24 hours."
    assert said(24, 0, 24) == "No change is shown: 31 May has no report."
    assert said(23, 24, 24) == "No change is shown: only 23 of 24 hours have a report."
    assert said(24, 24, 7).endswith("None is shown against Mon 25 May: it has 7 of 24 hours.")


def test_a_week_or_month_is_compared_only_with_a_whole_one() -> None:
    def why(start: str, end: str, hours: int, previous: int | None) -> str:
        period = {"period_start": at(start), "period_end": at(end), "hours": hours, "previous_hours": previous}
        return no_change(period, AS_OF)

    week = ("2026-06-01T00:00:00", "2026-06-08T00:00:00")
    assert why(*week, 168, 168) == ""
    assert why(*week, 168, 100) == "one before: 100 of 168 hours"
    assert why(*week, 168, None) == "one before: no report"
    assert why(*week, 167, 168) == "hours missing"
    assert why("2026-06-08T00:00:00", "2026-06-15T00:00:00", 24, 168) == "not over"
    may = ("2026-05-01T00:00:00", "2026-06-01T00:00:00")  # April has 30 days
    assert why(*may, 744, 720) == "" and why(*may, 744, 719) == "one before: 719 of 720 hours"


def test_days_without_a_report_are_gaps_and_half_known_ones_say_how_much_is_known() -> None:
    steps = [
        {"step_start": at(f"2026-06-0{day}T00:00:00"), "revision": 1, "hours": hours, "hits_added": 5}
        for day, hours in ((1, 24), (3, 6), (4, 24))
    ]
    found = gaps(WEEK, steps, AS_OF)
    assert [(gap["gap_start"].day, gap["gap_end"].day, gap["words"]) for gap in found] == [
        (2, 3, "no report"),
        (3, 4, "6 of 24 hours"),
        (5, 8, "no report"),
    ]
    early = gaps(WEEK, steps, at("2026-06-05T12:00:00"))
    assert [gap["words"] for gap in early[-2:]] == ["no report", "not published yet"]
    made = bars(WEEK, steps, CLOCK)
    assert len(json.loads(made["bars"])["gaps"]) == 3
    assert made["bars_summary"].endswith("Hatched: hours without a report.")
    drawn = svg("hits_by_time", made["bars"], "light", 600)
    assert drawn.count("gap_marks") == 1 and "6 of 24 hours" in drawn and "no report" in drawn
    assert (
        gaps(
            DAY, [{"step_start": DAY.start + timedelta(hours=n), "revision": 1, "hours": 1} for n in range(24)], AS_OF
        )
        == []
    )


def test_a_range_off_midnight_counts_only_its_own_hours_of_a_day() -> None:
    asked = asked_range("range", at("2026-06-01T06:00:00"), at("2026-06-05T06:00:00"), "now")
    hours = (18, 24, 24, 24, 6)
    steps = [
        {"step_start": at(f"2026-06-0{day}T00:00:00"), "revision": 1, "hours": known}
        for day, known in enumerate(hours, 1)
    ]
    assert gaps(asked, steps, AS_OF) == []
    assert [gap["gap_start"] for gap in gaps(asked, steps[1:], AS_OF)] == [asked.start]


def test_what_has_no_report_yet_says_when_it_is_due() -> None:
    hour = asked_range("hour", at("10:00:00"), None, "now")

    def said(asked: Any, now: str, has_traffic: bool = True) -> str:
        return missing_words(asked, Clock(at(now), ZoneInfo("UTC")), has_traffic)

    assert said(hour, "10:30:00") == said(hour, "11:04:59") == "Not published yet: due 11:05."
    assert said(hour, "11:05:00") == "Not published yet: due since 11:05."
    assert said(hour, "11:05:00", has_traffic=False) == "No line of this hour has been counted."
    assert said(DAY, "00:30:00") == "Not published yet: its next hour is due 01:05."
    assert next_due(DAY, at("2026-06-01T23:10:00")) == at("2026-06-02T00:05:00")
    assert next_due(DAY, at("2026-06-02T00:05:00")) is None
    then = asked_range("hour", at("10:00:00"), None, "2026-06-01T11:00Z")
    assert said(then, "12:00:00") == "Nothing was known then."


def test_filters_are_counted_in_words() -> None:
    filters = {"page": "/a", "country": "", "status_class": "", "agent_class": ""}
    assert filter_words(filters) == "this filter"
    assert filter_words(filters | {"country": "DE"}) == "these two filters"
    assert filter_words(dict.fromkeys(filters, "x")) == "these four filters"


@pytest.mark.services
def test_rates_are_over_the_hours_that_have_a_report_and_changes_between_whole_periods_only(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    # Each hour at 1 hit a second: 8 to 10 has one of two hours, 10 to 12 both.
    for hour in ("09", "10", "11"):
        traffic.batch(Cell(f"{hour}:00:00", hits=3600))
    publish_hours(reporter, AS_OF)
    viewer = filled("viewer")
    address = "/footfall/reports/range?site=shop&start=2026-06-01T{}:00Z&end=2026-06-01T{}:00Z"
    half = words(viewer.get(address.format("08", "10")).text)
    assert "3,600 1.0/s over 1 of 2 hours" in half
    assert "1 of 2 hours have a report, the last first published" in half
    whole = viewer.get(address.format("10", "12")).text
    assert "7,200 1.0/s" in words(whole) and "All its hours have a report" in words(whole)
    assert "No change is shown: 1 Jun 08:00 – 1 Jun 10:00 has 1 of 2 hours." in words(whole)
    assert "+100" not in whole


@pytest.mark.services
def test_figures_stand_beside_the_period_before_and_the_week_before(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    for day, hour, errors in (("2026-05-25", 10, 30), ("2026-06-01", 9, 10), ("2026-06-01", 10, 20)):
        start = f"{day}T{hour:02d}:00:00"
        latency = 1000 * errors
        traffic.batch(
            Cell(start, hits=100 - errors, latency_us=latency),
            Cell(start, "/gone", "DE", 4, hits=errors, latency_us=latency),
        )
    publish_hours(reporter, AS_OF)
    page = filled("viewer").get("/footfall/reports/hour?site=shop&start=2026-06-01T10:00Z").text
    figures = words(page.split('<dl class="figures"')[1].split("</dl>")[0])
    assert "+10.00 points on 09:00 – 10:00 −10.00 points on Mon 25 May, 10:00" in figures
    assert re.search(r"p95 \+10 ms on 09:00 – 10:00 p95 −10 ms on Mon 25 May, 10:00", figures)
    sent = figures.split("Data sent")[1]
    assert "0 % on 09:00 – 10:00" in sent and "on Mon 25 May, 10:00" in sent


@pytest.mark.services
def test_an_hour_without_a_report_says_so_in_every_block_and_filtered_lists_show_what_is_counted(
    traffic: CountedTraffic, filled: Client
) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    due = f"{hour + timedelta(minutes=65):%H:%M}"
    traffic.batch(Cell(f"{hour:%Y-%m-%dT%H:%M:%S}", "/cart", hits=40))
    address = f"/footfall/reports/hour?site=shop&start={hour:%Y-%m-%dT%H:%MZ}"
    viewer = filled("viewer")
    page = words(viewer.get(address).text)
    assert page.count(f"Not published yet: due {due}.") == 11  # seal, figures, bars, revisions, seven lists
    assert "No hit" not in page and "Nothing is known" not in page
    filtered = words(viewer.get(f"{address}&page=/cart").text)
    assert "/cart 40 100.0" in filtered and "No hits match" not in filtered
    none = words(viewer.get(f"{address}&page=/no&country=US").text)
    assert none.count("No hits match these two filters in") == 4


@pytest.mark.services
def test_a_day_starts_at_midnight(client: Client) -> None:
    answer = client("viewer").get("/footfall/reports/day?start=2026-06-01T15:00Z")
    assert answer.status_code == 422
    assert "A day starts at midnight, UTC." in answer.text

# ruff: noqa: S608
"""Visits belong to the day they began on, whole; it is reported when they have ended, and when they change."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from sql.daily_reports import publish_visits
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, select

pytestmark = pytest.mark.services

AS_OF = at("2026-08-01T00:00:00")
REVISIONS = "SELECT revision, cause, visits_delta FROM report.visit_revision ORDER BY revision"


def test_visits_are_counted_by_agent_class_with_bounces_durations_and_their_first_and_last_page(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.visit("08:00:00", "08:10:00", visitor=1, hits=9, page_views=4, entry="/home", exit_="/cart")
    traffic.visit("09:00:00", "09:00:00", visitor=2, hits=1, page_views=1, entry="/home", exit_="/home")
    traffic.visit("10:00:00", "10:00:30", visitor=3, hits=3, page_views=0, client_errors=1, agent_class="bot")
    traffic.visit("11:00:00", "11:00:30", visitor=4, hits=30, page_views=0, client_errors=30, agent_class="scanner")
    traffic.visit("2026-06-02T00:00:00", "2026-06-02T00:01:00", visitor=5)
    (first, second) = publish_visits(reporter, AS_OF)
    assert (first.day_start, first.revision, first.cause, first.visits_delta) == (
        at("00:00:00"), 1, "first report", 3,
    )  # fmt: skip
    assert (second.day_start, second.visits_delta) == (at("2026-06-02T00:00:00"), 1)
    day = "WHERE day_start = '2026-06-01Z' ORDER BY agent_class"
    assert select(
        reader,
        "SELECT agent_class, visits, bounces, page_views, duration_seconds_sum, hits, bounce_share,"
        f" page_views_per_visit, mean_duration_seconds FROM report.current_daily_visit {day}",
    ) == [("bot", 1, 1, 0, Decimal(30), 3, 1.0, 0.0, 30.0), ("human", 2, 1, 5, Decimal(600), 10, 0.5, 2.5, 300.0)]
    assert select(reader, f"SELECT path, visits FROM report.current_daily_entry_page {day}, path") == [("/home", 2)]
    assert select(reader, f"SELECT path, visits FROM report.current_daily_exit_page {day}, path") == [
        ("/cart", 1),
        ("/home", 1),
    ]
    assert publish_visits(reporter, AS_OF) == []
    # The same of any range, as counted now.
    hours = "'shop', '2026-06-01T08:00Z', '2026-06-01T10:00Z'"
    assert select(
        reader,
        f"SELECT agent_class, visits, bounces, page_views, duration_seconds_sum, hits FROM report.visits({hours})",
    ) == [("human", 2, 1, 5, Decimal(600), 10)]
    assert select(reader, f"SELECT path, visits FROM report.entry_pages({hours})") == [("/home", 2)]


def test_a_visit_over_midnight_belongs_to_the_day_it_began_on_and_is_waited_for(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.visit("23:50:00", "2026-06-02T00:20:00", hits=5)
    ended = at("2026-06-02T00:55:00")
    assert publish_visits(reporter, ended - timedelta(seconds=1)) == []
    assert len(publish_visits(reporter, ended)) == 1
    assert select(reader, "SELECT day_start, visits, duration_seconds_sum FROM report.current_daily_visit") == [
        (at("00:00:00"), 1, Decimal(1800))
    ]


def test_a_visit_that_does_not_end_is_waited_for_until_half_past_one_and_reported_on_afterwards(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.visit("23:50:00", "2026-06-02T01:29:00", hits=500)
    half_past_one = at("2026-06-02T01:30:00")
    assert publish_visits(reporter, half_past_one - timedelta(seconds=1)) == []
    (first,) = publish_visits(reporter, half_past_one)
    assert (first.revision, first.visits_delta) == (1, 1)
    traffic.visit("23:50:00", "2026-06-03T00:00:00", hits=800)
    (second,) = publish_visits(reporter, at("2026-06-03T00:40:00"))
    assert (second.revision, second.cause, second.visits_delta) == (2, "visits went on", 0)
    assert select(reader, "SELECT revision, hits FROM report.daily_visit ORDER BY revision") == [(1, 500), (2, 800)]


def test_visits_joined_by_a_late_line_to_the_day_before_leave_their_own_day_without_any(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    second_day = "2026-06-02T00:10:00"
    traffic.visit("23:20:00", "23:20:00", visitor=1)
    traffic.visit(second_day, second_day, visitor=1)
    assert len(publish_visits(reporter, AS_OF)) == 2
    # A line of 23:45 comes: the two are one visit, as the stream job writes it.
    traffic.execute("DELETE FROM stream.visit WHERE started_at = %(at)s", {"at": at(second_day)})
    traffic.visit("23:20:00", second_day, visitor=1, hits=3)
    assert [(one.day_start.day, one.revision, one.visits_delta) for one in publish_visits(reporter, AS_OF)] == [
        (1, 2, 0), (2, 2, -1),
    ]  # fmt: skip
    assert select(reader, "SELECT day_start, visits FROM report.current_daily_visit") == [(at("00:00:00"), 1)]


def test_a_day_of_nothing_but_client_errors_is_reported_to_have_no_visits(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.visit("08:00:00", "08:00:30", hits=30, page_views=0, client_errors=30, agent_class="scanner")
    (first,) = publish_visits(reporter, AS_OF)
    assert (first.revision, first.cause, first.visits_delta) == (1, "first report", 0)
    assert select(reader, "SELECT visits FROM report.current_daily_visit") == []
    assert publish_visits(reporter, AS_OF) == []


def test_late_lines_make_the_next_revision_and_keep_the_one_before(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("08:00:00"))
    traffic.visit("08:00:00", "08:10:00", visitor=1)
    publish_visits(reporter, AS_OF)
    traffic.batch(Cell("09:00:00"))
    traffic.visit("09:00:00", "09:00:00", visitor=2, entry="/late", exit_="/late")
    publish_visits(reporter, AS_OF)
    assert select(reader, REVISIONS) == [(1, "first report", 1), (2, "late data", 1)]
    assert select(reader, "SELECT revision, visits FROM report.daily_visit ORDER BY revision") == [(1, 1), (2, 2)]
    assert select(reader, "SELECT path FROM report.current_daily_entry_page ORDER BY path") == [
        ("/home",),
        ("/late",),
    ]


def test_a_day_whose_visits_only_moved_their_exit_is_a_revision_too(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.visit("08:00:00", "08:10:00", exit_="/home")
    publish_visits(reporter, AS_OF)
    traffic.visit("08:00:00", "08:10:00", exit_="/cart")
    (second,) = publish_visits(reporter, AS_OF)
    assert (second.revision, second.cause, second.visits_delta) == (2, "corrected data", 0)
    assert select(reader, "SELECT path FROM report.current_daily_exit_page") == [("/cart",)]

"""Hour reports: closed hours, revisions, what moved; reruns and late data."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sql.daily_reports import publish_days
from sql.hourly_reports import open_hours, publish_hours
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, select

pytestmark = pytest.mark.services


def test_a_report_is_the_sum_of_its_hours_buckets_by_each_dimension(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:00:00", "/home", "DE", 2, hits=3),
        Cell("10:30:00", "/home", "FR", 4, hits=2),
        Cell("10:59:50", "/cart", "", 5, hits=1),
        Cell("11:00:00", "/home", "DE", 2, hits=50),
        Cell("10:10:00", "/home", "DE", 2, hits=7, site="blog"),
    )
    published = publish_hours(reporter, as_of=at("11:05:00"))
    assert [(p.site, p.hour_start, p.revision, p.cause, p.hits_delta) for p in published] == [
        ("blog", at("10:00:00"), 1, "first report", 7),
        ("shop", at("10:00:00"), 1, "first report", 6),
    ]
    assert select(
        reader,
        "SELECT site, hits, bytes_sent, client_errors, server_errors, latency_us_sum, latency_count, mean_latency_ms"
        " FROM report.current_hourly_traffic ORDER BY site",
    ) == [("blog", 7, 700, 0, 0, 14000, 7, 2), ("shop", 6, 600, 2, 1, 12000, 6, 2)]
    assert select(
        reader,
        "SELECT path, hits, client_errors, server_errors FROM report.current_hourly_page WHERE site = 'shop'"
        " ORDER BY path",
    ) == [("/cart", 1, 0, 1), ("/home", 5, 2, 0)]
    assert select(
        reader,
        "SELECT country, hits, bytes_sent FROM report.current_hourly_country WHERE site = 'shop' ORDER BY country",
    ) == [("", 1, 100), ("DE", 3, 300), ("FR", 2, 200)]
    assert select(
        reader,
        "SELECT status_class, hits FROM report.current_hourly_status WHERE site = 'shop' ORDER BY status_class",
    ) == [(2, 3), (4, 2), (5, 1)]


def test_an_hour_is_reported_five_minutes_after_its_end_and_not_before(
    traffic: CountedTraffic, reporter: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    too_early = at("11:05:00") - timedelta(seconds=1)
    assert publish_hours(reporter, as_of=too_early, start=at("10:00:00"), end=at("11:00:00")) == []
    assert [(h.hour_start, h.closes_at) for h in open_hours(reporter, as_of=too_early)] == [
        (at("10:00:00"), at("11:05:00"))
    ]
    assert len(publish_hours(reporter, as_of=at("11:05:00"))) == 1
    assert open_hours(reporter, as_of=at("11:05:00")) == []


def test_a_range_is_half_open_and_limits_what_is_reported(traffic: CountedTraffic, reporter: Warehouse) -> None:
    traffic.batch(Cell("08:00:00"), Cell("09:00:00"), Cell("10:00:00"))
    published = publish_hours(reporter, as_of=at("23:00:00"), start=at("09:00:00"), end=at("10:00:00"))
    assert [p.hour_start for p in published] == [at("09:00:00")]


def test_a_rerun_of_an_unchanged_hour_changes_nothing(
    traffic: CountedTraffic, reporter: Warehouse, admin: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, as_of=at("12:00:00"))
    tables = (
        "hour_revision", "hour_checked", "hourly_traffic", "hourly_page", "hourly_country", "hourly_status",
    )  # fmt: skip
    before = {table: select(admin, f"SELECT *, xmin FROM report.{table}") for table in tables}  # noqa: S608
    assert publish_hours(reporter, as_of=at("12:00:00")) == []
    assert {table: select(admin, f"SELECT *, xmin FROM report.{table}") for table in tables} == before  # noqa: S608


def test_late_data_makes_the_next_revision_which_says_what_moved_and_keeps_the_old_one(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    first = traffic.batch(Cell("10:00:00", "/home", hits=3))
    publish_hours(reporter, as_of=at("12:00:00"))
    last = traffic.batch(Cell("10:59:50", "/cart", status_class=5, hits=2))
    assert select(reader, "SELECT state FROM report.hour_state") == [("dirty",)]
    (published,) = publish_hours(reporter, as_of=at("12:00:00"))
    assert (published.revision, published.cause, published.hits_delta) == (2, "late data", 2)
    assert select(
        reader,
        "SELECT revision, cause, hits_delta, bytes_sent_delta, client_errors_delta, server_errors_delta, pages_moved,"
        " from_ledger_id, ledger_id FROM report.hour_revision ORDER BY revision",
    ) == [
        (1, "first report", 3, 300, 0, 0, 1, None, first),
        (2, "late data", 2, 200, 0, 2, 1, first, last),
    ]
    assert select(reader, "SELECT revision, hits, ledger_id FROM report.hourly_traffic ORDER BY revision") == [
        (1, 3, first),
        (2, 5, last),
    ]
    assert select(reader, "SELECT revision, hits FROM report.current_hourly_traffic") == [(2, 5)]
    assert select(reader, "SELECT path, hits FROM report.current_hourly_page ORDER BY path") == [
        ("/cart", 2),
        ("/home", 3),
    ]


def test_an_hour_touched_without_a_change_gets_no_revision_but_is_known_to_be_right_up_to_now(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, as_of=at("12:00:00"))
    last = traffic.batch(Cell("15:00:00"))
    traffic.execute("UPDATE stream.touched_hour SET last_ledger_id = %(last)s", {"last": last})
    assert publish_hours(reporter, as_of=at("12:00:00")) == []
    assert select(reader, "SELECT revision, ledger_id FROM report.hour_checked") == [(1, last)]
    assert select(reader, "SELECT state FROM report.hour_state WHERE revision IS NOT NULL") == [("reported",)]


def test_numbers_that_only_moved_between_pages_are_a_correction(
    traffic: CountedTraffic, reporter: Warehouse, admin: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", "/home", hits=3), Cell("10:00:00", "/cart", hits=3))
    publish_hours(reporter, as_of=at("12:00:00"))
    select_pages = "SELECT page_id FROM stream.page WHERE path = '/cart'"
    (cart,) = select(admin, select_pages)
    with admin.transaction() as cursor:
        cursor.execute(
            "UPDATE stream.traffic_bucket SET latency_count = 0,"
            " hits = hits + CASE page_id WHEN %s THEN 1 ELSE -1 END",
            cart,
        )
        cursor.execute("UPDATE stream.touched_hour SET last_ledger_id = last_ledger_id + 1")
    (published,) = publish_hours(reporter, as_of=at("12:00:00"))
    assert (published.revision, published.cause, published.hits_delta) == (2, "corrected data", 0)


def test_a_day_adds_up_its_hours_and_gets_a_revision_when_one_of_them_does(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("00:00:00", hits=1), Cell("23:59:50", hits=2, status_class=4), Cell("2026-06-02T00:00:00", hits=50)
    )
    publish_hours(reporter, as_of=at("2026-06-02T00:05:00"))
    assert publish_days(reporter, as_of=at("2026-06-02T00:04:59")) == []
    (day,) = publish_days(reporter, as_of=at("2026-06-02T00:05:00"))
    assert (day.site, day.day_start, day.revision, day.hours, day.hits_delta) == ("shop", at("00:00:00"), 1, 2, 3)
    assert publish_days(reporter, as_of=at("2026-06-02T00:05:00")) == []

    traffic.batch(Cell("12:00:00", hits=4))
    publish_hours(reporter, as_of=at("2026-06-02T00:05:00"))
    (day,) = publish_days(reporter, as_of=at("2026-06-02T00:05:00"))
    assert (day.revision, day.hours, day.hits_delta) == (2, 3, 4)
    assert select(
        reader, "SELECT revision, hits, bytes_sent, client_errors, hours FROM report.current_daily_traffic"
    ) == [(2, 7, 700, 2, 3)]

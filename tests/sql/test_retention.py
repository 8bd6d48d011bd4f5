"""What is old goes without changing a published number; what is not settled stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from spark_jobs.retention import compact_hours, expire_sketches, expire_visits
from sql.daily_reports import publish_visits
from sql.hourly_reports import publish_hours
from sql.warehouse import DatabaseError, Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services

NOW = datetime.now(UTC)  # the functions look at the database's clock, too

CELLS = (
    Cell("10:00:00", hits=3),
    Cell("10:00:10", hits=2),
    Cell("10:59:50", hits=1, path="/b", country="FR"),
    Cell("10:30:00", hits=7, site="blog"),
    Cell("11:00:00", hits=4),
    Cell("12:00:00", hits=1),
    Cell("12:00:00", hits=1, site="blog"),
)
SUMS = (
    "SELECT date_trunc('hour', bucket_start) AS hour, page_id, country, status_class, agent_class, sum(hits) AS hits,"
    " sum(bytes_sent) AS bytes_sent, sum(latency_us_sum) AS latency_us_sum, sum(latency_count) AS latency_count"
    " FROM stream.traffic_bucket GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3"
)
STARTS = "SELECT DISTINCT to_char(bucket_start, 'HH24:MI:SS') AS start FROM stream.traffic_bucket ORDER BY 1"


def reported(admin: Warehouse, days_ago: float) -> None:
    """All hours are reported and right, and have been for so many days."""
    execute(
        admin,
        "INSERT INTO report.hour_revision (site, hour_start, revision, cause, hits_delta, bytes_sent_delta,"
        " client_errors_delta, server_errors_delta, pages_moved, ledger_id)"
        " SELECT site, hour_start, 1, 'first report', 1, 1, 0, 0, 1, last_ledger_id FROM stream.touched_hour"
        " ON CONFLICT DO NOTHING",
    )
    execute(
        admin,
        "INSERT INTO report.hour_checked (site, hour_start, revision, ledger_id, checked_at)"
        " SELECT site, hour_start, 1, last_ledger_id, %(at)s FROM stream.touched_hour ON CONFLICT (site, hour_start)"
        " DO UPDATE SET ledger_id = excluded.ledger_id, checked_at = excluded.checked_at",
        {"at": NOW - timedelta(days=days_ago)},
    )
    execute(
        admin,
        "INSERT INTO report.visit_revision (site, day_start, revision, cause, visits_delta, ledger_id)"
        " SELECT DISTINCT site, date_trunc('day', started_at, 'UTC'), 1, 'first report', 1, 1 FROM stream.visit"
        " ON CONFLICT DO NOTHING",
    )


def test_old_buckets_are_summed_up_by_the_hour_and_every_sum_stays(traffic: CountedTraffic, admin: Warehouse) -> None:
    traffic.batch(*CELLS)
    reported(admin, 63)
    before = select(admin, SUMS)
    assert compact_hours(traffic.warehouse, NOW, days=62) == 2
    assert select(admin, SUMS) == before
    assert select(admin, STARTS) == [("10:00:00",), ("11:00:00",), ("12:00:00",)]
    assert compact_hours(traffic.warehouse, NOW, days=62) == 0


def test_a_late_line_adds_to_what_was_summed_up_and_is_summed_up_in_its_turn(
    traffic: CountedTraffic, admin: Warehouse
) -> None:
    traffic.batch(*CELLS)
    reported(admin, 63)
    compact_hours(traffic.warehouse, NOW, days=62)
    traffic.batch(Cell("10:00:00"), Cell("10:20:00"))
    assert select(
        admin, "SELECT sum(hits) AS hits FROM stream.traffic_bucket WHERE bucket_start < '2026-06-01 11:00+00'"
    ) == [(15,)]
    assert compact_hours(traffic.warehouse, NOW, days=62) == 0  # its report is not right yet
    reported(admin, 63)
    assert compact_hours(traffic.warehouse, NOW, days=62) == 1
    assert select(admin, STARTS) == [("10:00:00",), ("11:00:00",), ("12:00:00",)]


@pytest.mark.parametrize("days_ago", [61, 0])
def test_an_hour_reported_lately_keeps_its_detail_however_old_its_lines_are(
    traffic: CountedTraffic, admin: Warehouse, days_ago: float
) -> None:
    traffic.batch(*CELLS)
    reported(admin, days_ago)
    assert compact_hours(traffic.warehouse, NOW, days=62) == 0
    assert len(select(admin, STARTS)) == 6


def test_an_hour_of_two_sites_waits_for_both(traffic: CountedTraffic, admin: Warehouse) -> None:
    traffic.batch(*CELLS)
    reported(admin, 63)
    execute(admin, "DELETE FROM report.hour_checked WHERE site = 'blog'")
    assert compact_hours(traffic.warehouse, NOW, days=62) == 1  # 11:00, which only the shop has


def test_histograms_are_added_up_bin_by_bin(traffic: CountedTraffic, admin: Warehouse) -> None:
    traffic.batch(*CELLS)
    for start, bins, counts, largest in (("10:00:00", [3, 5], [1, 2], 70), ("10:30:00", [5, 9], [4, 1], 90)):
        traffic.execute(
            "INSERT INTO stream.latency_bin VALUES (%(start)s, 99, %(bins)s::smallint[], %(counts)s, %(largest)s)",
            {"start": at(start), "bins": bins, "counts": counts, "largest": largest},
        )
    reported(admin, 63)
    compact_hours(traffic.warehouse, NOW, days=62)
    assert select(
        admin, "SELECT bucket_start, bins, counts, latency_us_max FROM stream.latency_bin WHERE page_id = 99"
    ) == [(at("10:00:00"), [3, 5, 9], [1, 6, 1], 90)]


def visit(traffic: CountedTraffic, started_at: str, visitor: int) -> None:
    traffic.execute(
        "INSERT INTO stream.visit (site, key_id, visitor, started_at, ended_at, hits, page_views, client_errors,"
        " line_class) VALUES ('shop', '2026-06', %(visitor)s, %(at)s, %(at)s, 1, 0, 0, 'human')",
        {"visitor": visitor, "at": at(started_at)},
    )


def keyed(traffic: CountedTraffic) -> None:
    traffic.execute(
        "INSERT INTO stream.visitor_key VALUES ('2026-06', '2026-06-01', '2026-07-01') ON CONFLICT DO NOTHING"
    )


def test_visits_go_by_whole_settled_days_with_the_lists_of_own_rows(
    traffic: CountedTraffic, admin: Warehouse
) -> None:
    keyed(traffic)
    traffic.batch(*CELLS, Cell("2026-06-02T00:00:00"))
    for started_at, visitor in (("10:00:00", 1), ("10:00:00", 2), ("2026-06-02T00:00:00", 1)):
        visit(traffic, started_at, visitor)
        traffic.execute(
            "INSERT INTO stream.own_row VALUES ('shop', date_trunc('day', %(at)s, 'UTC'), 'page', %(path)s)",
            {"at": at(started_at), "path": f"/{visitor}"},
        )
    reported(admin, 63)
    execute(admin, "DELETE FROM report.hour_checked WHERE hour_start >= '2026-06-02'")
    assert expire_visits(traffic.warehouse, NOW, days=62) == 2
    assert select(admin, "SELECT started_at FROM stream.visit") == [(at("2026-06-02T00:00:00"),)]
    assert select(admin, "SELECT value FROM stream.own_row") == [("/1",)]
    assert select(admin, "SELECT detail, site, period_start FROM stream.expired_detail") == [
        ("visits", "shop", at("00:00:00"))
    ]


def test_visits_that_no_report_has_yet_stay(traffic: CountedTraffic, admin: Warehouse) -> None:
    keyed(traffic)
    traffic.batch(*CELLS)
    visit(traffic, "10:00:00", 1)
    reported(admin, 63)
    execute(admin, "DELETE FROM report.visit_revision")
    assert expire_visits(traffic.warehouse, NOW, days=62) == 0


def test_a_day_whose_visits_are_gone_keeps_its_last_report_when_a_line_comes_later(
    traffic: CountedTraffic, admin: Warehouse, reporter: Warehouse
) -> None:
    keyed(traffic)
    traffic.batch(*CELLS)
    visit(traffic, "10:00:00", 1)
    visit(traffic, "10:00:00", 2)
    assert len(publish_visits(reporter, NOW)) == 1
    before = select(admin, "SELECT visits FROM report.current_daily_visit")
    reported(admin, 63)
    assert expire_visits(traffic.warehouse, NOW, days=62) == 2
    visit(traffic, "10:00:00", 3)
    assert publish_visits(reporter, NOW) == []
    assert select(admin, "SELECT visits FROM report.current_daily_visit") == before == [(2,)]


def test_an_hour_whose_sketches_are_gone_still_counts_its_visitors_when_a_line_comes_later(
    traffic: CountedTraffic, admin: Warehouse, reporter: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3, visitors=(1, 2)))
    publish_hours(reporter, NOW)
    execute(admin, "UPDATE report.hour_checked SET checked_at = %(at)s", {"at": NOW - timedelta(days=401)})
    assert expire_sketches(traffic.warehouse, NOW, days=400) == 1
    traffic.batch(Cell("10:00:20", visitors=(3,)))
    publish_hours(reporter, NOW)
    assert select(admin, "SELECT revision, hits, visitors FROM report.hourly_traffic ORDER BY 1") == [
        (1, 3, 2),
        (2, 4, 3),
    ]


def test_sketches_go_only_with_settled_hours(traffic: CountedTraffic, admin: Warehouse) -> None:
    traffic.batch(*CELLS)
    reported(admin, 401)
    execute(admin, "UPDATE report.hour_checked SET ledger_id = 0 WHERE hour_start = '2026-06-01 11:00+00'")
    assert expire_sketches(traffic.warehouse, NOW, days=400) == 5
    assert select(admin, "SELECT site, minute_start FROM stream.visitor_sketch") == [("shop", at("11:00:00"))]


def test_whatever_it_is_asked_the_job_deletes_nothing_of_the_last_week(
    traffic: CountedTraffic, admin: Warehouse
) -> None:
    keyed(traffic)
    traffic.batch(*CELLS)
    visit(traffic, "10:00:00", 1)
    reported(admin, 6)
    asked = (compact_hours, expire_visits, expire_sketches)
    assert [expire(traffic.warehouse, NOW, days=-9999) for expire in asked] == [0, 0, 0]
    with pytest.raises(DatabaseError, match="permission denied"):
        traffic.execute("DELETE FROM stream.traffic_bucket")

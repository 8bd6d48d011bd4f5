"""Live views against small tables, read as the role users have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services


def test_a_window_is_the_sum_of_three_buckets_one_every_ten_seconds_across_hours_and_only_where_there_is_traffic(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:59:50", hits=1),
        Cell("11:00:00", hits=10, status_class=4),
        Cell("11:00:20", hits=100, status_class=5),
        Cell("15:00:00", hits=7, site="blog"),
    )
    assert select(
        reader,
        "SELECT window_start, hits, client_errors, server_errors FROM report.live_window WHERE site = 'shop'"
        " ORDER BY window_start",
    ) == [
        (at("10:59:30"), 1, 0, 0),
        (at("10:59:40"), 11, 10, 0),
        (at("10:59:50"), 11, 10, 0),
        (at("11:00:00"), 110, 10, 100),
        (at("11:00:10"), 100, 0, 100),
        (at("11:00:20"), 100, 0, 100),
    ]
    assert select(
        reader,
        "SELECT window_start, window_end - window_start AS length, hits, bytes_sent, mean_latency_ms"
        " FROM report.live_window WHERE window_start > '2026-06-01T14:59:45Z' ORDER BY window_start",
    ) == [
        (at("14:59:50"), timedelta(seconds=30), 7, 700, 2),
        (at("15:00:00"), timedelta(seconds=30), 7, 700, 2),
    ]


def test_live_totals_stay_exact_before_and_after_a_report_and_with_late_data(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    query = (
        "SELECT site, hits, bytes_sent, client_errors, server_errors, last_bucket_start"
        " FROM report.live_total ORDER BY site"
    )
    traffic.batch(Cell("10:00:00", hits=3), Cell("11:00:00", hits=4, status_class=4), Cell("10:00:00", site="blog"))
    before = [("blog", 1, 100, 0, 0, at("10:00:00")), ("shop", 7, 700, 4, 0, at("11:00:00"))]
    assert select(reader, query) == before
    publish_hours(reporter, as_of=at("11:30:00"))
    assert select(reader, query) == before
    traffic.batch(Cell("10:59:50", hits=5, status_class=5))
    assert select(reader, query) == [before[0], ("shop", 12, 1200, 4, 5, at("11:00:00"))]


def test_hot_pages_and_countries_are_of_the_five_minutes_up_to_the_sites_newest_bucket(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:55:00", "/old", "US", hits=9),
        Cell("10:55:10", "/home", "FR", hits=2),
        Cell("11:00:00", "/home", "DE", hits=3, status_class=5),
        Cell("15:00:00", "/blog", site="blog"),
    )
    pages = (
        "SELECT path, hits, server_errors, window_start, window_end FROM report.live_page WHERE site = 'shop'"
        " ORDER BY hits DESC"
    )
    assert select(reader, pages) == [("/home", 5, 3, at("10:55:10"), at("11:00:10"))]
    assert select(reader, "SELECT country, hits FROM report.live_country WHERE site = 'shop' ORDER BY country") == [
        ("DE", 3),
        ("FR", 2),
    ]


def test_live_visitors_are_of_thirty_minutes_and_live_percentiles_of_thirty_seconds(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:29:50", visitors=(7, 8)),
        Cell("10:30:00", visitors=(1, 2), latency_us=900_000),
        Cell("10:59:20", visitors=(2, 3), latency_us=500_000),
        Cell("10:59:30", visitors=(3,), hits=19, latency_us=1_000),
        Cell("10:59:50", "/cart", visitors=(4,), latency_us=80_000, agent_class="bot"),
    )
    live = (
        "SELECT visitors, visitors_bound, round(p50_ms) AS p50, round(p95_ms) AS p95, p99_ms FROM report.live_total"
    )
    ((visitors, bound, p50, p95, p99),) = select(reader, live)
    # Of 20 latencies p95 is at place 18, and p99 as well.
    assert (visitors, bound, p50, p95) == (4, 0, 1, 1)
    assert p99 < 2
    pages = "SELECT path, round(p95_ms) AS p95 FROM report.live_page ORDER BY path"
    assert select(reader, pages) == [("/cart", 80), ("/home", 1)]
    assert select(reader, "SELECT agent_class, hits FROM report.live_agent ORDER BY agent_class") == [
        ("bot", 1),
        ("human", 20),
    ]
    assert select(reader, "SELECT status_class, hits, bytes_sent FROM report.live_status") == [(2, 21, 2100)]


def test_live_visitors_are_unknown_without_sketches_and_where_two_keys_meet_and_zero_where_nobody_came(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:00:00", status_class=4, site="empty"),
        Cell("10:00:00", site="keys"),
        Cell("10:00:00", site="keys", key_id="2026-06.2"),
        Cell("10:00:00", site="lost"),
    )
    traffic.execute("DELETE FROM stream.visitor_sketch WHERE site = 'lost'")
    assert select(reader, "SELECT site, visitors FROM report.live_total ORDER BY site") == [
        ("empty", 0),
        ("keys", None),
        ("lost", None),
    ]


def test_the_newest_windows_are_found_without_summing_the_others(traffic: CountedTraffic, reader: Warehouse) -> None:
    traffic.batch(*(Cell(f"{hour:02}:00:00") for hour in range(24)))
    (plan,) = execute(
        reader, "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM report.live_window ORDER BY window_start DESC LIMIT 3"
    )

    def sums(node: dict[str, object]) -> list[int]:
        children = node.get("Plans", [])
        assert isinstance(children, list)
        own = [int(str(node["Actual Loops"]).split(".")[0])] if node["Node Type"] == "Aggregate" else []
        return own + [loops for child in children for loops in sums(child)]

    # The 357 empty windows after the last one with traffic, then three; not 24 hours of 360.
    assert max(sums(plan["QUERY PLAN"][0]["Plan"])) <= 360 + 3

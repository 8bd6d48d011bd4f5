"""Percentiles come from histograms that are added up, at every grain, within one percent."""

from __future__ import annotations

import math

import pytest

from sql.daily_reports import publish_days
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, latency_bin, select

pytestmark = pytest.mark.services

AS_OF = at("2026-08-01T00:00:00")


def test_a_bin_stands_for_its_latencies_within_one_percent(reader: Warehouse) -> None:
    latencies = [0, 1, 2, 3, 49, 50, 51, 100, 1_000, 33_333, 1_000_000, 3_600_000_000]
    rows = execute(
        reader,
        "SELECT report.bin_latency_us(bin) AS us FROM unnest(%(bins)s) WITH ORDINALITY AS b (bin, n) ORDER BY n",
        {"bins": [latency_bin(latency) for latency in latencies]},
    )
    for latency, row in zip(latencies, rows, strict=True):
        assert math.isclose(row["us"], latency, rel_tol=0.0100001), latency


def test_a_percentile_is_the_lower_nearest_rank_and_never_above_the_largest(reader: Warehouse) -> None:
    # Ten latencies: 1 to 10 ms. Of places 0 to 9, p50 is place 4, p90 place 8, p95 place 8, p99 place 8, 1.0 place 9.
    bins = [latency_bin(1000 * ms) for ms in range(1, 11)]
    (row,) = execute(
        reader,
        "SELECT array_agg(report.latency_percentile_ms(%(bins)s::smallint[], %(ones)s::bigint[], fraction, 10000)"
        " ORDER BY fraction) AS found,"
        " report.latency_percentile_ms(NULL, NULL, 0.5) AS nothing"
        " FROM unnest('{0, 0.5, 0.9, 0.95, 0.99, 1}'::float8[]) AS fraction",
        {"bins": bins, "ones": [1] * 10},
    )
    assert row["found"] == pytest.approx([1, 5, 9, 9, 9, 10], rel=0.01)
    assert max(row["found"]) <= 10
    assert row["nothing"] is None


def test_hours_days_pages_and_ranges_add_histograms_up_and_never_average(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:00:00", "/home", hits=90, latency_us=1_000),
        Cell("10:30:00", "/cart", hits=10, latency_us=100_000),
        Cell("11:00:00", "/cart", hits=100, latency_us=100_000),
        Cell("11:00:00", "/beacon", latency_us=None),
    )
    publish_hours(reporter, AS_OF)
    publish_days(reporter, AS_OF)

    def found(query: str) -> list[tuple[object, ...]]:
        return select(reader, query)

    assert found(
        "SELECT round(p50_ms) AS p50, round(p90_ms) AS p90, round(p95_ms) AS p95, max_ms"
        " FROM report.current_hourly_traffic ORDER BY hour_start"
    ) == [(1, 1, 100, 100), (100, 100, 100, 100)]
    assert found(
        "SELECT path, round(p50_ms) AS p50 FROM report.current_hourly_page WHERE revision = 1"
        " ORDER BY hour_start, path"
    ) == [("/cart", 100), ("/home", 1), ("/beacon", None), ("/cart", 100)]
    # 90 of 200 are fast: the median of the day is slow, the mean of the hours' medians would not be.
    assert found("SELECT round(p50_ms) AS p50, max_ms FROM report.current_daily_traffic") == [(100, 100)]
    assert found("SELECT round(p50_ms) AS p50 FROM report.range_traffic('shop', '2026-06-01Z', '2026-06-02Z')") == [
        (100,)
    ]
    assert found(
        "SELECT path, round(p95_ms) AS p95 FROM report.range_page('shop', '2026-06-01Z', '2026-06-02Z') ORDER BY path"
    ) == [("/beacon", None), ("/cart", 100), ("/home", 1)]
    assert found("SELECT path, round(p95_ms) AS p95 FROM report.current_daily_page ORDER BY path") == [
        ("/beacon", None), ("/cart", 100), ("/home", 1),
    ]  # fmt: skip
    assert found("SELECT counts, latency_us_max FROM report.range_latency('shop', '2026-06-01Z', '2026-06-02Z')") == [
        ([90, 110], 100_000)
    ]


def test_latencies_that_came_late_give_the_same_histogram_as_in_time(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    cells = [Cell("10:00:00", hits=hits, latency_us=us) for hits, us in ((3, 0), (5, 900), (7, 70_000))]
    traffic.batch(cells[2])
    publish_hours(reporter, AS_OF)
    traffic.batch(cells[0], cells[1])
    publish_hours(reporter, AS_OF)
    traffic.batch(*(Cell("12:00:00", hits=cell.hits, latency_us=cell.latency_us) for cell in cells))
    publish_hours(reporter, AS_OF)
    first, second = select(
        reader,
        "SELECT bins, counts, latency_us_max FROM report.current_hourly_latency WHERE path = '' ORDER BY hour_start",
    )
    assert first == second
    assert first[0][0] == -1

"""Series, averages and scores as a reader sees them, against small tables and the same sums made here."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from spark_jobs.trend_ewma import ewma
from spark_jobs.trend_windows import sliding_sums
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services

SERIES = (
    "SELECT bucket_start, observed, ewma FROM report.series('shop', '{grain}', '{start}', '{end}')"
    " WHERE series_kind = '{kind}' AND series_name = '{name}' ORDER BY bucket_start"
)


def series(
    reader: Warehouse, grain: str, start: str, end: str, kind: str = "hits", name: str = ""
) -> list[tuple[object, float, float]]:
    """(start, observed, ewma) of one series."""
    query = SERIES.format(grain=grain, start=at(start), end=at(end), kind=kind, name=name)
    return [(one[0], one[1], one[2]) for one in select(reader, query)]


def counted(traffic: CountedTraffic, hits: list[int], first: str = "10:00:00") -> None:
    """One batch: so many hits in each 10 s from then on."""
    starts = [at(first) + timedelta(seconds=10 * n) for n in range(len(hits))]
    traffic.batch(
        *(
            Cell(f"{start:%Y-%m-%dT%H:%M:%S}", hits=number)
            for start, number in zip(starts, hits, strict=True)
            if number
        )
    )


def test_the_average_is_the_one_from_the_first_bucket_on_whatever_range_is_asked_for(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    hits = np.random.default_rng(1).integers(0, 100, 400).tolist()
    hits[0] = 1_000_000  # its weight is below a double's last digit 110 buckets later
    counted(traffic, hits)
    scratch = ewma(np.array(hits, float))
    whole = series(reader, "10 seconds", "10:00:00", "11:06:40")
    assert [one[1] for one in whole] == hits
    np.testing.assert_allclose([one[2] for one in whole], scratch, rtol=1e-12)
    late = series(reader, "10 seconds", "11:00:00", "11:06:40")
    np.testing.assert_allclose([one[2] for one in late], scratch[360:], rtol=1e-12)


def test_late_lines_bring_the_averages_to_what_a_recomputation_gives(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    hits = [10, 0, 30, 40, 50, 60]
    counted(traffic, hits)
    before = series(reader, "10 seconds", "10:00:00", "10:01:00")
    np.testing.assert_allclose([one[2] for one in before], ewma(np.array(hits, float)))
    traffic.batch(Cell("10:00:10", hits=70))
    hits[1] = 70
    after = series(reader, "10 seconds", "10:00:00", "10:01:00")
    assert [one[1] for one in after] == hits
    np.testing.assert_allclose([one[2] for one in after], ewma(np.array(hits, float)))
    assert after[1][2] == pytest.approx(0.3 * 70 + 0.7 * 10)


def test_an_average_goes_on_over_a_standstill_that_is_longer_than_its_run_in(
    traffic: CountedTraffic, admin: Warehouse, reader: Warehouse
) -> None:
    hits = np.random.default_rng(3).integers(1, 100, 720).tolist()
    hits[150:350] = [0] * 200
    hits[360:500] = [0] * 140
    hits[420] = 7  # came in all the same
    counted(traffic, hits)
    for first, until in ((150, 350), (360, 500)):
        start, end = (at("10:00:00") + timedelta(seconds=10 * n) for n in (first, until))
        execute(admin, "INSERT INTO stream.standstill VALUES (%(s)s, %(e)s, false)", {"s": start, "e": end})
    values = np.array(hits, float)
    values[150:350] = np.nan
    values[[n for n in range(360, 500) if n != 420]] = np.nan
    scratch = ewma(values)
    late = series(reader, "10 seconds", "11:25:00", "12:00:00")  # 10 buckets after the second
    np.testing.assert_allclose([one[2] for one in late], scratch[510:], rtol=1e-12)
    between = series(reader, "10 seconds", "10:59:00", "11:00:00")
    np.testing.assert_allclose([one[2] for one in between], scratch[354:360], rtol=1e-12)


def test_live_windows_are_the_sliding_sums_that_sparks_are_compared_with(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    random = np.random.default_rng(4)
    hits = (random.integers(0, 50, 400) * (random.random(400) < 0.4)).tolist()
    counted(traffic, hits, "10:00:10")
    first = int(at("10:00:10").timestamp())
    known = np.flatnonzero(hits)
    starts, sums = sliding_sums(first + 10 * known, np.array(hits)[known])
    assert select(
        reader,
        "SELECT extract(epoch FROM window_start)::bigint, hits, bytes_sent FROM report.live_window"
        " WHERE site = 'shop' ORDER BY 1",
    ) == [(start, number, 100 * number) for start, number in zip(starts.tolist(), sums.tolist(), strict=True)]


def test_minutes_and_hours_are_sums_of_the_same_buckets(traffic: CountedTraffic, reader: Warehouse) -> None:
    hits = np.random.default_rng(2).integers(0, 50, 720).tolist()
    counted(traffic, hits)
    minutes = series(reader, "1 minute", "10:00:00", "12:00:00")
    assert [one[1] for one in minutes] == [sum(hits[n : n + 6]) for n in range(0, 720, 6)]
    np.testing.assert_allclose([one[2] for one in minutes], ewma(np.array([one[1] for one in minutes])))
    assert [one[1] for one in series(reader, "1 hour", "10:00:00", "12:00:00")] == [sum(hits[:360]), sum(hits[360:])]
    assert select(reader, "SELECT hour_start, observed FROM report.hour_trend WHERE series_kind = 'hits'"
                          " AND hour_start >= '2026-06-01T10:00:00Z' ORDER BY 1") == [
        (at("10:00:00"), sum(hits[:360])), (at("11:00:00"), sum(hits[360:]))
    ]  # fmt: skip
    (last,) = select(reader, "SELECT observed FROM report.minute_trend WHERE series_kind = 'hits'"
                             " ORDER BY minute_start DESC LIMIT 1")  # fmt: skip
    assert last == (sum(hits[714:]),)


def test_the_five_totals_the_hottest_pages_and_the_largest_countries(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:00:00", "/a", "DE", hits=5),
        Cell("10:00:00", "/b", "FR", 4, hits=3),
        Cell("10:00:00", "/c", "FR", 5, hits=1),
        Cell("10:00:00", "/a", "DE", site="blog", hits=50),
    )
    found = select(
        reader,
        "SELECT series_kind, series_name, observed FROM report.series('shop', '10 seconds', '2026-06-01T10:00:00Z',"
        " '2026-06-01T10:00:10Z', 2, 1)",
    )
    assert set(found) == {
        ("hits", "", 9.0), ("bytes_sent", "", 900.0), ("client_errors", "", 3.0), ("server_errors", "", 1.0),
        ("mean_latency_us", "", 2000.0), ("page", "/a", 5.0), ("page", "/b", 3.0), ("country", "DE", 5.0),
    }  # fmt: skip


def test_what_is_not_counted_yet_or_was_lost_is_unknown(
    traffic: CountedTraffic, admin: Warehouse, reader: Warehouse
) -> None:
    counted(traffic, [1, 0, 3, 4, 5])
    execute(admin, "UPDATE stream.lease SET caught_up_to = %(moment)s", {"moment": at("10:00:45")})
    for start, end, lost in (("10:00:12", "10:00:18", False), ("10:00:22", "10:00:25", True)):
        execute(
            admin,
            "INSERT INTO stream.standstill VALUES (%(start)s, %(end)s, %(lost)s)",
            {"start": at(start), "end": at(end), "lost": lost},
        )
    assert select(
        reader,
        "SELECT observed, is_known FROM report.series('shop', '10 seconds', '2026-06-01T10:00:00Z',"
        " '2026-06-01T10:00:50Z') WHERE series_kind = 'hits' ORDER BY bucket_start",
    ) == [(1.0, True), (0.0, False), (3.0, False), (4.0, True), (5.0, False)]


def test_the_query_of_an_alert_finds_what_has_no_line_any_more(
    traffic: CountedTraffic, admin: Warehouse, reader: Warehouse
) -> None:
    counted(traffic, [5, 5, 5, 5])
    for name, number in (("/home", 5.0), ("/gone", 0.0)):
        (made,) = execute(
            admin,
            "INSERT INTO stream.anomaly (site, series_kind, series_name, hour_start, started_at, opened_at, state,"
            " direction, window_seconds, severity, observed, expected, band_low, band_high, peak, contributors)"
            " VALUES ('shop', 'page', %(name)s, %(hour)s, %(hour)s, %(opened)s, 'open', 'below', 10, 'notice', 0, 60,"
            " 30, 95, 0, '[]') RETURNING anomaly_id",
            {"name": name, "hour": at("10:00:00"), "opened": at("10:00:20")},
        )
        (row,) = reader.rows("trends/recompute_anomaly", made)
        assert (row["counted_now"], row["expected"]) == (number, 60.0)


def test_a_forecast_is_scored_by_what_came_and_against_the_plain_rule(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    from sql.hourly_reports import publish_hours

    traffic.batch(Cell("10:00:00", hits=100), Cell("11:00:00", hits=120))
    publish_hours(reporter, as_of=at("12:30:00"))
    for start, expected, low, high, naive in (
        ("10:00:00", 110, 90, 130, 150),
        ("11:00:00", 100, 90, 110, 90),
        ("12:00:00", 1, 0, 2, 1),  # not published: not scored
    ):
        execute(
            reporter,
            "INSERT INTO report.forecast (site, series_kind, series_name, history_end, hour_start, expected,"
            " band_low, band_high, seasonal_naive)"
            " VALUES ('shop', 'hits', '', %(end)s, %(start)s, %(e)s, %(l)s, %(h)s, %(n)s)",
            {"end": at("10:00:00"), "start": at(start), "e": expected, "l": low, "h": high, "n": naive},
        )
    assert select(reader, "SELECT * FROM report.forecast_score") == [("shop", "hits", "", 2, 15.0, 40.0, 0.5)]

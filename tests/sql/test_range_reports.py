# ruff: noqa: S608
"""Any range of hours, days, weeks and months: sums and unions of hour revisions, as known at any moment."""

from __future__ import annotations

import pytest

from sql.daily_reports import publish_days
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services

AS_OF = at("2026-08-01T00:00:00")
DAY = "'shop', '2026-06-02Z', '2026-06-03Z'"


def now(warehouse: Warehouse) -> str:
    ((moment,),) = select(warehouse, "SELECT clock_timestamp() AS now")
    return f"'{moment.isoformat()}'"


def test_a_range_is_half_open_and_stands_beside_the_period_of_the_same_length_before_it(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("2026-05-31T23:00:00", hits=100),
        Cell("00:00:00", hits=4, visitors=(1, 2), latency_us=4_000),
        Cell("23:00:00", "/old", "FR", hits=1, status_class=5),
        Cell("2026-06-02T00:00:00", hits=6, visitors=(2, 3, 4)),
        Cell("2026-06-02T23:59:50", "/new", "US", hits=2, status_class=4, dimensions={"browser": "curl"}),
        Cell("2026-06-03T00:00:00", hits=100),
        Cell("2026-06-02T10:00:00", hits=50, site="blog"),
    )
    publish_hours(reporter, AS_OF)
    assert select(
        reader,
        "SELECT hours, hits, bytes_sent, client_errors, server_errors, client_error_share, visitors, previous_hours,"
        " previous_hits, previous_client_errors, previous_server_errors, previous_visitors, round(p95_ms) AS p95,"
        f" round(previous_p95_ms) AS previous_p95, previous_start_at FROM report.range_traffic({DAY})",
    ) == [(2, 8, 800, 2, 0, 0.25, 3, 2, 5, 0, 1, 2, 2, 4, at("00:00:00"))]
    assert select(
        reader,
        f"SELECT path, hits, client_errors, previous_hits, previous_server_errors FROM report.range_page({DAY})"
        " ORDER BY path",
    ) == [("/home", 6, 0, 4, 0), ("/new", 2, 2, 0, 0), ("/old", 0, 0, 1, 1)]
    assert select(
        reader,
        f"SELECT country, hits, client_errors, previous_hits FROM report.range_country({DAY}) ORDER BY country",
    ) == [("DE", 6, 0, 4), ("FR", 0, 0, 1), ("US", 2, 2, 0)]
    assert select(
        reader, f"SELECT status_class, hits, previous_hits FROM report.range_status({DAY}) ORDER BY status_class"
    ) == [(2, 6, 4), (4, 2, 0), (5, 0, 1)]
    assert select(
        reader,
        "SELECT value, hits, client_errors, previous_hits, agent_class"
        f" FROM report.range_dimension({DAY}, of_dimension => 'browser') ORDER BY value",
    ) == [("Firefox", 6, 0, 5, None), ("curl", 2, 2, 0, None)]
    assert select(
        reader,
        f"SELECT value, agent_class, hits, previous_hits FROM report.range_dimension({DAY})"
        " WHERE dimension = 'agent_rule'",
    ) == [("a browser", "human", 8, 5)]
    assert select(
        reader, f"SELECT path, country, status_class, agent_class, hits FROM report.range_cell({DAY}) ORDER BY path"
    ) == [("/home", "DE", 2, "human", 6), ("/new", "US", 4, "human", 2)]
    cells = (
        f"SELECT path, country, status_class, agent_class, hits FROM report.filtered_cell({DAY}, %s) ORDER BY path"
    )
    assert select(reader, cells.replace(", %s", "")) == [
        ("/home", "DE", 2, "human", 6),
        ("/new", "US", 4, "human", 2),
    ]
    assert select(reader, cells % "of_country => 'US'") == [("/new", "US", 4, "human", 2)]
    assert select(reader, cells % "of_status_class => 2::smallint") == [("/home", "DE", 2, "human", 6)]
    assert select(reader, cells % "of_agent_class => 'bot', of_country => 'US'") == []


def test_a_range_without_traffic_is_zero_and_not_missing(traffic: CountedTraffic, reader: Warehouse) -> None:
    assert select(
        reader,
        f"SELECT hours, hits, visitors, client_error_share, p95_ms, previous_hits FROM report.range_traffic({DAY})",
    ) == [(0, 0, 0, None, None, 0)]
    assert select(reader, f"SELECT * FROM report.range_page({DAY})") == []


def test_every_report_can_be_read_as_it_was_known_at_a_moment(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    before = now(reader)
    traffic.batch(Cell("2026-06-02T10:00:00", hits=3, visitors=(1,), latency_us=1_000))
    publish_hours(reporter, AS_OF)
    first = now(reader)
    traffic.batch(
        Cell("2026-06-02T10:00:10", "/late", "FR", 5, hits=7, visitors=(2,), latency_us=90_000),
        Cell("2026-06-02T11:00:00", hits=1),
    )
    publish_hours(reporter, AS_OF)

    def known(function: str, columns: str, moment: str) -> list[tuple[object, ...]]:
        return select(reader, f"SELECT {columns} FROM report.{function}({DAY}, {moment}) ORDER BY 1")

    traffic_columns = "hours, hits, visitors, server_errors, round(p95_ms) AS p95"
    assert known("range_traffic", traffic_columns, before) == [(0, 0, 0, 0, None)]
    assert known("range_traffic", traffic_columns, first) == [(1, 3, 1, 0, 1)]
    assert known("range_traffic", traffic_columns, "'infinity'") == [(2, 11, 2, 7, 90)]
    assert known("range_page", "path, hits", first) == [("/home", 3)]
    assert known("range_page", "path, hits", "'infinity'") == [("/home", 4), ("/late", 7)]
    assert known("range_country", "country, hits", first) == [("DE", 3)]
    assert known("range_status", "status_class, hits", first) == [(2, 3)]
    assert known("visitors", "key_id, visitors", first) == [("2026-06", 1)]
    assert select(reader, f"SELECT hour_start, revision, hits FROM report.as_known_at({first})") == [
        (at("2026-06-02T10:00:00"), 1, 3)
    ]
    assert select(
        reader, f"SELECT hour_start, revision, hits FROM report.as_known_at({now(reader)}) ORDER BY hour_start"
    ) == [(at("2026-06-02T10:00:00"), 2, 10), (at("2026-06-02T11:00:00"), 1, 1)]


def test_a_day_by_page_country_status_and_dimension_keeps_its_revisions(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3), Cell("20:00:00", hits=2))
    publish_hours(reporter, AS_OF)
    publish_days(reporter, AS_OF)
    traffic.batch(Cell("20:00:00", "/late", "FR", 4, hits=5, dimensions={"os": "Plan 9"}))
    publish_hours(reporter, AS_OF)
    # Hours are ahead of the day until it is published again.
    assert select(reader, "SELECT path, hits FROM report.current_daily_page") == [("/home", 5)]
    (day,) = publish_days(reporter, AS_OF)
    assert (day.revision, day.hits_delta) == (2, 5)
    for view, columns, first, second in (
        ("page", "path, hits", [("/home", 5)], [("/home", 5), ("/late", 5)]),
        ("country", "country, hits, client_errors", [("DE", 5, 0)], [("DE", 5, 0), ("FR", 5, 5)]),
        ("status", "status_class, hits", [(2, 5)], [(2, 5), (4, 5)]),
    ):
        query = f"SELECT {columns} FROM report.daily_{view} WHERE revision = {{}} ORDER BY 1"
        assert select(reader, query.format(1)) == first, view
        assert select(reader, query.format(2)) == second, view
        current = f"SELECT {columns} FROM report.current_daily_{view} ORDER BY 1"
        assert select(reader, current) == second, view
    assert select(
        reader, "SELECT revision, value, hits FROM report.daily_dimension WHERE dimension = 'os' ORDER BY 1, 2"
    ) == [(1, "Linux", 5), (2, "Linux", 5), (2, "Plan 9", 5)]


def test_a_day_gets_a_revision_when_an_hour_changed_without_its_sums(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    publish_days(reporter, AS_OF)
    traffic.execute(
        "UPDATE stream.agent_rule SET agent_class = 'bot';"
        "UPDATE stream.touched_hour SET last_ledger_id = last_ledger_id + 1"
    )
    publish_hours(reporter, AS_OF)
    (day,) = publish_days(reporter, AS_OF)
    assert (day.revision, day.hits_delta) == (2, 0)
    assert select(
        reader,
        "SELECT revision, agent_class FROM report.daily_dimension WHERE dimension = 'agent_rule' ORDER BY revision",
    ) == [(1, "human"), (2, "bot")]


def test_weeks_are_iso_weeks_and_months_calendar_months_in_utc_whatever_the_session_thinks(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("2026-02-28T23:00:00", hits=1),  # a Saturday
        Cell("2026-03-01T00:00:00", hits=2),  # a Sunday, of the same week
        Cell("2026-03-02T00:00:00", hits=4),
        Cell("2026-03-31T23:00:00", hits=8),
        Cell("2026-04-01T00:00:00", hits=16),
    )
    publish_hours(reporter, AS_OF)
    weeks = "SELECT week_start, hits, hours, previous_hits FROM report.weekly_traffic ORDER BY week_start"
    months = (
        "SELECT month_start, hits, previous_hits, visitors, previous_visitors FROM report.monthly_traffic ORDER BY 1"
    )
    for zone in ("UTC", "Europe/Berlin"):  # summer time begins there on 29 March
        with reader.transaction() as cursor:
            cursor.execute(f"SET LOCAL TimeZone = '{zone}'")
            cursor.execute(weeks)
            assert [tuple(dict(row).values()) for row in cursor.fetchall()] == [
                (at("2026-02-23T00:00:00"), 3, 2, 0),
                (at("2026-03-02T00:00:00"), 4, 1, 3),
                (at("2026-03-30T00:00:00"), 24, 2, 0),
            ], zone
            cursor.execute(months)
            assert [tuple(dict(row).values()) for row in cursor.fetchall()] == [
                (at("2026-02-01T00:00:00"), 1, 0, 1, 0),
                (at("2026-03-01T00:00:00"), 14, 1, 1, 1),
                (at("2026-04-01T00:00:00"), 16, 14, 1, 1),
            ], zone


def test_functions_that_look_behind_the_reports_do_so_with_fixed_names_and_only_for_the_schemas_guests(
    admin: Warehouse,
) -> None:
    settings = {
        row["name"]: row["proconfig"]
        for row in execute(
            admin,
            "SELECT proname::text AS name, proconfig FROM pg_catalog.pg_proc"
            " WHERE pronamespace = 'report'::regnamespace AND prosecdef",
        )
    }
    assert settings.keys() == {
        *("entry_pages", "evidence", "exit_pages", "filtered_cell", "range_cell", "series", "visits"),
        *("live_latency", "live_minute", "live_visitors", "page_cell", "page_series", "range_ledger"),
    }
    paths = {name: [word for word in words if word.startswith("search_path=")] for name, words in settings.items()}
    assert {path for (path,) in paths.values()} <= {"search_path=pg_catalog", "search_path=pg_catalog, pg_temp"}

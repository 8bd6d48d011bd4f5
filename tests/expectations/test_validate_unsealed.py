"""Reports of small tables are checked by the real Great Expectations on a real Postgres, and sealed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expectations.checks import CHECKS, Check
from expectations.run import QualityRun, validate_unsealed
from sql.hourly_reports import publish_hours
from sql.warehouse import DatabaseError, Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select, sketch_of

pytestmark = pytest.mark.services

AS_OF = at("2026-06-09T00:00:00")
SEALS = "SELECT hour_start, revision, seal FROM quality.current_seal ORDER BY hour_start, site"
FAILED = (
    "SELECT suite, expectation, observed FROM quality.current_result WHERE passed = false ORDER BY suite, expectation"
)


def check(reporter: Warehouse) -> QualityRun:
    return validate_unsealed(reporter, "test", AS_OF)


def test_a_good_hour_is_green_and_a_rerun_does_nothing(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3), Cell("10:10:00", "/cart", "", 5, hits=2), Cell("11:00:00", site="blog"))
    publish_hours(reporter, AS_OF)
    assert select(reader, SEALS) == [(at("10:00:00"), 1, "unchecked"), (at("11:00:00"), 1, "unchecked")]
    first = check(reporter)
    assert (first.hours, first.green, first.unchecked) == (2, 2, 0)
    assert select(reader, SEALS) == [(at("10:00:00"), 1, "green"), (at("11:00:00"), 1, "green")]
    assert select(
        reader, "SELECT count(*) AS n, count(DISTINCT (suite, expectation)) AS checks FROM quality.result"
    ) == [(2 * len(CHECKS), len(CHECKS))]
    second = check(reporter)
    assert (second.hours, second.green) == (0, 0)
    assert select(reader, "SELECT count(*) AS n FROM quality.result") == [(2 * len(CHECKS),)]
    assert select(reader, "SELECT status, hours FROM quality.run ORDER BY run_id") == [("done", 2), ("done", 0)]


def test_each_kind_of_damage_makes_its_own_hour_red_and_no_other(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse
) -> None:
    hours = ("01", "02", "03", "04", "05", "06")
    traffic.batch(*(Cell(f"{hour}:00:00", path, hits=3) for hour in hours for path in ("/home", "/cart")))
    traffic.batch(Cell("07:00:00", "/who/192.0.2.7"))
    publish_hours(reporter, AS_OF)
    execute(
        admin,
        "UPDATE report.hourly_traffic SET hits = hits + 1 WHERE hour_start = '2026-06-01T01:00Z';"
        "DELETE FROM report.hourly_page WHERE hour_start = '2026-06-01T02:00Z' AND path = '/cart';"
        "UPDATE report.hourly_country SET bytes_sent = bytes_sent - 1 WHERE hour_start = '2026-06-01T03:00Z';"
        "UPDATE report.hourly_status SET status_class = 9 WHERE hour_start = '2026-06-01T04:00Z';"
        "DELETE FROM stream.traffic_bucket WHERE bucket_start = '2026-06-01T05:00Z'",
    )
    run = check(reporter)
    assert (run.hours, run.red, run.green) == (7, 6, 1)
    failed = "SELECT expectation, observed FROM quality.current_result WHERE passed = false AND hour_start = '{}'"
    failed += " ORDER BY suite"

    def found(hour: str) -> dict[str, str]:
        return dict(select(reader, failed.format(f"2026-06-01T{hour}:00Z")))

    # 5 cells of page, country, status and total, and 10 of further dimensions.
    assert found("01") == {"hits_equals_its_buckets": "1 of 15 fail (1 total)", "dimensions_add_up": "10"}
    assert found("02") == {
        f"{measure}_equals_its_buckets": "1 of 15 fail (1 page)"
        for measure in ("hits", "bytes_sent", "latency_us_sum", "latency_count")
    } | {"histograms_hold_every_latency": "1"}
    assert found("03") == {"bytes_sent_equals_its_buckets": "1 of 15 fail (1 country)"}
    assert found("04")["status_class_is_known"] == "1 of 1 fail (1 status)"
    assert found("05")["hour_has_buckets"] == "0"
    assert found("06") == {}
    assert select(reader, failed.format("2026-06-01T07:00Z")) == [
        ("text_holds_no_ip_address", "1 of 11 fail (1 page)"),
        ("text_holds_no_ip_address", "1 of 12 fail (1 page)"),
    ]
    # Nothing that quality stores repeats the address.
    assert select(reader, "SELECT 1 AS one FROM quality.result WHERE observed LIKE '%192.0.2.7%'") == []
    assert select(reader, "SELECT 1 AS one FROM quality.failing_row AS f WHERE f::text LIKE '%192.0.2.7%'") == []
    # What failed is kept, row by row.
    kept = (
        "SELECT r.failing_rows, f.place, f.dimension, f.key, f.seen FROM quality.failing_row AS f"
        " JOIN quality.result AS r USING (site, hour_start, revision, run_id, suite, expectation)"
        " WHERE f.hour_start = '2026-06-01T{}:00Z' AND f.expectation = 'hits_equals_its_buckets'"
    )
    assert select(reader, kept.format("01")) == [(1, 1, "total", "", {"report_hits": 7, "bucket_hits": 6})]
    assert select(reader, kept.format("02")) == [(1, 1, "page", "/cart", {"report_hits": 0, "bucket_hits": 3})]


def test_damage_to_visitors_histograms_and_further_dimensions_is_found_where_it_is(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse
) -> None:
    hours = ("01", "02", "03", "04", "05", "06", "07")
    traffic.batch(*(Cell(f"{hour}:00:00", hits=3, visitors=(1, 2, 3)) for hour in hours))
    traffic.batch(Cell("08:00:00", dimensions={"referrer": "192.0.2.7"}))
    publish_hours(reporter, AS_OF)
    execute(
        admin,
        "UPDATE report.hourly_traffic SET visitors = 4 WHERE hour_start = '2026-06-01T01:00Z';"
        "UPDATE stream.visitor_sketch SET sketch = %(other)s WHERE minute_start = '2026-06-01T02:00Z';"
        "UPDATE report.hourly_latency SET counts = '{2}' WHERE hour_start = '2026-06-01T03:00Z' AND path = '';"
        "UPDATE report.hourly_latency SET bins = '{7}' WHERE hour_start = '2026-06-01T04:00Z' AND path = '/home';"
        "DELETE FROM report.hourly_dimension WHERE hour_start = '2026-06-01T05:00Z' AND dimension = 'os';"
        "UPDATE report.hourly_dimension SET value = 'Lynx'"
        " WHERE hour_start = '2026-06-01T06:00Z' AND dimension = 'browser'",
        {"other": sketch_of((1, 2))},
    )
    check(reporter)
    found: dict[int, dict[str, str]] = {}
    for hour, name, observed in select(
        reader,
        "SELECT extract(hour FROM hour_start)::int AS hour, expectation, observed FROM quality.current_result"
        " WHERE passed = false AND suite = 'hourly_report' AND severity = 'critical'",
    ):
        found.setdefault(hour, {})[name] = observed
    assert found[1] == {"visitors_are_those_of_the_sketches": "1", "visitors_agree_with_the_stream": "1"}
    assert found[2] == {"visitors_agree_with_the_stream": "1"}
    assert found[3] == {"histograms_hold_every_latency": "1"}
    assert found[4] == {"histograms_equal_the_streams": "2"}
    assert found[5]["dimensions_add_up"] == "1"
    assert found[5]["hits_equals_its_buckets"].endswith("(1 os)")
    assert found[6]["hits_equals_its_buckets"].endswith("(2 browser)")
    assert found[8] == {"text_holds_no_ip_address": "1 of 11 fail (1 referrer)"}
    assert set(found) == {1, 2, 3, 4, 5, 6, 8}


def test_a_gap_in_the_ledger_makes_the_reports_after_it_red(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    publish_hours(reporter, AS_OF)
    traffic.batch(Cell("11:00:00"), gap=5)
    publish_hours(reporter, AS_OF)
    check(reporter)
    assert select(reader, SEALS) == [(at("10:00:00"), 1, "green"), (at("11:00:00"), 1, "red")]
    assert select(reader, FAILED) == [("traffic_bucket", "ledger_is_contiguous", "1")]


def test_offsets_that_are_listed_as_lost_are_no_gap(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    traffic.batch(Cell("11:00:00"), gap=5)
    traffic.execute(
        "INSERT INTO stream.lost_range (topic_id, kafka_partition, offsets, reason)"
        " SELECT topic_id, 0, int8range(1, 6), 'Kafka no longer has them' FROM stream.topic"
    )
    publish_hours(reporter, AS_OF)
    check(reporter)
    assert {seal for _, _, seal in select(reader, SEALS)} == {"green"}


def test_an_hour_with_late_data_waits_unchecked_for_its_revision_and_is_never_wrongly_red(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    traffic.batch(Cell("10:00:00", hits=1))
    run = check(reporter)
    assert (run.hours, run.unchecked) == (1, 1)
    ((reason,),) = select(reader, "SELECT reason FROM quality.current_seal")
    assert "report_includes_late_data" in reason
    publish_hours(reporter, AS_OF)
    assert select(reader, SEALS) == [(at("10:00:00"), 2, "unchecked")]
    assert check(reporter).green == 1
    assert select(reader, "SELECT revision, is_current, seal FROM quality.revision_seal ORDER BY revision") == [
        (1, False, "unchecked"),
        (2, True, "green"),
    ]


def test_an_hour_the_stream_has_not_counted_past_waits_until_it_has(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    execute(admin, "UPDATE stream.lease SET caught_up_to = '2026-06-01T10:30Z'")
    publish_hours(reporter, AS_OF)
    assert check(reporter).unchecked == 1
    ((reason,),) = select(reader, "SELECT reason FROM quality.current_seal")
    assert "ledger_is_closed_for_the_hour: -1800" in reason
    traffic.execute("UPDATE stream.lease SET caught_up_to = '2026-06-01T11:00Z'")
    assert check(reporter).unchecked == 0


def test_a_volume_far_from_the_same_hour_of_the_days_before_is_amber(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(*(Cell(f"2026-06-0{day}T10:00:00", hits=100) for day in (1, 2, 3)))
    traffic.batch(Cell("2026-06-04T10:00:00", hits=10), Cell("2026-06-05T10:00:00", hits=90))
    publish_hours(reporter, AS_OF)
    check(reporter)
    assert [seal for _, _, seal in select(reader, SEALS)] == ["green", "green", "green", "amber", "green"]
    assert select(reader, FAILED) == [("hourly_report", "volume_is_usual", "0.1")]


def test_a_report_made_long_after_its_data_is_amber(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    execute(admin, "UPDATE stream.ledger SET committed_at = '2026-06-01T11:00Z'")
    publish_hours(reporter, AS_OF)
    check(reporter)
    assert [seal for _, _, seal in select(reader, SEALS)] == ["amber"]
    assert [(suite, name) for suite, name, _ in select(reader, FAILED)] == [("hourly_report", "report_is_fresh")]


def test_an_address_in_the_reason_of_a_rejection_is_red(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    traffic.execute("INSERT INTO stream.rejected_count VALUES ('2026-06-01T10:00Z', 'no country of 2001:db8::1', 1)")
    publish_hours(reporter, AS_OF)
    check(reporter)
    assert select(reader, FAILED) == [("hourly_report", "text_holds_no_ip_address", "1 of 12 fail (1 text)")]


def test_a_check_that_raises_leaves_the_hour_unchecked_and_says_why(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    publish_hours(reporter, AS_OF)
    broken: Check = replace(
        CHECKS[0],
        name="of_a_column_that_is_not_there",
        columns=("nowhere",),
        options={"column": "nowhere", "min_value": 0},
    )
    run = validate_unsealed(reporter, "test", AS_OF, [*CHECKS, broken])
    assert (run.green, run.unchecked) == (0, 1)
    ((reason,),) = select(reader, "SELECT reason FROM quality.current_seal")
    assert "of_a_column_that_is_not_there: could not be checked" in reason
    assert select(
        reader, "SELECT count(*) AS n FROM quality.current_result WHERE passed IS NULL AND observed LIKE 'could not%'"
    ) == [(1,)]
    assert check(reporter).green == 1


def test_a_run_that_breaks_leaves_its_hours_unchecked_with_the_reason_and_the_report_published(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00"))
    publish_hours(reporter, AS_OF)
    execute(admin, "REVOKE SELECT ON stream.page FROM footfall_reporter")
    with pytest.raises(DatabaseError, match="permission denied"):
        check(reporter)
    ((seal, reason),) = select(reader, "SELECT seal, reason FROM quality.current_seal")
    assert seal == "unchecked"
    assert "permission denied" in reason
    assert select(reader, "SELECT status FROM quality.run") == [("broken",)]
    execute(admin, "GRANT SELECT ON stream.page TO footfall_reporter")
    assert check(reporter).green == 1

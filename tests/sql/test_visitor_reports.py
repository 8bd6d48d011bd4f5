# ruff: noqa: S608
"""Visitors at every grain are unions of the same sketches, never sums, and say how exact they are."""

from __future__ import annotations

import pytest
from datasketches import compact_theta_sketch, theta_union, update_theta_sketch

from sql.daily_reports import publish_days
from sql.hourly_reports import publish_hours
from sql.warehouse import DatabaseError, Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select, sketch_of

pytestmark = pytest.mark.services

AS_OF = at("2026-08-01T00:00:00")
HOURS = "SELECT hour_start, visitors, visitors_bound FROM report.current_hourly_traffic ORDER BY hour_start"


def asked(warehouse: Warehouse, start: str, end: str) -> list[tuple[object, ...]]:
    return select(warehouse, f"SELECT * FROM report.visitors('shop', '{start}Z', '{end}Z')")


def test_a_sketch_is_read_as_the_library_reads_it(reader: Warehouse) -> None:
    for visitors in (0, 1, 2, 4096, 30_000):
        sketch = compact_theta_sketch.deserialize(sketch_of(range(visitors)))
        (row,) = execute(
            reader,
            "SELECT report.theta(%(sketch)s) AS theta, report.theta_hashes(%(sketch)s) AS hashes,"
            " report.visitor_estimate(%(retained)s, %(theta)s) AS estimate",
            {"sketch": sketch.serialize(), "retained": sketch.num_retained, "theta": sketch.theta64},
        )
        assert row["theta"] == sketch.theta64
        assert row["hashes"] == list(sketch)
        assert row["estimate"] == round(sketch.get_estimate())


def test_bytes_that_are_no_such_sketch_are_refused(reader: Warehouse) -> None:
    for sketch in (b"", b"\x02\x04\x03\x00\x00\x1a\x1a\xcc" + bytes(16)):
        for function in ("theta", "theta_hashes"):
            with pytest.raises(DatabaseError):
                execute(reader, f"SELECT report.{function}(%(sketch)s)", {"sketch": sketch})


def test_the_bound_holds_the_librarys_interval_of_two_standard_deviations_and_is_hardly_wider(
    reader: Warehouse,
) -> None:
    for visitors in (5_000, 8_000, 20_000, 100_000, 500_000):
        sketch = compact_theta_sketch.deserialize(sketch_of(range(visitors)))
        estimate = sketch.get_estimate()
        needed = max(sketch.get_upper_bound(2) - estimate, estimate - sketch.get_lower_bound(2))
        ((bound,),) = select(reader, f"SELECT report.visitor_bound({sketch.num_retained}, {sketch.theta64}) AS bound")
        assert needed <= bound <= 1.05 * needed + 1, visitors
        assert abs(estimate - visitors) <= 1.5 * bound
    # Nothing seen below a theta of 0.1 is not an exact nothing.
    ((bound,),) = select(reader, "SELECT report.visitor_bound(0, 922337203685477580) AS bound")
    assert bound > 30


def test_an_hour_is_the_union_of_its_minutes_and_classes(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:00:00", hits=3, visitors=(1, 2)),
        Cell("10:59:50", hits=2, visitors=(2, 3)),
        Cell("10:30:00", hits=2, visitors=(3, 4), agent_class="scanner"),
    )
    publish_hours(reporter, AS_OF)
    assert select(reader, HOURS) == [(at("10:00:00"), 4, 0)]
    assert select(
        reader, "SELECT key_id, agent_class, visitors FROM report.current_hourly_visitor ORDER BY agent_class"
    ) == [("2026-06", "human", 3), ("2026-06", "scanner", 2)]
    assert select(
        reader, "SELECT visitors FROM report.visitors('shop', '2026-06-01Z', '2026-06-02Z', agent_class => 'scanner')"
    ) == [(2,)]


def test_days_weeks_and_any_range_are_unions_of_the_same_sketches(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("08:00:00", visitors=(1, 2)),
        Cell("23:59:50", visitors=(2, 3)),
        Cell("2026-06-02T00:00:00", visitors=(3, 4)),
    )
    publish_hours(reporter, AS_OF)
    publish_days(reporter, AS_OF)
    assert [visitors for _, visitors, _ in select(reader, HOURS)] == [2, 2, 2]
    assert select(
        reader, "SELECT day_start, visitors, visitors_bound FROM report.current_daily_traffic ORDER BY day_start"
    ) == [(at("00:00:00"), 3, 0), (at("2026-06-02T00:00:00"), 2, 0)]
    assert asked(reader, "2026-06-01T23:00", "2026-06-02T01:00") == [("2026-06", 3, 0, True)]
    assert select(reader, "SELECT visitors, visitor_keys FROM report.weekly_traffic") == [(4, 1)]
    assert select(reader, "SELECT month_start, visitors FROM report.monthly_traffic") == [(at("00:00:00"), 4)]


def test_the_order_in_which_lines_came_does_not_matter(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=2500, visitors=range(2500)))
    publish_hours(reporter, AS_OF)
    traffic.batch(Cell("10:30:00", hits=4000, visitors=range(2000, 6000)))
    publish_hours(reporter, AS_OF)
    traffic.batch(
        Cell("11:30:00", hits=4000, visitors=range(2000, 6000)), Cell("11:00:00", hits=2500, visitors=range(2500))
    )
    publish_hours(reporter, AS_OF)
    (first, bound), (second, same_bound) = select(
        reader, "SELECT visitors, visitors_bound FROM report.current_hourly_traffic ORDER BY hour_start"
    )
    assert (first, bound) == (second, same_bound)
    assert 0 < abs(first - 6000) <= bound < 300
    assert select(reader, "SELECT count(DISTINCT sketch) AS n FROM report.current_hourly_visitor") == [(1,)]


def test_minutes_that_were_compacted_into_one_make_no_revision(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", visitors=range(3000)), Cell("10:30:00", visitors=range(2000, 9000)))
    publish_hours(reporter, AS_OF)
    union = theta_union(12)
    for (sketch,) in select(traffic.warehouse, "SELECT sketch FROM stream.visitor_sketch ORDER BY minute_start"):
        union.update(compact_theta_sketch.deserialize(bytes(sketch)))
    traffic.execute(
        "DELETE FROM stream.visitor_sketch WHERE minute_start > '2026-06-01T10:00Z';"
        "UPDATE stream.visitor_sketch SET sketch = %(sketch)s;"
        "UPDATE stream.touched_hour SET last_ledger_id = last_ledger_id + 1",
        {"sketch": union.get_result().serialize()},
    )
    assert publish_hours(reporter, AS_OF) == []


def test_visitors_under_two_keys_are_two_figures_and_never_added(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("2026-06-30T23:00:00", visitors=(1, 2)),
        Cell("2026-07-01T00:00:00", visitors=(1, 2, 3)),
        Cell("2026-07-01T01:00:00", visitors=(1,)),
        Cell("2026-07-01T01:00:00", visitors=(1,), key_id="2026-07.2"),
    )
    publish_hours(reporter, AS_OF)
    assert [visitors for _, visitors, _ in select(reader, HOURS)] == [2, 3, None]
    assert asked(reader, "2026-06-30", "2026-07-02") == [
        ("2026-06", 2, 0, True),
        ("2026-07", 3, 0, True),
        ("2026-07.2", 1, 0, True),
    ]
    assert select(
        reader,
        "SELECT hits, visitors, visitors_bound, visitor_keys"
        " FROM report.range_traffic('shop', '2026-06-30Z', '2026-07-02Z')",
    ) == [(4, None, None, 3)]


def test_an_hour_of_nothing_but_4xx_has_no_visitor_and_one_without_sketches_has_an_unknown_number(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", status_class=4, hits=9), Cell("11:00:00"))
    traffic.execute("DELETE FROM stream.visitor_sketch")
    publish_hours(reporter, AS_OF)
    assert [visitors for _, visitors, _ in select(reader, HOURS)] == [0, None]
    query = "SELECT visitors FROM report.range_traffic('shop', '2026-06-01T{}Z', '2026-06-01T{}Z')"
    assert select(reader, query.format("10:00", "11:00")) == [(0,)]
    assert select(reader, query.format("10:00", "12:00")) == [(None,)]


def test_new_visitors_were_in_no_earlier_hour_under_the_same_key(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("2026-05-31T10:00:00", visitors=(1, 2, 3, 4)),
        Cell("08:00:00", visitors=(1, 2)),
        Cell("2026-06-02T08:00:00", visitors=(2, 3)),
        Cell("2026-06-02T09:00:00", visitors=(3, 4, 5), agent_class="bot"),
        Cell("2026-06-03T09:00:00", visitors=(9,)),
    )
    publish_hours(reporter, AS_OF)
    columns = "key_id, new_visitors, returning_visitors, new_visitors_bound, returning_visitors_bound, exact"
    query = f"SELECT {columns} FROM report.new_and_returning('shop', '2026-06-02Z', '2026-06-03Z')"
    # 2 was here on 1 June; 1, 3 and 4 of May are under another key.
    assert select(reader, query) == [("2026-06", 3, 1, 0, 0, True)]


def test_new_and_returning_of_large_sketches_stay_within_their_bounds(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("08:00:00", visitors=range(20_000)), Cell("09:00:00", visitors=range(15_000, 40_000)))
    publish_hours(reporter, AS_OF)
    ((new, new_bound, old, old_bound),) = select(
        reader,
        "SELECT new_visitors, new_visitors_bound, returning_visitors, returning_visitors_bound"
        " FROM report.new_and_returning('shop', '2026-06-01T09:00Z', '2026-06-01T10:00Z')",
    )
    assert abs(new - 20_000) <= new_bound < 1_500
    assert abs(old - 5_000) <= old_bound < 1_000
    ((visitors, bound),) = select(
        reader,
        "SELECT visitors, visitors_bound FROM report.visitors('shop', '2026-06-01T08:00Z', '2026-06-01T10:00Z')",
    )
    assert abs(visitors - 40_000) <= bound < 2_000


def test_the_real_interval_covers_the_truth_about_as_often_as_it_says(reader: Warehouse) -> None:
    inside = 0
    for trial in range(200):
        sketch = update_theta_sketch(12)
        for visitor in range(trial * 10_000, trial * 10_000 + 9_000):
            sketch.update(visitor)
        ((estimate, bound),) = select(
            reader,
            f"SELECT report.visitor_estimate({sketch.num_retained}, {sketch.theta64}) AS estimate,"
            f" report.visitor_bound({sketch.num_retained}, {sketch.theta64}) AS bound",
        )
        inside += abs(estimate - 9_000) <= bound
    assert 186 <= inside <= 199


def test_a_day_stands_in_for_its_hours_as_long_as_they_are_the_same(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("00:00:00", visitors=(1, 2)),
        Cell("23:00:00", visitors=(2, 3)),
        Cell("23:00:00", visitors=(3, 4), agent_class="scanner"),
        Cell("2026-06-02T00:00:00", visitors=(4, 5)),
    )
    publish_hours(reporter, AS_OF)
    parts = "SELECT part_start, agent_class FROM report.visitor_set('shop', '{}Z', '{}Z', '{}') ORDER BY 1, 2"
    both_days = "2026-06-01", "2026-06-03"

    def visitors(known_at: object = "infinity") -> list[tuple[object, ...]]:
        return select(
            reader, f"SELECT visitors, exact FROM report.visitors('shop', '2026-06-01Z', '2026-06-03Z', '{known_at}')"
        )

    hours = select(reader, parts.format(*both_days, "infinity"))
    assert len(hours) == 4
    assert visitors() == [(5, True)]
    publish_days(reporter, AS_OF)
    assert select(reader, parts.format(*both_days, "infinity")) == [
        (at("00:00:00"), "human"),
        (at("00:00:00"), "scanner"),
        (at("2026-06-02T00:00:00"), "human"),
    ]
    assert visitors() == [(5, True)]
    assert select(reader, "SELECT agent_class, visitors, visitors_bound FROM report.daily_visitor ORDER BY 1, 2") == [
        ("human", 2, 0),
        ("human", 3, 0),
        ("scanner", 2, 0),
    ]
    # Of a part of a day its hours are asked, though their number and revisions were a whole day's.
    assert [
        start for start, _ in select(reader, parts.format("2026-06-01T12:00", "2026-06-02T01:00", "infinity"))
    ] == [
        at("23:00:00"),
        at("23:00:00"),
        at("2026-06-02T00:00:00"),
    ]
    ((then,),) = select(reader, "SELECT clock_timestamp() AS now")
    traffic.batch(Cell("12:00:00", visitors=(9,)))
    publish_hours(reporter, AS_OF)
    assert [start for start, _ in select(reader, parts.format(*both_days, "infinity"))] == [
        at("00:00:00"),
        at("12:00:00"),
        at("23:00:00"),
        at("23:00:00"),
        at("2026-06-02T00:00:00"),
    ]
    assert visitors() == [(6, True)]
    assert visitors(then) == [(5, True)]
    publish_days(reporter, AS_OF)
    assert len(select(reader, parts.format(*both_days, "infinity"))) == 3
    assert visitors() == [(6, True)]
    assert len(select(reader, parts.format(*both_days, then))) == 3
    assert visitors(then) == [(5, True)]


def test_hours_and_days_published_before_their_hashes_were_kept_are_read_from_their_sketches(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse
) -> None:
    traffic.batch(
        Cell("08:00:00", visitors=range(20_000)),
        Cell("09:00:00", visitors=range(10_000, 40_000)),
        Cell("2026-06-02T08:00:00", visitors=range(3_000)),
    )
    publish_hours(reporter, AS_OF)
    publish_days(reporter, AS_OF)
    query = "SELECT * FROM report.{}('shop', '2026-06-01T09:00Z', '2026-06-03Z')"
    before = {name: select(reader, query.format(name)) for name in ("visitors", "new_and_returning", "range_traffic")}
    execute(admin, "DELETE FROM report.daily_visitor; UPDATE report.hourly_visitor SET hashes = NULL")
    assert {name: select(reader, query.format(name)) for name in before} == before


def test_hashes_below_a_limit_are_those_of_the_whole_sketch(reader: Warehouse) -> None:
    for visitors in (0, 1, 2, 4096, 30_000):
        sketch = sketch_of(range(visitors))
        held = list(compact_theta_sketch.deserialize(sketch))
        limits = {1, 2**63 - 1, *held[:1], *(seen + 1 for seen in held[:1]), *held[2::1000], *held[-1:]}
        for below in sorted(limits):
            (row,) = execute(
                reader,
                "SELECT report.theta_hashes(%(sketch)s, %(below)s) AS cut,"
                " report.hashes_below(report.theta_hashes(%(sketch)s), NULL, %(below)s) AS of_array",
                {"sketch": sketch, "below": below},
            )
            assert row["cut"] == row["of_array"] == [seen for seen in held if seen < below]


def test_a_union_of_very_many_visitors_is_cut_and_stays_within_its_bound(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    # 150,000 visitors of 60 hours, 4,000 in each: every hour is exact, and each visitor comes 1.6 times.
    traffic.batch(
        *(
            Cell(
                f"2026-06-{1 + hour // 24:02}T{hour % 24:02}:00:00",
                visitors=range(hour * 2_466, hour * 2_466 + 4_000),
            )
            for hour in range(60)
        )
    )
    publish_hours(reporter, AS_OF)
    true = 59 * 2_466 + 4_000
    june = "SELECT * FROM report.visitors('shop', '2026-06-01Z', '2026-07-01Z')"
    from_hours = select(reader, june)
    publish_days(reporter, AS_OF)
    for _, united, bound, exact in (*from_hours, *select(reader, june)):
        assert abs(united - true) <= 1.5 * bound
        assert 0 < bound < 0.008 * true
        assert not exact
    # A day of 60,718 is counted whole, from its hours as from its own row.
    assert asked(reader, "2026-06-01", "2026-06-02") == [("2026-06", 23 * 2_466 + 4_000, 0, True)]
    assert select(
        reader, "SELECT visitors, visitors_bound FROM report.current_daily_traffic ORDER BY day_start LIMIT 1"
    ) == [(23 * 2_466 + 4_000, 0)]

"""``report.evidence`` leads a reader from an hour to Kafka's offsets, and nowhere else."""

from __future__ import annotations

import pytest

from sql.warehouse import Warehouse
from tests.sql.counted_traffic import TOPIC_ID, Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services


def noted(traffic: CountedTraffic, partition: int, ranges: str, hour: str = "10:00:00") -> None:
    traffic.execute(
        "INSERT INTO stream.hour_offsets VALUES (%(hour)s, %(topic)s, %(partition)s, %(ranges)s)",
        {"hour": at(hour), "topic": TOPIC_ID, "partition": partition, "ranges": ranges},
    )


EVIDENCE = (
    "SELECT topic, kafka_partition, from_offset, until_offset, batches, consumed, accepted"
    " FROM report.evidence('{site}', '2026-06-01 {hour}+00')"
)


def test_each_range_comes_with_what_became_of_the_records_of_its_batches(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=10))
    traffic.batch(Cell("10:00:10", hits=5))
    traffic.batch(Cell("11:00:00", hits=3))
    noted(traffic, 0, "{[0,12),[14,15)}")
    assert select(reader, EVIDENCE.format(site="shop", hour="10:00")) == [
        ("web.access", 0, 0, 12, 2, 15, 15),
        ("web.access", 0, 14, 15, 1, 5, 5),
    ]


LEDGER = (
    "SELECT kafka_partition, from_offset, until_offset, spans, batches, consumed, holes"
    " FROM report.range_ledger('{site}', '2026-06-01 10:00+00', '2026-06-01 {until}+00')"
)


def test_the_ledger_of_several_hours_has_each_batch_once(traffic: CountedTraffic, reader: Warehouse) -> None:
    traffic.batch(Cell("10:00:00", hits=10))
    traffic.batch(Cell("10:59:50", hits=4), Cell("11:00:00", hits=1))
    traffic.batch(Cell("11:00:10", hits=3))
    noted(traffic, 0, "{[0,14)}")
    noted(traffic, 0, "{[14,18)}", "11:00:00")
    assert select(reader, LEDGER.format(site="shop", until="11:00")) == [(0, 0, 14, 1, 2, 15, 0)]
    assert select(reader, LEDGER.format(site="shop", until="12:00")) == [(0, 0, 18, 1, 3, 18, 0)]
    assert select(reader, LEDGER.format(site="blog", until="12:00")) == []


def test_a_hole_is_where_no_batch_goes_on_not_where_one_of_another_hour_does(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=10))
    traffic.batch(Cell("13:00:00", hits=5))
    traffic.batch(Cell("10:30:00", hits=2))
    noted(traffic, 0, "{[0,10),[15,17)}")
    assert select(reader, LEDGER.format(site="shop", until="11:00")) == [(0, 0, 17, 2, 2, 12, 0)]
    traffic.batch(Cell("10:40:00", hits=1), gap=3)
    traffic.execute("UPDATE stream.hour_offsets SET offset_ranges = '{[0,10),[15,17),[20,21)}'")
    assert select(reader, LEDGER.format(site="shop", until="11:00")) == [(0, 0, 21, 3, 3, 13, 1)]


def test_another_site_or_hour_has_no_evidence(traffic: CountedTraffic, reader: Warehouse) -> None:
    traffic.batch(Cell("10:00:00", hits=10))
    noted(traffic, 0, "{[0,10)}")
    assert select(reader, EVIDENCE.format(site="blog", hour="10:00")) == []
    assert select(reader, EVIDENCE.format(site="shop", hour="11:00")) == []


@pytest.mark.parametrize("name", ["evidence", "range_ledger"])
def test_the_function_cannot_be_led_astray_by_its_callers_names(name: str, admin: Warehouse) -> None:
    found = execute(
        admin,
        "SELECT prosecdef, proconfig, pg_catalog.has_function_privilege('footfall_writer', oid, 'EXECUTE') AS w"
        " FROM pg_catalog.pg_proc WHERE proname = %(name)s",
        {"name": name},
    )
    assert found == [{"prosecdef": True, "proconfig": ["search_path=pg_catalog, pg_temp"], "w": False}]

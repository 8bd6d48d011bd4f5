"""``report.evidence`` leads a reader from an hour to Kafka's offsets, and nowhere else."""

from __future__ import annotations

import pytest

from sql.warehouse import Warehouse
from tests.sql.counted_traffic import TOPIC_ID, Cell, CountedTraffic, at, select

pytestmark = pytest.mark.services


def noted(traffic: CountedTraffic, partition: int, ranges: str) -> None:
    traffic.execute(
        "INSERT INTO stream.hour_offsets VALUES (%(hour)s, %(topic)s, %(partition)s, %(ranges)s)",
        {"hour": at("10:00:00"), "topic": TOPIC_ID, "partition": partition, "ranges": ranges},
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


def test_another_site_or_hour_has_no_evidence(traffic: CountedTraffic, reader: Warehouse) -> None:
    traffic.batch(Cell("10:00:00", hits=10))
    noted(traffic, 0, "{[0,10)}")
    assert select(reader, EVIDENCE.format(site="blog", hour="10:00")) == []
    assert select(reader, EVIDENCE.format(site="shop", hour="11:00")) == []


def test_the_function_cannot_be_led_astray_by_its_callers_names(admin: Warehouse) -> None:
    assert select(
        admin,
        "SELECT prosecdef, proconfig, pg_catalog.has_function_privilege('footfall_writer', oid, 'EXECUTE') AS w"
        " FROM pg_catalog.pg_proc WHERE proname = 'evidence'",
    ) == [(True, ["search_path=pg_catalog, pg_temp"], False)]

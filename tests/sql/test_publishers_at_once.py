"""Several publishers and a writing stream at once: each revision is published once, from one moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from settings import Settings
from sql.hourly_reports import PublishedHour, publish_hours
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services

PUBLISHERS = 8
HOURS = [f"{hour:02}:00:00" for hour in range(12)]


def _publish_at_once(settings: Settings) -> list[PublishedHour]:
    start = threading.Barrier(PUBLISHERS)

    def publish(number: int) -> list[PublishedHour]:
        with Warehouse(settings.dsn("footfall_reporter"), f"publisher-{number}") as warehouse:
            warehouse.rows("monitoring/stream_status")
            start.wait(timeout=30)
            return publish_hours(warehouse, as_of=at("23:00:00"))

    with ThreadPoolExecutor(PUBLISHERS) as pool:
        return [hour for made in pool.map(publish, range(PUBLISHERS)) for hour in made]


def test_eight_publishers_at_once_make_each_revision_once(
    fresh_database: Settings, traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.batch(*(Cell(hour, path, hits=2) for hour in HOURS for path in ("/home", "/cart")))
    first = _publish_at_once(fresh_database)
    assert sorted(hour.hour_start for hour in first) == [at(hour) for hour in HOURS]

    traffic.batch(Cell("03:00:00", hits=5))
    second = _publish_at_once(fresh_database)
    assert [(hour.hour_start, hour.revision) for hour in second] == [(at("03:00:00"), 2)]

    assert _publish_at_once(fresh_database) == []
    assert select(
        reader,
        "SELECT (SELECT count(*) FROM report.hour_revision) AS revisions,"
        " (SELECT count(*) FROM report.hourly_page) AS page_rows,"
        " (SELECT sum(hits) FROM report.current_hourly_traffic) AS hits,"
        " (SELECT sum(hits) FROM report.current_hourly_page) AS page_hits",
    ) == [(13, 26, 53, 53)]


def test_a_publisher_that_waited_sees_what_was_counted_while_it_waited(
    fresh_database: Settings, traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    waiting = Warehouse(fresh_database.dsn("footfall_reporter"), "waiting-publisher")
    with ThreadPoolExecutor(1) as pool:
        with reporter.transaction() as cursor:
            cursor.execute("LOCK TABLE report.hour_checked IN SHARE ROW EXCLUSIVE MODE")
            published = pool.submit(publish_hours, waiting, at("23:00:00"))
            while not execute(
                traffic.warehouse,
                "SELECT pid FROM pg_catalog.pg_locks"
                " WHERE NOT granted AND relation = 'report.hour_checked'::regclass",
            ):
                assert not published.done()
            last = traffic.batch(Cell("10:00:10", hits=4))
        (hour,) = published.result(timeout=30)
    waiting.close()
    assert hour.hits_delta == 7
    assert select(reader, "SELECT hits, ledger_id FROM report.hourly_traffic") == [(7, last)]


def test_reports_made_while_the_stream_writes_equal_the_buckets_up_to_their_ledger_row(
    fresh_database: Settings, traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    stop = threading.Event()

    def count() -> int:
        batches = 0
        while not stop.is_set() and batches < 400:
            traffic.batch(Cell("10:00:00", "/home"), Cell("10:30:00", "/cart"))
            batches += 1
        return batches

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(count)
        revisions = 0
        while revisions < 10:
            revisions += len(publish_hours(reporter, as_of=at("23:00:00")))
        stop.set()
        batches = writing.result(timeout=60)
    publish_hours(reporter, as_of=at("23:00:00"))
    torn = select(
        reader,
        "SELECT r.revision, r.hits, r.ledger_id, p.hits AS page_hits FROM report.hourly_traffic AS r JOIN"
        " (SELECT revision, sum(hits) AS hits FROM report.hourly_page GROUP BY revision) AS p USING (revision)"
        # Each batch is one ledger row with two hits, and ledger ids start at 1.
        " WHERE r.hits <> p.hits OR r.hits <> 2 * r.ledger_id",
    )
    assert torn == []
    assert select(reader, "SELECT hits FROM report.current_hourly_traffic") == [(2 * batches,)]

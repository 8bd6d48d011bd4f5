"""What the tests of the stream job share: events that can be checked by eye, a session, a way to run the door."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from producers.access_log import AccessEvent
from producers.delivery import Delivery
from settings import CHECKOUT, Settings
from spark_jobs.session import start_session
from spark_jobs.visitor_hash import PeriodKeys, VisitorKey
from sql.warehouse import Row, Warehouse

# While a test's broker is down or gone, its clients' complaints would bury everything else.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
# Keys of visitor hashes for the months of the tests' events.
KEYS = PeriodKeys(
    "month", {name: VisitorKey(name, name.encode().ljust(32)) for name in ("2026-11", "2026-12", "1995-01")}
)


def event(seq: int | None, source: str | None = "web-1", second: int = 0, **fields: object) -> bytes:
    """An encoded event: GET /home, 200, 100 bytes, 5 ms, from Germany, with a browser; fields given win."""
    values: dict[str, object] = {
        "ts": NOON + timedelta(seconds=second),
        "ip": "192.0.2.7",
        "method": "GET",
        "path": "/home",
        "status": 200,
        "bytes": 100,
        "site": "shop",
        "latency_ms": 5.0,
        "country": "DE",
        "user_agent": BROWSER,
        "source": source,
        "seq": seq,
    }
    return msgspec.json.encode(AccessEvent(**(values | fields)))  # type: ignore[arg-type]


def send(settings: Settings, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Put (key, value) records on the topic."""
    with Delivery(settings.kafka_python_options("footfall_producer"), settings.topic, print) as delivery:
        for key, value in records:
            delivery.send(key, value)


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which a process of ours finds these settings."""
    given = {
        "FOOTFALL_HOME": str(settings.home),
        "FOOTFALL_PORT_BASE": str(settings.port_base),
        "FOOTFALL_TOPIC": settings.topic,
        "FOOTFALL_STALLED_AFTER_SECONDS": str(settings.stalled_after_seconds),
        "FOOTFALL_LOST_RANGE_POLICY": settings.lost_range_policy,
        "FOOTFALL_MAX_OFFSETS_PER_TRIGGER": str(settings.max_offsets_per_trigger),
        "FOOTFALL_MAX_PAGES_PER_DAY": str(settings.max_pages_per_day),
    }
    if settings.postgres_dsn:
        given["FOOTFALL_POSTGRES_DSN"] = settings.postgres_dsn
    return os.environ | given


def start_job(settings: Settings, *options: str) -> subprocess.Popen[str]:
    """The door as a process, in a session of its own like Airflow starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "spark_jobs.traffic_stream", *options],
        env=environment(settings),
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def count_all(settings: Settings) -> str:
    """Run the job until caught up; returns its output, fails when it fails."""
    job = start_job(settings, "--until-caught-up")
    output, _ = job.communicate(timeout=120)
    assert job.returncode == 0, output
    return output


Ask = Callable[[str], list[Row]]


@pytest.fixture
def ask(fresh_database: Settings) -> Iterator[Ask]:
    """Asks the test's database as its administrator."""
    with Warehouse(fresh_database.dsn("footfall_admin"), "footfall-test") as warehouse:

        def rows(query: str) -> list[Row]:
            with warehouse.transaction() as cursor:
                cursor.execute(query)
                return [dict(row) for row in cursor.fetchall()]

        yield rows


@pytest.fixture(scope="session")
def spark(kafka_broker: Settings) -> Iterator[SparkSession]:
    """One session for the tests that call the job's parts in this process."""
    home = kafka_broker.home
    session = start_session("local[2]", "512m", home / "jars" / "spark", home / "spark")
    yield session
    session.stop()


def kafka_rows(values: Sequence[bytes], first_offset: int = 0, partition: int = 0) -> pa.RecordBatch:
    """Records as Spark hands them to a task."""
    count = len(values)
    return pa.RecordBatch.from_pydict(
        {
            "partition": pa.array([partition] * count, pa.int32()),
            "offset": pa.array(range(first_offset, first_offset + count), pa.int64()),
            "received_us": pa.array([0] * count, pa.int64()),
            "value": pa.array(values, pa.binary()),
        }
    )

"""The real access log, however it comes: the same visitors, hours and days, each equal to an exact count.

The truth is counted here, with a regular expression and sets, and shares nothing with the product.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from producers.delivery import Delivery
from producers.log_shipper import ship
from settings import Settings
from sql.daily_reports import publish_days
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.spark_jobs.conftest import count_all
from tests.sql.counted_traffic import execute

pytestmark = [pytest.mark.services, pytest.mark.access_log, pytest.mark.timeout(600)]

VISITORS = 1815  # addresses with user agents, of lines whose status is not 4xx
LATER = datetime(2026, 11, 25, tzinfo=UTC)  # when the reports are made
LINE = re.compile(
    rb'(\S+) \S+ \S+ \[(\d\d/May/2015:\d\d)[^\]]*\] "[^"]*" (\d)\d\d \S+ "(?:[^"\\]|\\.)*" "((?:[^"\\]|\\.)*)"'
)

Truth = dict[datetime, int]
Arrival = Callable[[Path, Path], list[list[Path]]]  # log, folder -> files of each shipment


@pytest.fixture(scope="module")
def truth(access_log: Path) -> tuple[Truth, Truth]:
    """Distinct visitors by hour and by day."""
    hours: dict[datetime, set[tuple[bytes, bytes]]] = defaultdict(set)
    days: dict[datetime, set[tuple[bytes, bytes]]] = defaultdict(set)
    for line in access_log.read_bytes().splitlines():
        found = LINE.match(line)
        if found and found[3] != b"4":
            hour = datetime.strptime(found[2].decode(), "%d/%b/%Y:%H").replace(tzinfo=UTC)
            hours[hour].add((found[1], found[4]))
            days[hour.replace(hour=0)].add((found[1], found[4]))
    assert len(set().union(*hours.values())) == VISITORS
    return {hour: len(who) for hour, who in hours.items()}, {day: len(who) for day, who in days.items()}


def lines_of(log: Path) -> list[bytes]:
    return log.read_bytes().splitlines(keepends=True)


def hour_of(line: bytes) -> bytes:
    found = LINE.match(line)
    return found[2] if found else b"20/May/2015:12"  # the one line that is cut off


def write(folder: Path, parts: Iterable[list[bytes]]) -> list[Path]:
    paths = []
    for number, part in enumerate(parts):
        path = folder / f"part-{number:03d}.log"
        path.write_bytes(b"".join(part))
        paths.append(path)
    return paths


def whole(log: Path, folder: Path) -> list[list[Path]]:
    return [[log]]


def twice(log: Path, folder: Path) -> list[list[Path]]:
    return [[log], [log]]


def hourly_files_shuffled(log: Path, folder: Path) -> list[list[Path]]:
    hours: dict[bytes, list[bytes]] = defaultdict(list)
    for line in lines_of(log):
        hours[hour_of(line)].append(line)
    assert len(hours) == 84
    parts = list(hours.values())
    random.Random(4).shuffle(parts)
    return [write(folder, parts)]


def interleaved_halves(log: Path, folder: Path) -> list[list[Path]]:
    lines = lines_of(log)
    return [[path] for path in write(folder, [lines[::2], lines[1::2]])]


def a_tenth_later(log: Path, folder: Path) -> list[list[Path]]:
    lines = lines_of(log)
    return [[path] for path in write(folder, [[x for n, x in enumerate(lines) if n % 10], lines[::10]])]


def send(settings: Settings, paths: list[Path]) -> None:
    with Delivery(settings.kafka_python_options("footfall_producer"), settings.topic, print) as delivery:
        ship([str(path) for path in paths], "real", "combined", delivery, lambda _: None)


@pytest.fixture
def reporter(fresh_pipeline: Settings) -> Iterator[Warehouse]:
    with Warehouse(fresh_pipeline.dsn("footfall_reporter"), "footfall-test") as warehouse:
        yield warehouse


def publish(reporter: Warehouse, as_of: datetime) -> None:
    publish_hours(reporter, as_of)
    publish_days(reporter, as_of)


@pytest.mark.parametrize("arrival", [whole, twice, hourly_files_shuffled, interleaved_halves, a_tenth_later])
def test_visitors_of_hours_days_and_the_whole_are_exact_in_whatever_order_the_lines_come(
    arrival: Arrival, access_log: Path, truth: tuple[Truth, Truth], fresh_pipeline: Settings, reporter: Warehouse,
    tmp_path: Path,
) -> None:  # fmt: skip
    for number, paths in enumerate(arrival(access_log, tmp_path)):
        send(fresh_pipeline, paths)
        count_all(fresh_pipeline)
        publish(reporter, LATER + timedelta(days=3 * number))
    by_hour, by_day = truth
    hours = execute(reporter, "SELECT hour_start, hits, visitors, visitors_bound FROM report.current_hourly_traffic")
    assert {row["hour_start"]: row["visitors"] for row in hours} == by_hour
    assert {row["visitors_bound"] for row in hours} == {0}
    assert sum(row["hits"] for row in hours) == 9999
    days = execute(reporter, "SELECT day_start, visitors, visitors_bound FROM report.current_daily_traffic")
    assert {row["day_start"]: row["visitors"] for row in days} == by_day
    assert {row["visitors_bound"] for row in days} == {0}
    everybody = execute(reporter, "SELECT visitors, exact FROM report.visitors('real', '2015-05-01', '2015-06-01')")
    assert everybody == [{"visitors": VISITORS, "exact": True}]

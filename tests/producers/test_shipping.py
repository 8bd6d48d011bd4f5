"""Logs shipped through a real broker: every line arrives, with its place in the log, whatever happens."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from producers.access_log import AccessEvent, Origin
from producers.delivery import Delivery
from producers.log_following import follow
from producers.ship_report import ShipReport
from producers.shipping import CannotShip, ShipProgress, ship
from settings import CHECKOUT, Settings
from tests.producers.topic_reader import arrived

pytestmark = pytest.mark.services


def line(number: int, day: int = 17) -> bytes:
    return b'1.2.3.4 - - [%d/May/2015:10:05:03 +0000] "GET /%d HTTP/1.1" 200 5 "-" "curl"\n' % (day, number)


@pytest.fixture
def delivery(topic: Settings) -> Iterator[Delivery]:
    with Delivery(topic.kafka_python_options("footfall_producer"), topic.topic, print) as delivery:
        yield delivery


def ship_file(path: Path, delivery: Delivery, site: str = "shop", log_format: str = "auto") -> ShipReport:
    return ship([path], site, log_format, delivery, lambda progress: None)


def origins(records: list[tuple[bytes, bytes]]) -> list[tuple[str, int]]:
    places = [msgspec.json.decode(value, type=Origin) for _, value in records]
    return [(place.source, place.seq) for place in places]


def test_every_line_arrives_once_keyed_by_its_source_and_in_order(
    tmp_path: Path, topic: Settings, delivery: Delivery
) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"".join(map(line, range(1000))))
    report = ship_file(log, delivery)
    records = arrived(topic)
    assert all(key.decode() == source for (key, _), (source, _) in zip(records, origins(records), strict=True))
    for source in report.sources:
        assert [seq for name, seq in origins(records) if name == source.source] == list(range(1, source.lines + 1))
    assert sum(source.lines for source in report.sources) == report.lines == 1000


def test_a_copy_renamed_gzipped_with_crlf_or_grown_brings_the_same_lines_and_only_the_new_ones(
    tmp_path: Path, topic: Settings, delivery: Delivery
) -> None:
    content = b"".join(map(line, range(100)))
    (tmp_path / "1").write_bytes(content)
    (tmp_path / "2").write_bytes(gzip.compress(content))
    (tmp_path / "3").write_bytes(content.replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    (tmp_path / "4").write_bytes(content + b"".join(map(line, range(100, 150))))
    report = ship_file(tmp_path, delivery)
    assert report.lines == 100 + 100 + 100 + 150
    assert len(set(origins(arrived(topic)))) == 150
    assert sum(source.lines for source in report.sources) == 150


def test_the_logs_of_a_folder_go_oldest_first_and_an_empty_one_is_named(tmp_path: Path, delivery: Delivery) -> None:
    (tmp_path / "access.log").write_bytes(line(1, day=19))
    (tmp_path / "access.log.1").write_bytes(line(1, day=18))
    (tmp_path / "access.log.2").write_bytes(line(1, day=17))
    (tmp_path / "access.log.3").touch()
    report = ship_file(tmp_path, delivery)
    assert [Path(log.path).name for log in report.logs] == ["access.log.2", "access.log.1", "access.log"]
    assert report.skipped == [f"{tmp_path / 'access.log.3'}: empty"]


@pytest.mark.parametrize(
    ("content", "log_format", "says"),
    [
        (None, "auto", "No such file"),
        (b"", "auto", "empty"),
        (b"root:x:0:0\n", "auto", r"access.log: .*line 1 .*FORMAT"),
        (line(1), "common", r"a\.log: line 1 .*FORMAT"),
        (line(1), "bogus", "unknown format 'bogus'"),
    ],
)
def test_a_log_that_cannot_be_shipped_is_named_and_nothing_is_sent(
    tmp_path: Path, topic: Settings, delivery: Delivery, content: bytes | None, log_format: str, says: str
) -> None:
    good, log = tmp_path / "a.log", tmp_path / "access.log"
    good.write_bytes(line(1))
    if content is not None:
        log.write_bytes(content)
    paths = [log] if content == b"" else [good, log]
    with pytest.raises(CannotShip, match=says):
        ship(paths, "shop", log_format, delivery, lambda progress: None)
    assert arrived(topic) == []


@pytest.mark.access_log
def test_the_real_log_is_9999_events_of_84_hours_and_one_cut_line(access_log: Path, delivery: Delivery) -> None:
    progress: list[ShipProgress] = []
    report = ship([access_log], "shop", "auto", delivery, progress.append)
    assert (report.lines, report.events, report.bytes_sent, len(report.hours)) == (10_000, 9_999, 2_747_282_505, 84)
    assert {why: lines.line_numbers for why, lines in report.unparsed.items()} == {"not in the log format": [8899]}
    assert report.first_ts == datetime(2015, 5, 17, 10, 5, tzinfo=UTC)
    assert progress[-1].bytes_read == progress[-1].bytes_total == access_log.stat().st_size
    assert delivery.acknowledged == 10_000


@pytest.mark.access_log
def test_the_command_ships_standard_input_as_it_ships_the_file(access_log: Path, topic: Settings) -> None:
    environment = os.environ | {
        "FOOTFALL_HOME": str(topic.home),
        "FOOTFALL_PORT_BASE": str(topic.port_base),
        "FOOTFALL_TOPIC": topic.topic,
    }
    command = [sys.executable, "-m", "producers.log_shipper", "--site", "shop"]
    with access_log.open("rb") as log:
        piped = subprocess.run(
            [*command, "-"], stdin=log, env=environment, cwd=CHECKOUT, capture_output=True, text=True
        )
    assert piped.returncode == 0, piped.stderr
    assert "9,999 events, 1 unparsed, 84 hours" in piped.stdout
    subprocess.run([*command, str(access_log)], env=environment, cwd=CHECKOUT, check=True, capture_output=True)
    records = arrived(topic)
    assert (len(records), len(set(origins(records)))) == (20_000, 10_000)
    missing = subprocess.run(
        [*command, "/nowhere.log"], env=environment, cwd=CHECKOUT, capture_output=True, text=True
    )
    assert (missing.returncode, "No such file" in missing.stderr) == (2, True)


def test_a_followed_log_is_shipped_whole_through_both_kinds_of_rotation(
    tmp_path: Path, topic: Settings, delivery: Delivery
) -> None:
    log, old = tmp_path / "access.log", tmp_path / "access.log.1"
    log.write_bytes(line(1) + line(2)[:20])
    stop = Event()
    reports: list[ShipReport] = []
    following = Thread(
        target=lambda: reports.append(follow([log], "shop", "auto", delivery, stop, poll_seconds=0.02))
    )
    following.start()

    def wait_for(path: str) -> None:
        deadline = time.monotonic() + 20
        while path not in paths():
            assert time.monotonic() < deadline, f"{path} has not arrived: {paths()}"

    def paths() -> list[str]:
        return [msgspec.json.decode(value, type=AccessEvent).path for _, value in arrived(topic)]

    wait_for("/1")
    assert "/2" not in paths()  # its newline is not there yet
    with log.open("ab") as end:
        end.write(line(2)[20:])
    wait_for("/2")
    with log.open("ab") as end:
        log.rename(old)
        end.write(line(3))  # the server still writes to the renamed file
        log.write_bytes(line(4))
    wait_for("/4")
    os.truncate(log, 0)  # copytruncate
    with log.open("ab") as end:
        end.write(line(5))
    wait_for("/5")
    log.write_bytes(line(6))  # truncated, and as long as before at once
    wait_for("/6")
    stop.set()
    following.join(timeout=20)
    assert sorted(paths()) == [f"/{number}" for number in range(1, 7)]
    assert [one.lines for one in reports[0].logs] == [3, 1, 1, 1]

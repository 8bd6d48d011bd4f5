"""The generator against a real broker: a run that is killed or stopped and started again leaves nothing out."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from local.foreground import running_kafka
from local.jars import default_cache
from local.java import find_java
from local.kafka_topics import ensure_topic
from local.ports import free_port_base
from producers.generated_records import events
from producers.generator_state import Progress, read_progress
from settings import CHECKOUT, Settings
from tests.producers.generated import small_run

pytestmark = pytest.mark.services

# 24 hours at 2 hits/s: about 170,000 records, several seconds of sending.
RUN = small_run(history_ms=24 * 3_600_000, history_rate=2.0, rate=20.0)
OPTIONS = (
    *("--start", "2026-11-17T00:00Z", "--history-hours", "24", "--history-rate", "2", "--rate", "20"),
    *("--visitors", "3000", "--malformed-share", "0.01"),
)


def _start(topic: Settings, state: Path, *more: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "FOOTFALL_HOME": str(topic.home),
        "FOOTFALL_PORT_BASE": str(topic.port_base),
        "FOOTFALL_TOPIC": topic.topic,
    }
    command = [sys.executable, "-m", "producers.log_generator", *OPTIONS, "--state", str(state), *more]
    return subprocess.Popen(command, env=environment, cwd=CHECKOUT, stderr=(state.parent / "stderr").open("ab"))


def _wait_for(state: Path, records: int, process: subprocess.Popen[bytes]) -> Progress:
    for _ in range(600):
        progress = read_progress(state)
        if progress and progress.pid == process.pid and progress.records_acknowledged >= records:
            return progress
        assert process.poll() is None, (state.parent / "stderr").read_text()
        time.sleep(0.1)
    raise AssertionError(f"not {records} records after a minute: {read_progress(state)}")


def _read_all(topic: Settings) -> list[list[tuple[bytes, bytes]]]:
    """Every record of the topic, by partition."""
    options = topic.kafka_python_options("footfall_admin")
    consumer = Consumer(
        {
            "bootstrap.servers": topic.bootstrap_servers,
            "security.protocol": options["security_protocol"],
            "sasl.mechanism": options["sasl_mechanism"],
            "sasl.username": options["sasl_plain_username"],
            "sasl.password": options["sasl_plain_password"],
            "group.id": "unused",
            "enable.auto.commit": False,
        }
    )
    partitions: list[list[tuple[bytes, bytes]]] = []
    for number in range(4):
        partition = TopicPartition(topic.topic, number, 0)
        _, end = consumer.get_watermark_offsets(partition, timeout=20)
        consumer.assign([partition])
        found: list[tuple[bytes, bytes]] = []
        while len(found) < end:
            for message in consumer.consume(min(10_000, end - len(found)), timeout=20):
                if message.error():
                    raise KafkaException(message.error())
                found.append((message.key() or b"", message.value() or b""))
        partitions.append(found)
    consumer.close()
    return partitions


def _expected(live_ms: int, records: int | None = None) -> list[list[tuple[bytes, bytes]]]:
    by_source: dict[bytes, list[tuple[bytes, bytes]]] = {source.encode(): [] for source in RUN.sources}
    for number, (key, value) in enumerate(events(RUN, live_ms)):
        if number == records:
            break
        by_source[key].append((key, value))
    return list(by_source.values())


def test_a_run_reaches_the_broker_whole_one_source_a_partition(topic: Settings, tmp_path: Path) -> None:
    process = _start(topic, tmp_path / "state", "--minutes", "5")
    assert process.wait(timeout=120) == 0
    assert _read_all(topic) == _expected(300_000)
    inventory = msgspec.json.decode((tmp_path / "state" / "inventory.json").read_bytes())
    assert inventory["complete"]
    assert inventory["records"] == sum(map(len, _expected(300_000)))


def test_a_killed_run_started_again_leaves_nothing_out(topic: Settings, tmp_path: Path) -> None:
    state = tmp_path / "state"
    killed = _start(topic, state, "--minutes", "0")
    _wait_for(state, 20_000, killed)
    killed.kill()
    assert killed.wait(timeout=20) == -signal.SIGKILL
    again = _start(topic, state, "--minutes", "0")
    assert again.wait(timeout=120) == 0
    for found, expected in zip(_read_all(topic), _expected(0), strict=True):
        # What the kill left unnoted was sent again; nothing else.
        assert set(found) == set(expected)
        assert len(expected) < len(found)
    progress = read_progress(state)
    assert progress is not None
    assert progress.phase == "done"
    assert progress.records_acknowledged == sum(map(len, _expected(0)))


def test_sigterm_flushes_and_resume_goes_on_without_a_repeat(topic: Settings, tmp_path: Path) -> None:
    state = tmp_path / "state"
    stopped = _start(topic, state, "--minutes", "0")
    _wait_for(state, 20_000, stopped)
    stopped.terminate()
    assert stopped.wait(timeout=20) == 0
    progress = read_progress(state)
    assert progress is not None
    assert progress.phase == "stopped"
    assert progress.records_sent == progress.records_acknowledged
    inventory = msgspec.json.decode((state / "inventory.json").read_bytes())
    assert inventory["complete"]
    assert _read_all(topic) == _expected(0, progress.records_sent)
    options = [option for option in OPTIONS if option not in {"--start", "2026-11-17T00:00Z"}]
    environment = os.environ | {
        "FOOTFALL_HOME": str(topic.home), "FOOTFALL_PORT_BASE": str(topic.port_base), "FOOTFALL_TOPIC": topic.topic,
    }  # fmt: skip
    command = [sys.executable, "-m", "producers.log_generator", *options, "--state", str(state)]
    subprocess.run([*command, "--resume", "--minutes", "0"], env=environment, cwd=CHECKOUT, check=True, timeout=120)
    assert _read_all(topic) == _expected(0)


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A state folder for a broker that may be killed (open to other users, as pytest's tmp_path is not)."""
    with tempfile.TemporaryDirectory(prefix="footfall-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


def test_stopped_while_the_broker_is_away_it_ends_and_the_next_start_sends_the_rest(
    own_home: Path, tmp_path: Path
) -> None:
    settings = Settings(home=own_home, port_base=free_port_base(random.Random()), topic="outage")
    java, state = find_java(os.environ.get("JAVA_HOME")), tmp_path / "state"
    with running_kafka(settings, java, default_cache()) as broker:
        ensure_topic(settings.kafka_python_options("footfall_admin"), settings.topic)
        generator = _start(settings, state, "--minutes", "0")
        _wait_for(state, 20_000, generator)
        broker.kill()
        for _ in range(300):
            progress = read_progress(state)
            if progress and progress.waiting:
                break
            time.sleep(0.1)
        assert progress is not None
        assert "Kafka at" in str(progress.waiting)
        generator.terminate()
        assert generator.wait(timeout=20) == 0
    progress = read_progress(state)
    assert progress is not None
    assert progress.phase == "stopped"
    assert progress.records_acknowledged < progress.records_sent
    assert not msgspec.json.decode((state / "inventory.json").read_bytes())["complete"]
    with running_kafka(settings, java, default_cache()):
        assert _start(settings, state, "--minutes", "0").wait(timeout=120) == 0
        for found, expected in zip(_read_all(settings), _expected(0), strict=True):
            assert set(found) == set(expected)

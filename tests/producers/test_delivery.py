"""Delivery to a real broker: everything acknowledged, or an error that names the record and the way out."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from local.foreground import running_kafka
from local.jars import default_cache
from local.java import find_java
from local.kafka_topics import ensure_topic
from local.ports import free_port_base
from producers.delivery import Delivery, DeliveryFailed
from settings import Settings
from tests.producers.topic_reader import arrived

pytestmark = pytest.mark.services


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A state folder for a broker that may be killed (open to other users, as pytest's tmp_path is not)."""
    with tempfile.TemporaryDirectory(prefix="footfall-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


def test_a_wrong_password_is_called_one(topic: Settings) -> None:
    options = topic.kafka_python_options("footfall_producer") | {"sasl_plain_password": "wrong"}
    with pytest.raises(DeliveryFailed, match="password"):
        Delivery(options, topic.topic, print)


def test_a_missing_topic_is_named_and_not_created(kafka_broker: Settings) -> None:
    with pytest.raises(DeliveryFailed, match=r"'test\.nowhere' is missing"):
        Delivery(kafka_broker.kafka_python_options("footfall_producer"), "test.nowhere", print)


def test_nothing_listening_is_said(kafka_broker: Settings) -> None:
    options = kafka_broker.kafka_python_options("footfall_producer") | {"bootstrap_servers": ["127.0.0.1:1"]}
    with pytest.raises(DeliveryFailed, match="nothing listens"):
        Delivery(options, "web.access", print)


def test_a_record_larger_than_kafka_takes_is_named(topic: Settings) -> None:
    with (
        pytest.raises(DeliveryFailed, match=r"key b'big', 2000000 bytes"),
        Delivery(topic.kafka_python_options("footfall_producer"), topic.topic, print) as delivery,
    ):
        delivery.send(b"big", b"x" * 2_000_000)


def test_an_error_that_leaves_the_block_does_not_wait_for_what_is_unsent(topic: Settings) -> None:
    started = time.monotonic()
    with (
        pytest.raises(KeyboardInterrupt),
        Delivery(topic.kafka_python_options("footfall_producer"), topic.topic, print) as delivery,
    ):
        for number in range(100):
            delivery.send(b"k", b"%d" % number)
        raise KeyboardInterrupt
    assert time.monotonic() - started < 6


def test_a_broker_killed_in_the_middle_is_waited_for_and_every_record_arrives_in_order(own_home: Path) -> None:
    settings = Settings(home=own_home, port_base=free_port_base(random.Random()), topic="kill")
    java = find_java(os.environ.get("JAVA_HOME"))
    said: list[str] = []
    with ExitStack() as brokers:
        broker = brokers.enter_context(running_kafka(settings, java, default_cache()))
        ensure_topic(settings.kafka_python_options("footfall_admin"), "kill")

        def start_again() -> None:
            time.sleep(5)
            brokers.enter_context(running_kafka(settings, java, default_cache()))

        restart = Thread(target=start_again)
        with Delivery(settings.kafka_python_options("footfall_producer"), "kill", said.append) as delivery:
            for number in range(40_000):
                delivery.send(b"k", b"%d" % number)
                if number == 10_000:
                    broker.kill()
                    restart.start()
            delivery.flush()
            assert delivery.acknowledged == 40_000
        restart.join()
        assert [value for _, value in arrived(settings)] == [b"%d" % number for number in range(40_000)]
    assert len(said) == 2
    assert "takes no records" in said[0]
    assert "again" in said[1]

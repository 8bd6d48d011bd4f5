"""The embedded services let in who should, and nobody else; they listen on the loopback interface only."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import psycopg2
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from local.kafka_topics import ensure_topic
from local.secrets import make_secrets, postgres_password
from settings import KafkaUser, Settings
from sql.launches import read_lease
from sql.warehouse import Warehouse, WarehouseRefused

pytestmark = pytest.mark.services

QUICK = {"bootstrap_timeout_ms": 4000}


def test_the_writer_reaches_a_fresh_migrated_database(fresh_database: Settings) -> None:
    with Warehouse(fresh_database.dsn("footfall_writer"), "test") as warehouse:
        assert read_lease(warehouse).epoch == 0


def test_every_database_is_new(fresh_database: Settings, postgres_server: Settings) -> None:
    assert fresh_database.dsn("footfall_writer") != postgres_server.dsn("footfall_writer")


def test_postgres_refuses_a_wrong_password(postgres_server: Settings) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(
            host="127.0.0.1",
            port=postgres_server.postgres_port,
            dbname="footfall",
            user="footfall_reader",
            password="guessed",
        )


def test_postgres_refuses_no_password(postgres_server: Settings) -> None:
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(
            host="127.0.0.1",
            port=postgres_server.postgres_port,
            dbname="footfall",
            user="footfall_admin",
            passfile=os.devnull,
        )


def test_postgres_knows_no_rule_but_scram(postgres_server: Settings) -> None:
    with Warehouse(postgres_server.dsn("footfall_admin"), "test") as warehouse, warehouse.transaction() as cursor:
        cursor.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
        assert [dict(row) for row in cursor.fetchall()] == [{"auth_method": "scram-sha-256"}]


def test_airflow_cannot_enter_the_database_of_counts(postgres_server: Settings) -> None:
    with pytest.raises(WarehouseRefused, match="permission denied"):
        Warehouse(postgres_server.dsn("airflow", "footfall"), "test").rows("stream/lease_read")


def test_the_reader_cannot_enter_the_database_of_airflow(postgres_server: Settings) -> None:
    with pytest.raises(WarehouseRefused, match="permission denied"):
        Warehouse(postgres_server.dsn("footfall_reader", "airflow"), "test").rows("stream/lease_read")


def test_no_password_is_in_a_process_list_or_in_a_log(kafka_broker: Settings, postgres_server: Settings) -> None:
    secrets = {path.read_text().strip() for path in kafka_broker.secrets.glob("*.password")}
    secrets |= {postgres_password(postgres_server, role) for role in ("footfall_admin", "footfall_writer", "airflow")}
    seen = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    for folder in (kafka_broker.logs, postgres_server.home / "postgres" / "logs"):
        seen += [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    assert not [secret for secret in secrets if any(secret in text for text in seen)]


def test_secrets_and_state_are_private(kafka_broker: Settings, postgres_server: Settings) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in kafka_broker.secrets.rglob("*") if path.is_file()}
    assert modes == {0o600}
    for folder in ("secrets", "logs", "kafka", "postgres", "postgres/data"):
        assert stat.S_IMODE((kafka_broker.home / folder).stat().st_mode) == 0o700
    assert stat.S_IMODE((kafka_broker.home / "kafka" / "server.properties").stat().st_mode) == 0o600


def test_secrets_stay_when_made_again(settings_home: Settings, postgres_server: Settings) -> None:
    before = {path.name: path.read_text() for path in settings_home.secrets.rglob("*") if path.is_file()}
    make_secrets(settings_home)
    assert {path.name: path.read_text() for path in settings_home.secrets.rglob("*") if path.is_file()} == before


def test_nothing_listens_beyond_loopback(kafka_broker: Settings, postgres_server: Settings) -> None:
    ours = range(kafka_broker.port_base, kafka_broker.port_base + 4)
    listeners = [
        (c.laddr.ip, c.laddr.port)
        for c in psutil.net_connections("tcp")
        if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port in ours
    ]
    assert {address for address, _ in listeners} <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert {port for _, port in listeners} == set(ours[1:])


def test_a_producer_may_write_and_the_stream_may_read(topic: Settings) -> None:
    with closing(KafkaProducer(**topic.kafka_python_options("footfall_producer"))) as producer:
        producer.send(topic.topic, b"one", partition=0).get(timeout=20)
    with closing(_consumer(topic, "footfall_stream")) as consumer:
        assert [record.value for record in _first_records(consumer, topic.topic)] == [b"one"]


def test_a_producer_may_not_read(topic: Settings) -> None:
    with closing(_consumer(topic, "footfall_producer")) as consumer, pytest.raises(TopicAuthorizationFailedError):
        list(_first_records(consumer, topic.topic))


def test_the_stream_may_not_write(topic: Settings) -> None:
    options = topic.kafka_python_options("footfall_stream") | {"enable_idempotence": False}
    with closing(KafkaProducer(**options)) as producer, pytest.raises(TopicAuthorizationFailedError):
        producer.send(topic.topic, b"one", partition=0).get(timeout=20)


def test_kafka_refuses_a_wrong_password(kafka_broker: Settings) -> None:
    options = kafka_broker.kafka_python_options("footfall_stream") | {"sasl_plain_password": "guessed"}
    with pytest.raises(KafkaError):
        KafkaConsumer(**options, **QUICK)


def test_kafka_refuses_anonymous_clients(kafka_broker: Settings) -> None:
    with pytest.raises(KafkaError):
        KafkaConsumer(bootstrap_servers=kafka_broker.bootstrap_servers, security_protocol="PLAINTEXT", **QUICK)


def test_kafka_refuses_a_record_of_two_megabytes(topic: Settings) -> None:
    options = topic.kafka_python_options("footfall_producer") | {"max_request_size": 8 * 2**20}
    with closing(KafkaProducer(**options)) as producer, pytest.raises(KafkaError):
        producer.send(topic.topic, os.urandom(2 * 2**20), partition=0).get(timeout=20)


def test_making_a_topic_again_is_harmless(topic: Settings) -> None:
    assert ensure_topic(topic.kafka_python_options("footfall_admin"), topic.topic) is False


def _consumer(settings: Settings, user: KafkaUser) -> KafkaConsumer:
    options = settings.kafka_python_options(user)
    return KafkaConsumer(**options, auto_offset_reset="earliest", enable_auto_commit=False)


def _first_records(consumer: KafkaConsumer, topic: str) -> Iterator[Any]:
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    deadline = time.monotonic() + 60
    while not (found := consumer.poll(timeout_ms=1_000)) and time.monotonic() < deadline:
        pass  # a busy machine may need more than one poll to find the broker
    for records in found.values():
        yield from records

"""Delivery of records to Kafka: each one acknowledged, or an error that names it (the room's kafka-python).

kafka-python's producer has no memory bound and tells each send's fate by a future. ``Delivery`` keeps what is
not acknowledged yet, in order and bounded, and settles it from the front. While the broker is away, the
producer itself retries within one idempotent session (no duplicates). When that session is beyond repair, a
new producer sends everything unacknowledged again, in order; readers drop a (source, seq) already counted.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer
from kafka import errors as kafka_errors

MOST_UNACKNOWLEDGED_RECORDS = 20_000
MOST_UNACKNOWLEDGED_BYTES = 32 * 2**20

CONNECT_SECONDS = 8.0
SAY_WAITING_AFTER_SECONDS = 3.0
PROBE_EVERY_SECONDS = 10.0
REPLACE_AFTER_SECONDS = 30.0  # probes get through for so long, yet this session does not move
MOST_REPLACEMENTS_WITHOUT_PROGRESS = 5

# Waiting does not help against these. Everything else is retried.
_BEYOND_WAITING = (
    kafka_errors.AuthorizationError,
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.IllegalSaslStateError,
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.InvalidTopicError,
    kafka_errors.InvalidRecordError,
    kafka_errors.InvalidTimestampError,
    kafka_errors.PolicyViolationError,
    kafka_errors.UnsupportedVersionError,
    kafka_errors.UnsupportedCompressionTypeError,
)


class DeliveryFailed(Exception):
    """A record cannot be delivered and waiting will not change that; the message says why and the way out."""


class Delivery:
    """Sends one topic's records, from one thread. Leaving its ``with`` block flushes, save by an error."""

    def __init__(self, options: Mapping[str, Any], topic: str, on_waiting: Callable[[str], None]) -> None:
        """Connect and look the topic up; raises DeliveryFailed when there is no broker, access or topic.

        ``options`` are kafka-python's connection options, ``on_waiting`` is told once when the broker stops
        answering and once when it is back.
        """
        if find_spec("crc32c") is None:
            raise DeliveryFailed(
                "the package crc32c is missing, without which Kafka costs three times as much: run `make up`."
            )
        self._options = dict(options)
        self._topic = topic
        self._on_waiting = on_waiting
        self._pending: deque[tuple[Any, bytes, bytes]] = deque()  # (future, key, value) in the order of sending
        self._pending_bytes = 0
        self._acknowledged = 0
        self._moved_at = time.monotonic()
        self._probed_at = self._moved_at
        self._reachable_since: float | None = None
        self._said_waiting = False
        self._replacements = 0
        self._producer = self._connect(CONNECT_SECONDS)
        self._look_topic_up()

    @property
    def acknowledged(self) -> int:
        """How many records, counted from the first one sent, Kafka has acknowledged without a gap."""
        self._settle()
        return self._acknowledged

    def send(self, key: bytes, value: bytes) -> None:
        """Hand one record over; waits while too much is unacknowledged, raises DeliveryFailed."""
        if not self._pending:
            self._moved_at = time.monotonic()
        future = self._produce(key, value)  # may replace self._pending
        self._pending.append((future, key, value))
        self._pending_bytes += len(key) + len(value)
        self._settle()
        while len(self._pending) > MOST_UNACKNOWLEDGED_RECORDS or self._pending_bytes > MOST_UNACKNOWLEDGED_BYTES:
            self._wait_for_oldest()

    def flush(self) -> None:
        """Return when everything sent is acknowledged; raises DeliveryFailed."""
        self._settle()
        while self._pending:
            self._wait_for_oldest()

    def close(self) -> None:
        """Flush and disconnect; raises DeliveryFailed when the rest cannot be delivered."""
        try:
            self.flush()
        finally:
            self._drop(self._producer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._drop(self._producer)

    def _connect(self, seconds: float) -> KafkaProducer:
        servers = ", ".join(self._options["bootstrap_servers"])
        try:
            return KafkaProducer(
                **self._options,
                enable_idempotence=True,
                acks="all",
                compression_type="lz4",
                linger_ms=20,
                batch_size=128 * 1024,
                allow_auto_create_topics=False,
                delivery_timeout_ms=2**40,  # an outage is waited out here, never given up there
                request_timeout_ms=30_000,
                max_block_ms=2_000,
                reconnect_backoff_max_ms=1_000,
                bootstrap_timeout_ms=int(seconds * 1000),
                metrics_enabled=False,
            )
        except kafka_errors.SaslAuthenticationFailedError as error:
            raise DeliveryFailed(f"{self._refused(servers)}: {error}") from error
        except kafka_errors.RetriableError as error:
            if any(_listens(server) for server in self._options["bootstrap_servers"]):
                # The broker hangs up on a failed login so fast that kafka-python misses its answer.
                raise _NoAnswer(f"{self._refused(servers)}, or the broker hangs") from error
            raise _NoAnswer(
                f"nothing listens at Kafka's address {servers}. Is it running (`make status`)? Is FOOTFALL_PORT_BASE "
                "or FOOTFALL_KAFKA_BOOTSTRAP right?"
            ) from error
        except kafka_errors.KafkaError as error:
            raise DeliveryFailed(f"cannot work with Kafka at {servers}: {error}") from error

    def _refused(self, servers: str) -> str:
        user = self._options.get("sasl_plain_username", "without a name")
        return (
            f"Kafka at {servers} does not let user {user} in. Wrong password (the password file and the broker "
            "must belong to the same FOOTFALL_HOME), wrong FOOTFALL_KAFKA_SECURITY_PROTOCOL"
        )

    def _look_topic_up(self) -> None:
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                self._producer.partitions_for(self._topic)
                return
            except kafka_errors.KafkaError as error:
                # A topic made a moment ago is not everywhere yet, nor are its access rights.
                if time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                self._drop(self._producer)
                raise DeliveryFailed(
                    f"the topic {self._topic!r} is missing or not ours to write to ({type(error).__name__}). "
                    "`make up` creates it; on a Kafka of your own create it and set FOOTFALL_TOPIC."
                ) from error

    def _produce(self, key: bytes, value: bytes) -> Any:
        while True:
            try:
                return self._producer.send(self._topic, key=key, value=value)
            except kafka_errors.KafkaTimeoutError:  # the topic's partitions are unknown at the moment
                self._look_after_outage()
            except kafka_errors.KafkaError as error:
                raise self._failure(error, key, value) from error

    def _failure(self, error: BaseException, key: bytes, value: bytes) -> DeliveryFailed:
        return DeliveryFailed(
            f"Kafka does not take record {self._acknowledged + 1} of this delivery or a later one "
            f"(key {key[:128]!r}, {len(value)} bytes) on topic {self._topic!r}: "
            f"{type(error).__name__}: {error}"
        )

    def _settle(self) -> None:
        """Take acknowledged records off the front; resend or raise when the oldest one failed."""
        pending = self._pending
        before = self._acknowledged
        while pending and pending[0][0].is_done:
            future, key, value = pending[0]
            if future.failed():
                self._moved(before)
                self._recover(future.exception, key, value)
                return
            pending.popleft()
            self._pending_bytes -= len(key) + len(value)
            self._acknowledged += 1
        self._moved(before)
        if pending and time.monotonic() - self._moved_at > SAY_WAITING_AFTER_SECONDS:
            self._look_after_outage()

    def _moved(self, before: int) -> None:
        if self._acknowledged == before:
            return
        self._moved_at = time.monotonic()
        self._reachable_since = None
        self._replacements = 0
        if self._said_waiting:
            self._said_waiting = False
            self._on_waiting("Kafka takes records again.")

    def _wait_for_oldest(self) -> None:
        future = self._pending[0][0]
        if not future.is_done:
            try:
                future.get(timeout=0.5)
            except kafka_errors.KafkaError:
                # Not there yet, or failed: _settle looks at the future itself and decides.
                self._settle()
                return
        self._settle()

    def _look_after_outage(self) -> None:
        """Nothing moves: say so once; find out whether it is the broker, access, or our own session."""
        now = time.monotonic()
        if not self._said_waiting:
            self._said_waiting = True
            self._on_waiting(
                f"Kafka at {', '.join(self._options['bootstrap_servers'])} takes no records; waiting with "
                f"{len(self._pending)} unacknowledged ones. Nothing is lost."
            )
        if now - self._probed_at < PROBE_EVERY_SECONDS:
            return
        self._probed_at = now
        try:
            probe = self._connect(3.0)  # raises DeliveryFailed when access is refused by now
        except _NoAnswer:
            self._reachable_since = None
            return
        self._reachable_since = self._reachable_since or now
        if now - self._reachable_since >= REPLACE_AFTER_SECONDS:
            self._replace_producer(probe)
        else:
            self._drop(probe)

    def _recover(self, error: BaseException, key: bytes, value: bytes) -> None:
        self._replacements += 1
        if isinstance(error, _BEYOND_WAITING) or self._replacements > MOST_REPLACEMENTS_WITHOUT_PROGRESS:
            raise self._failure(error, key, value) from error
        time.sleep(self._replacements - 1)
        while True:
            try:
                producer = self._connect(CONNECT_SECONDS)
                break
            except _NoAnswer:
                self._look_after_outage()
        self._replace_producer(producer)

    def _replace_producer(self, producer: KafkaProducer) -> None:
        self._drop(self._producer)
        self._producer = producer
        self._reachable_since = None
        self._moved_at = time.monotonic()
        self._pending = deque((self._produce(key, value), key, value) for _, key, value in self._pending)

    @staticmethod
    def _drop(producer: KafkaProducer) -> None:
        # close() alone raises while records are unacknowledged, whatever its timeout, and leaves the thread.
        producer._sender.force_close()
        producer._sender.join(5)
        producer.close(timeout=1)


def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except OSError:
        return False
    return True


class _NoAnswer(DeliveryFailed):
    """No broker answered in time."""

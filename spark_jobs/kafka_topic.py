"""What Kafka says of the topic: which incarnation it is, its partitions, the offsets it still holds, its records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import AuthorizationError, KafkaError, KafkaTimeoutError, SaslAuthenticationFailedError

# Waiting does not help against these.
KafkaRefused = (SaslAuthenticationFailedError, AuthorizationError)

__all__ = ["KafkaError", "KafkaRefused", "KafkaTopic", "TopicMissing", "TopicReplaced", "TopicState"]


class TopicMissing(Exception):
    """The broker answers, but has no such topic (or hides it from this user)."""


class TopicReplaced(Exception):
    """The topic's name stands for another incarnation: its offsets are not those that were counted."""


@dataclass(frozen=True)
class TopicState:
    """A topic at one moment."""

    cluster_id: str
    topic_id: UUID
    topic: str
    earliest: dict[int, int]  # by partition: first offset Kafka still holds
    latest: dict[int, int]  # by partition: offset the next record will get


class KafkaTopic:
    """A connection for questions about one topic; each thread has its own.

    options: kafka-python's connection options. Every question raises a KafkaError when the broker does not
    answer, TopicMissing when it has no such topic.
    """

    def __init__(self, options: Mapping[str, Any], topic: str) -> None:
        self._options = options
        self._topic = topic
        self._admin: KafkaAdminClient | None = None

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def state(self) -> TopicState:
        """The topic as it is now."""
        described = self._describe()
        partitions = [int(partition["partition_index"]) for partition in described["partitions"]]
        return TopicState(
            cluster_id=str(self._connected().describe_cluster()["cluster_id"]),
            topic_id=UUID(str(described["topic_id"])),
            topic=self._topic,
            earliest=self._offsets(partitions, OffsetSpec.EARLIEST),
            latest=self._offsets(partitions, OffsetSpec.LATEST),
        )

    def latest(self, partitions: Iterable[int]) -> dict[int, int]:
        """Offset the next record will get, by partition."""
        return self._offsets(partitions, OffsetSpec.LATEST)

    def check_is(self, topic_id: UUID) -> None:
        """Raise TopicReplaced when the name stands for another incarnation by now (KIP-516)."""
        found = UUID(str(self._describe()["topic_id"]))
        if found != topic_id:
            raise TopicReplaced(f"topic {self._topic!r} was deleted and made anew: {topic_id} is now {found}")

    def records(self, partition: int, from_offset: int, until_offset: int) -> Iterator[tuple[int, bytes | None]]:
        """(offset, value) of the records in [from_offset, until_offset) that Kafka still holds, in their order.

        Reads without a consumer group, so nothing is remembered of it. Raises KafkaTimeoutError when the broker
        hands out nothing for 30 s.
        """
        place = TopicPartition(self._topic, partition)
        consumer = KafkaConsumer(
            client_id="footfall-evidence",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            bootstrap_timeout_ms=5000,
            **self._options,
        )
        with closing(consumer):
            consumer.assign([place])
            earliest, latest = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
            until = min(until_offset, latest)
            consumer.seek(place, max(from_offset, earliest))
            while consumer.position(place) < until:
                batch = consumer.poll(timeout_ms=30_000)
                if not batch:
                    raise KafkaTimeoutError(f"no record of partition {partition} came within 30 s")
                for record in batch[place]:
                    if record.offset >= until:
                        return
                    yield record.offset, record.value

    def _connected(self) -> KafkaAdminClient:
        if self._admin is None:
            self._admin = KafkaAdminClient(
                client_id="footfall-stream",
                bootstrap_timeout_ms=5000,
                request_timeout_ms=10_000,
                **self._options,
            )
        return self._admin

    def _describe(self) -> dict[str, Any]:
        (described,) = self._connected().describe_topics([self._topic])
        if described.get("error_code") or not described["partitions"]:
            raise TopicMissing(f"Kafka has no topic {self._topic!r} that this user may read")
        return dict(described)

    def _offsets(self, partitions: Iterable[int], spec: OffsetSpec) -> dict[int, int]:
        asked = {TopicPartition(self._topic, partition): spec for partition in partitions}
        found = self._connected().list_partition_offsets(asked)
        return {partition.partition: int(place.offset) for partition, place in found.items()}

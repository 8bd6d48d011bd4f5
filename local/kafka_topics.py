"""The topic of access events and who may do what with it. The only kafka-python import of this room."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    NewTopic,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError, TopicAlreadyExistsError
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

__all__ = ["KafkaError", "broker_answers", "ensure_topic"]

PARTITIONS = 4
TOPIC_CONFIGURATION = {
    "compression.type": "lz4",
    "retention.ms": str(48 * 3600 * 1000),
    "max.message.bytes": str(1024 * 1024),
}
# Consumer groups that Spark's Kafka source makes up begin like this.
SPARK_GROUPS = "spark-kafka-"
# The controller has accepted a right a moment before the broker goes by it.
UNTIL_IN_FORCE = Retrying(
    retry=retry_if_result(lambda in_force: not in_force), wait=wait_fixed(0.1), stop=stop_after_delay(30)
)


def broker_answers(options: Mapping[str, Any]) -> bool:
    """Whether the broker lets an administrator in; False while it is still starting."""
    try:
        with closing(_admin(options, patience_ms=2_000)) as admin:
            admin.describe_cluster()
    except (KafkaError, OSError):
        return False
    return True


def ensure_topic(options: Mapping[str, Any], topic: str, replication_factor: int = 1) -> bool:
    """Create the topic and its access rights, in force on return; True when the topic is new.

    Harmless when all is there. options: ``Settings.kafka_python_options`` of an administrator.
    Raises tenacity.RetryError when the broker does not take over the rights within 30 s.
    """
    with closing(_admin(options)) as admin:
        new = NewTopic(topic, PARTITIONS, replication_factor, topic_configs=dict(TOPIC_CONFIGURATION))
        created = True
        try:
            admin.create_topics([new], timeout_ms=30_000)
        except TopicAlreadyExistsError:
            created = False
        rights = access_rights(topic)
        admin.create_acls(rights)
        for right in rights:
            UNTIL_IN_FORCE(lambda right=right: bool(admin.describe_acls(right)[0]))
    return created


def access_rights(topic: str) -> list[ACL]:
    """Producers write, the stream job reads, nobody else does anything."""
    producer, stream = "User:footfall_producer", "User:footfall_stream"
    records = ResourcePattern(ResourceType.TOPIC, topic)
    cluster = ResourcePattern(ResourceType.CLUSTER, "kafka-cluster")
    groups = ResourcePattern(ResourceType.GROUP, SPARK_GROUPS, ACLResourcePatternType.PREFIXED)
    return [
        _allow(producer, ACLOperation.WRITE, records),
        _allow(producer, ACLOperation.DESCRIBE, records),
        _allow(producer, ACLOperation.IDEMPOTENT_WRITE, cluster),
        _allow(stream, ACLOperation.READ, records),
        _allow(stream, ACLOperation.DESCRIBE, records),
        _allow(stream, ACLOperation.READ, groups),
        _allow(stream, ACLOperation.DESCRIBE, cluster),
    ]


def _allow(principal: str, operation: ACLOperation, resource: ResourcePattern) -> ACL:
    return ACL(principal, "*", operation, ACLPermissionType.ALLOW, resource)


def _admin(options: Mapping[str, Any], patience_ms: int = 30_000) -> KafkaAdminClient:
    return KafkaAdminClient(
        client_id="footfall-admin", request_timeout_ms=30_000, bootstrap_timeout_ms=patience_ms, **options
    )

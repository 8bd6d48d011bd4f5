"""Where a launch begins: the stored positions held against what Kafka still has."""

from __future__ import annotations

from typing import Literal

from spark_jobs.kafka_topic import TopicState
from spark_jobs.lease import hold_lease
from sql.warehouse import Warehouse, rows, run


class KafkaBehindLedger(Exception):
    """Kafka ends before what has been counted: its log was lost or restored. A person must look."""


class RangeLost(Exception):
    """Kafka no longer has records that were never counted, and the policy is to stop."""


def starting_offsets(
    warehouse: Warehouse, topic: TopicState, epoch: int, lost_range_policy: Literal["record", "stop"]
) -> dict[int, int]:
    """First offset to read of each partition; opens positions for partitions met for the first time.

    A partition never counted before begins at the earliest offset Kafka has. A counted one whose next
    records Kafka no longer has leaves a row in ``stream.lost_range`` and begins behind the loss, or raises
    RangeLost. Raises KafkaBehindLedger when Kafka has less than was counted, Fenced when a newer launch has come.
    """
    identity = {"topic_id": str(topic.topic_id)}
    with warehouse.transaction() as cursor:
        hold_lease(cursor, epoch)
        run(cursor, "stream/register_topic", identity | {"cluster_id": topic.cluster_id, "topic": topic.topic})
        known = {
            row["kafka_partition"]: row["next_offset"] for row in rows(cursor, "stream/read_positions", identity)
        }
        start = {}
        for partition, earliest in sorted(topic.earliest.items()):
            place = identity | {"kafka_partition": partition}
            position = known.get(partition)
            if position is None:
                run(cursor, "stream/open_position", place | {"next_offset": earliest})
                start[partition] = earliest
                continue
            if position > topic.latest[partition]:
                raise KafkaBehindLedger(
                    f"partition {partition} of {topic.topic!r} ends at {topic.latest[partition]}, "
                    f"but {position} was counted: {position - topic.latest[partition]} records are gone from Kafka"
                )
            if position < earliest:
                lost = place | {"start": position, "until": earliest}
                reason = f"Kafka's retention removed {earliest - position} records before they were counted"
                if lost_range_policy == "stop":
                    raise RangeLost(f"partition {partition}: {reason}")
                run(cursor, "stream/record_loss", lost | {"reason": reason})
                run(cursor, "stream/advance_position", lost)
            start[partition] = max(position, earliest)
    return start

"""Read back what a test has put on its topic."""

from __future__ import annotations

from kafka import KafkaConsumer, TopicPartition

from settings import Settings


def arrived(settings: Settings) -> list[tuple[bytes, bytes]]:
    """(key, value) of everything on the topic, each partition in its order."""
    consumer = KafkaConsumer(
        **settings.kafka_python_options("footfall_admin"), auto_offset_reset="earliest", group_id=None
    )
    partitions = [TopicPartition(settings.topic, number) for number in range(4)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    records = []
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for batch in consumer.poll(timeout_ms=500).values():
            records += [(record.key, record.value) for record in batch]
    consumer.close()
    return records

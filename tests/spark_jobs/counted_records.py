"""A topic's records as the stream job leaves them in Postgres: noted as read, without counting them."""

from __future__ import annotations

from settings import Settings
from spark_jobs.kafka_topic import KafkaTopic
from sql.warehouse import Warehouse
from tests.spark_jobs.conftest import NOON


def counted(settings: Settings) -> None:
    """As the stream job leaves it: every record of the topic is in the hour's ranges."""
    with KafkaTopicOf(settings) as topic:
        state = topic.state()
    with Warehouse(settings.dsn("footfall_writer"), "test") as warehouse, warehouse.transaction() as cursor:
        cursor.execute(
            "INSERT INTO stream.topic VALUES (%s, %s, %s, now())",
            (str(state.topic_id), state.cluster_id, settings.topic),
        )
        cursor.execute("INSERT INTO stream.touched_hour VALUES ('shop', %s, 1)", (NOON,))
        for partition, latest in state.latest.items():
            if latest:
                cursor.execute(
                    "INSERT INTO stream.hour_offsets VALUES (%s, %s, %s, int8multirange(int8range(0, %s)))",
                    (NOON, str(state.topic_id), partition, latest),
                )
                cursor.execute(
                    "INSERT INTO stream.ledger (topic_id, kafka_partition, offsets, consumed, accepted, rejected,"
                    " duplicate, unsourced, epoch) VALUES (%s, %s, int8range(0, %s), %s, %s, 0, 0, 0, 1)",
                    (str(state.topic_id), partition, latest, latest, latest),
                )


class KafkaTopicOf:
    """A connection to a test's topic that closes itself."""

    def __init__(self, settings: Settings) -> None:
        self._topic = KafkaTopic(settings.kafka_python_options("footfall_stream"), settings.topic)

    def __enter__(self) -> KafkaTopic:
        return self._topic

    def __exit__(self, *_: object) -> None:
        self._topic.close()

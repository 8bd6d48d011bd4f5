"""The Spark session and the streaming source, as measured (docs/decisions/0020-spark-settings.md)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

_SETTINGS = {
    # No web page is served.
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    # One small plan a batch: nothing for adaptive execution or many shuffle partitions to win.
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    "spark.sql.streaming.checkpointFileManagerClass": (
        "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
    ),
    "spark.sql.streaming.minBatchesToRetain": "5",
    "spark.sql.streaming.numRecentProgressUpdates": "5",
    "spark.sql.streaming.stopTimeout": "20s",
}
# Nothing listens off loopback, unless workers on other machines must reach the driver: then the addresses are
# those of spark-defaults.conf.
_LOOPBACK = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
_SOURCE_SETTINGS = {
    "failOnDataLoss": "true",
    "kafka.isolation.level": "read_committed",
    "kafka.max.poll.records": "5000",
    "kafka.receive.buffer.bytes": "1048576",
    "kafka.max.partition.fetch.bytes": "8388608",
}


def start_session(master: str, driver_memory: str, jars: Path, scratch: Path) -> SparkSession:
    """Start Spark with the Kafka connector's jars; workers run this interpreter.

    Raises FileNotFoundError when the jars are not there.
    """
    connector = sorted(jars.glob("*.jar"))
    if not connector:
        raise FileNotFoundError(f"no connector jars in {jars}: run `make up` once, it fetches them")
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName("footfall").master(master)
    settings = _SETTINGS
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings = settings | _LOOPBACK
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = (
        builder.config("spark.driver.memory", driver_memory)
        .config("spark.jars", ",".join(str(jar) for jar in connector))
        .config("spark.local.dir", str(scratch))
        .config("spark.sql.warehouse.dir", str(scratch / "warehouse"))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("WARN")
    return session


def kafka_source(
    session: SparkSession,
    connection: Mapping[str, str],
    topic: str,
    starting_offsets: Mapping[int, int],
    max_offsets_per_trigger: int,
) -> DataFrame:
    """The bare source: partition int, offset long, received_us long, value binary."""
    reader = session.readStream.format("kafka").option("subscribe", topic)
    for name, value in connection.items():
        reader = reader.option(f"kafka.{name}", value)
    for name, value in _SOURCE_SETTINGS.items():
        reader = reader.option(name, value)
    start = json.dumps({topic: {str(partition): offset for partition, offset in starting_offsets.items()}})
    return (
        reader.option("startingOffsets", start)
        .option("maxOffsetsPerTrigger", str(max_offsets_per_trigger))
        .load()
        .selectExpr("partition", "offset", "unix_micros(timestamp) AS received_us", "value")
    )

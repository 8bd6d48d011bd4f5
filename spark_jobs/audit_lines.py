"""From records to the lines that count: each line of a source once, values without a row of their own as (other)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as f

from spark_jobs.audit_ledger import Ledger
from spark_jobs.audit_plan import Span
from spark_jobs.audit_records import SPARK_ROW, read_records

HOUR_S = 3600
DAY_S = 24 * HOUR_S
# Never need a row of their own.
_ALWAYS_OWN = ("", "(other)", "(malformed)")
OTHER = "(other)"
PLACE = ["kafka_partition", "kafka_offset"]
NEVER_CAPPED = ("agent_rule",)  # rules are few by themselves


def kafka_records(
    session: SparkSession, connection: Mapping[str, str], topic: str, spans: Mapping[int, Sequence[Span]]
) -> DataFrame:
    """The records of the spans: partition int, offset long, value binary. Raises when Kafka lost any meanwhile."""
    reader = session.read.format("kafka")
    for name, value in connection.items():
        reader = reader.option(f"kafka.{name}", value)
    first = {str(partition): found[0][0] for partition, found in spans.items()}
    until = {str(partition): found[-1][1] for partition, found in spans.items()}
    frame = (
        reader.option("assign", json.dumps({topic: sorted(spans)}))
        .option("startingOffsets", json.dumps({topic: first}))
        .option("endingOffsets", json.dumps({topic: until}))
        .option("failOnDataLoss", "true")
        .option("kafka.isolation.level", "read_committed")
        .option("kafka.max.partition.fetch.bytes", "8388608")
        .option("minPartitions", "8")
        .load()
        .select("partition", "offset", "value")
    )
    wanted = f.lit(False)
    for partition, found in spans.items():
        for start, end in found:
            wanted = wanted | (
                (f.col("partition") == partition) & (f.col("offset") >= start) & (f.col("offset") < end)
            )
    return frame.where(wanted)


def decoded(records: DataFrame, secret: bytes, ledger: Ledger) -> DataFrame:
    """One row a record that the ledger has counted (``audit_records.ROW``)."""
    return records.mapInArrow(partial(read_records, secret=secret, ledger=ledger), SPARK_ROW)


def copies(rows: DataFrame) -> DataFrame:
    """Places (kafka_partition, kafka_offset) of valid records whose line another record stands for.

    Of each line of a source the record that was counted first stands, even if it was rejected. First is the smaller
    row of the ledger, then the smaller offset. A record that names no source counts each time.
    """
    line = ["source", "seq"]
    named = rows.where(f.col("source").isNotNull()).select(*line, "valid", "ledger_id", *PLACE)
    # Counting is cheap and leaves few lines, usually; only of these the records are put in order.
    again = named.groupBy(*line).count().where(f.col("count") > 1).drop("count")
    in_order = Window.partitionBy(*line).orderBy("ledger_id", *PLACE)
    sent = named.join(again, line).withColumn("sending", f.row_number().over(in_order))
    return sent.where((f.col("sending") > 1) & f.col("valid")).select(*PLACE)


def counted_once(rows: DataFrame) -> DataFrame:
    """The lines that count: valid records without copies."""
    return rows.where("valid").join(copies(rows), PLACE, "left_anti").drop(*PLACE, "valid", "source", "seq")


def with_hours(lines: DataFrame) -> DataFrame:
    """Lines with the hour and day they belong to (epoch seconds) and their status as text."""
    second = f.floor(f.col("ts_us") / 1_000_000)
    return (
        lines.withColumn("hour_s", (second - second % HOUR_S).cast("long"))
        .withColumn("day_s", (second - second % DAY_S).cast("long"))
        .withColumn("status", f.col("status_code").cast("string"))
    )


def with_own_rows(lines: DataFrame, own_rows: DataFrame) -> DataFrame:
    """Values (columns dimension, value) that have no row of their own on their day become (other).

    own_rows: site, day_s, dimension, value, admitted_us. A value is its own from the batch on that admitted it.
    """
    admitted = f.coalesce(f.col("admitted_us") <= f.col("committed_us"), f.lit(False))
    own = f.col("dimension").isin(*NEVER_CAPPED) | f.col("value").isin(*_ALWAYS_OWN) | admitted
    return (
        lines.join(f.broadcast(own_rows), ["site", "day_s", "dimension", "value"], "left")
        .withColumn("value", f.when(own, f.col("value")).otherwise(OTHER))
        .drop("admitted_us")
    )


def with_own_pages(lines: DataFrame, own_rows: DataFrame) -> DataFrame:
    """Lines with ``page``: the path, if it has a row of its own."""
    named = lines.withColumn("dimension", f.lit("page")).withColumn("value", f.col("path"))
    return with_own_rows(named, own_rows).withColumnRenamed("value", "page").drop("dimension")


def write_records(session: SparkSession, rows: DataFrame, folder: Path) -> tuple[DataFrame, int]:
    """Write the decoded records down once, since they are read more than once; returns them and their number."""
    read = Observation("read")
    rows.observe(read, f.count(f.lit(1)).alias("records")).write.parquet(str(folder))
    return session.read.parquet(str(folder)), int(read.get["records"])


def counted_lines(rows: DataFrame, own_rows: DataFrame) -> DataFrame:
    """The lines that count, with hour, day and page."""
    return with_own_pages(with_hours(counted_once(rows)), own_rows)

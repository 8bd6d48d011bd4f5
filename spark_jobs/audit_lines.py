"""From records to the lines that count: each line of a source once, values without a row of their own as (other)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import Column, DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as f

from spark_jobs.audit_ledger import Ledger
from spark_jobs.audit_plan import Span
from spark_jobs.audit_records import DIMENSIONS, SPARK_ROW, read_records

HOUR_S = 3600
DAY_S = 24 * HOUR_S
# Never need a row of their own.
_ALWAYS_OWN = ("", "(other)", "(malformed)")
OTHER = "(other)"
# Rules of agents are few by themselves.
_CAPPED = tuple(name for name in DIMENSIONS if name != "agent_rule")


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


def counted_once(rows: DataFrame) -> DataFrame:
    """The lines that count: of each line of a source the record that was counted first, unless it was rejected.

    First is the smaller row of the ledger, then the smaller offset. A record that names no source counts each time.
    """
    unsourced = f.col("source").isNull()
    same_line = Window.partitionBy(
        f.coalesce(f.col("source"), f.lit("")),
        f.coalesce(f.col("seq"), f.col("kafka_offset")),
        f.when(unsourced, f.col("kafka_partition")),
    ).orderBy("ledger_id", "kafka_partition", "kafka_offset")
    return (
        rows.where(f.col("valid") | ~unsourced)
        .withColumn("copy", f.row_number().over(same_line))
        .where((f.col("copy") == 1) & f.col("valid"))
        .drop("copy", "valid", "source", "seq")
    )


def with_own_rows(lines: DataFrame, own_rows: DataFrame) -> DataFrame:
    """Lines with hour_s and day_s, ``page`` (the path, if it has a row of its own) and dimensions alike.

    own_rows: site, day_s, dimension, value, admitted_us. A value is its own from the batch on that admitted it.
    """
    second = f.floor(f.col("ts_us") / 1_000_000)
    lines = (
        lines.withColumn("hour_s", (second - second % HOUR_S).cast("long"))
        .withColumn("day_s", (second - second % DAY_S).cast("long"))
        .withColumn("status", f.col("status_code").cast("string"))
        .withColumn("page", f.col("path"))
    )
    known = {row["dimension"] for row in own_rows.select("dimension").distinct().collect()}
    for dimension in ("page", *_CAPPED):
        lines = lines.withColumn(dimension, f.col(dimension))
        if dimension not in known:
            lines = lines.withColumn(dimension, _own(dimension, f.lit(False)))
            continue
        admitted = f.broadcast(
            own_rows.where(f.col("dimension") == dimension).select(
                "site", "day_s", f.col("value").alias(dimension), f.col("admitted_us")
            )
        )
        lines = (
            lines.join(admitted, ["site", "day_s", dimension], "left")
            .withColumn(
                dimension, _own(dimension, f.coalesce(f.col("admitted_us") <= f.col("committed_us"), f.lit(False)))
            )
            .drop("admitted_us")
        )
    return lines


def _own(dimension: str, admitted: Column) -> Column:
    value = f.col(dimension)
    return f.when(value.isNull() | value.isin(*_ALWAYS_OWN) | admitted, value).otherwise(OTHER)


def write_lines(session: SparkSession, rows: DataFrame, own_rows: DataFrame, folder: Path) -> tuple[DataFrame, int]:
    """Write the lines down once, since many sums are made of them; returns them and the number of records read."""
    read = Observation("read")
    rows = rows.observe(read, f.count(f.lit(1)).alias("records"))
    with_own_rows(counted_once(rows), own_rows).write.mode("overwrite").parquet(str(folder))
    return session.read.parquet(str(folder)), int(read.get["records"])

"""One plan and one action a batch: records are counted inside Arrow tasks, partial sums come to the driver.

Kafka rows (partition, offset, received_us, value)     one task per Kafka partition
  -> mapInArrow(count_task)                            one row a task: its tables as Arrow IPC, its summary
  -> toArrow                                           a few rows on the driver
  -> BatchCount                                        the tables merged over the tasks
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from spark_jobs.count_tables import CountTables
from spark_jobs.counting import RecordCounter, RejectCount, RejectSample, SourceSeen, Summary, Tally
from spark_jobs.line_counts import HourOffsets
from spark_jobs.seq_ranges import Range, overlap
from spark_jobs.visitor_hash import PeriodKeys

# One row a task: each table as an Arrow IPC stream, and counting.Summary as msgpack.
TASK_COUNT = pa.schema([*((name, pa.binary()) for name in CountTables.names()), ("summary", pa.binary())])
TASKS_A_COLLECTION = 256
_TASKS = itertools.count(1)
_SPARK_SCHEMA = ", ".join(f"{name} binary" for name in TASK_COUNT.names)


@dataclass(frozen=True)
class BatchCount:
    """What one batch adds to the warehouse."""

    tables: CountTables
    tallies: dict[int, Tally]  # by Kafka partition
    sources: dict[str, SourceSeen]
    reject_counts: list[RejectCount]
    reject_samples: list[RejectSample]
    hour_offsets: list[HourOffsets]
    rules: dict[str, str]  # rules that decided the class of an agent, and that class
    missing_periods: frozenset[str]  # of visitor keys: then the tables are not whole, and it must be counted again
    split_sources: frozenset[str]  # sources of which two tasks saw the same line number


@contextmanager
def _without_collector() -> Iterator[None]:
    """Counting makes no reference cycles; the collector would go through all that was taken in again and again.

    Spark's worker collects after each task as well. What the caches hold, some 100,000 objects, it need not look at
    each time: they are frozen. Cycles that Spark itself leaves behind are collected every so many tasks.
    """
    gc.disable()
    try:
        yield
    finally:
        if next(_TASKS) % TASKS_A_COLLECTION:
            gc.freeze()
        else:
            gc.unfreeze()
        gc.enable()


def count_task(
    batches: Iterable[pa.RecordBatch], now_s: float, counted: Mapping[str, list[Range]], keys: PeriodKeys
) -> Iterator[pa.RecordBatch]:
    """What one Spark task does: Arrow batches of Kafka rows in, one row of serialised tables out."""
    with _without_collector():
        counter = RecordCounter(now_s, counted)
        for batch in batches:
            partitions = pc.unique(batch.column("partition")).to_pylist()
            for kafka_partition in partitions:
                one = len(partitions) == 1
                rows = batch if one else batch.filter(pc.equal(batch.column("partition"), kafka_partition))
                counter.count(
                    kafka_partition,
                    rows.column("offset").to_numpy(),
                    rows.column("received_us").to_numpy(),
                    rows.column("value").to_numpy(zero_copy_only=False).tolist(),
                )
        tables, summary = counter.result(keys)
    row = [*tables.serialised(), msgspec.msgpack.encode(summary)]
    yield pa.RecordBatch.from_arrays([pa.array([value], pa.binary()) for value in row], schema=TASK_COUNT)


def count_batch(frame: DataFrame, now_s: float, counted: Mapping[str, list[Range]], keys: PeriodKeys) -> BatchCount:
    """Count the records of a frame (partition int, offset long, received_us long, value binary).

    counted: line numbers to take for duplicates, by source; keys: those of visitor hashes that there are.
    """
    task = partial(count_task, now_s=now_s, counted=dict(counted), keys=keys)
    return merged(frame.mapInArrow(task, _SPARK_SCHEMA).toArrow().to_pylist())


def merged(tasks: Sequence[Mapping[str, bytes]]) -> BatchCount:
    """What several tasks counted, as one. tasks: rows of TASK_COUNT."""
    summaries = [msgspec.msgpack.decode(task["summary"], type=Summary) for task in tasks]
    tallies: dict[int, Tally] = {}
    sources: dict[str, SourceSeen] = {}
    reject_counts: dict[tuple[int, str], int] = {}
    split: set[str] = set()
    for summary in summaries:
        for kafka_partition, tally in summary.tallies.items():
            total = tallies.setdefault(kafka_partition, Tally())
            for name in Tally.__struct_fields__:
                setattr(total, name, getattr(total, name) + getattr(tally, name))
        for source, seen in summary.sources.items():
            known = sources.get(source)
            if known is None:
                sources[source] = seen
                continue
            if overlap([*known.ranges, *seen.ranges]):
                split.add(source)
            sources[source] = SourceSeen(known.site, [*known.ranges, *seen.ranges])
        for count in summary.reject_counts:
            key = (count.received_hour_us, count.reason)
            reject_counts[key] = reject_counts.get(key, 0) + count.records
    return BatchCount(
        tables=CountTables.merged(tasks),
        tallies=tallies,
        sources=sources,
        reject_counts=[RejectCount(hour, reason, n) for (hour, reason), n in sorted(reject_counts.items())],
        reject_samples=[sample for summary in summaries for sample in summary.reject_samples],
        hour_offsets=[place for summary in summaries for place in summary.hour_offsets],
        rules={rule: agent_class for summary in summaries for rule, agent_class in summary.rules.items()},
        missing_periods=frozenset(period for summary in summaries for period in summary.missing_periods),
        split_sources=frozenset(split),
    )

"""One plan and one action a batch: records are counted inside Arrow tasks, partial sums come to the driver.

Kafka rows (partition, offset, received_us, value)     one task per Kafka partition
  -> mapInArrow(count_task)                            cells, and one summary row a task
  -> toArrow                                           a few thousand rows on the driver
  -> BatchCount                                        cells summed over the tasks
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from spark_jobs.counting import RecordCounter, RejectCount, RejectSample, SourceSeen, Summary, Tally
from spark_jobs.seq_ranges import Range, overlap

KEYS = ["bucket_start", "site", "path", "country", "status_class", "agent_class"]
SUMS = ["hits", "bytes_sent", "latency_us_sum", "latency_count"]
PARTIAL_COUNT = pa.schema(
    [
        ("bucket_start", pa.int64()),  # epoch seconds
        ("site", pa.string()),
        ("path", pa.string()),
        ("country", pa.string()),
        ("status_class", pa.int32()),
        ("agent_class", pa.string()),
        *[(name, pa.int64()) for name in SUMS],
        ("summary", pa.binary()),  # msgpack of counting.Summary; only in a task's last row, without the rest
    ]
)
_SPARK_SCHEMA = ", ".join(
    f"{name} {kind}"
    for name, kind in zip(
        PARTIAL_COUNT.names,
        ["long", "string", "string", "string", "int", "string", *["long"] * 4, "binary"],
        strict=True,
    )
)


@dataclass(frozen=True)
class BatchCount:
    """What one batch adds to the warehouse."""

    cells: pa.Table  # KEYS + SUMS, one row a cell
    tallies: dict[int, Tally]  # by Kafka partition
    sources: dict[str, SourceSeen]
    reject_counts: list[RejectCount]
    reject_samples: list[RejectSample]
    split_sources: frozenset[str]  # sources of which two tasks saw the same line number

    def touched_hours(self) -> set[tuple[str, int]]:
        """(site, hour start in epoch seconds) of every cell."""
        sites = self.cells["site"].to_pylist()
        starts = self.cells["bucket_start"].to_pylist()
        return {(site, start - start % 3600) for site, start in zip(sites, starts, strict=True)}


def count_task(
    batches: Iterable[pa.RecordBatch], now_s: float, counted: Mapping[str, list[Range]]
) -> Iterator[pa.RecordBatch]:
    """What one Spark task does: Arrow batches of Kafka rows in, partial cells and one summary row out."""
    counter = RecordCounter(now_s, counted)
    for batch in batches:
        partitions = pc.unique(batch.column("partition")).to_pylist()
        for kafka_partition in partitions:
            one = len(partitions) == 1
            rows = batch if one else batch.filter(pc.equal(batch.column("partition"), kafka_partition))
            counter.count(
                kafka_partition,
                rows.column("offset").to_pylist(),
                rows.column("received_us").to_pylist(),
                rows.column("value").to_pylist(),
            )
    cells = counter.cells
    columns = [list(column) for column in zip(*cells, strict=True)] if cells else [[] for _ in KEYS]
    columns += [list(column) for column in zip(*cells.values(), strict=True)] if cells else [[] for _ in SUMS]
    summary = msgspec.msgpack.encode(counter.summary())
    yield pa.RecordBatch.from_arrays(
        [
            *(pa.array([*column, None], field.type) for column, field in zip(columns, PARTIAL_COUNT, strict=False)),
            pa.array([None] * len(cells) + [summary], pa.binary()),
        ],
        schema=PARTIAL_COUNT,
    )


def count_batch(frame: DataFrame, now_s: float, counted: Mapping[str, list[Range]]) -> BatchCount:
    """Count the records of a frame (partition int, offset long, received_us long, value binary).

    counted: line numbers to take for duplicates, by source.
    """
    task = partial(count_task, now_s=now_s, counted=dict(counted))
    partials = frame.mapInArrow(task, _SPARK_SCHEMA).toArrow()
    summaries = partials["summary"].drop_null().to_pylist()
    cells = partials.filter(pc.is_valid(partials["hits"])).select([*KEYS, *SUMS])
    return _merge(cells, [msgspec.msgpack.decode(summary, type=Summary) for summary in summaries])


def _merge(partial_cells: pa.Table, summaries: list[Summary]) -> BatchCount:
    cells = partial_cells.group_by(KEYS).aggregate([(name, "sum") for name in SUMS])
    cells = cells.rename_columns([*KEYS, *SUMS]).sort_by([(name, "ascending") for name in KEYS])
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
        cells=cells,
        tallies=tallies,
        sources=sources,
        reject_counts=[RejectCount(hour, reason, n) for (hour, reason), n in sorted(reject_counts.items())],
        reject_samples=[sample for summary in summaries for sample in summary.reject_samples],
        split_sources=frozenset(split),
    )

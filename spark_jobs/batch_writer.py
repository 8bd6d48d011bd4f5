"""One batch, one Postgres transaction: counts, ledger and positions become visible together or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from spark_jobs.agent_rules import RULES_VERSION
from spark_jobs.batch_count import BatchCount
from spark_jobs.counting import SourceSeen, Tally
from spark_jobs.lease import hold_lease
from spark_jobs.seq_ranges import Range
from spark_jobs.table_writer import Cardinality, write_tables
from sql.warehouse import Cursor, Warehouse, rows, run, run_many


class PositionMismatch(Exception):
    """The planned range does not begin where counting ended: a hole or an overlap that must not be written."""


@dataclass(frozen=True)
class PlannedRange:
    """Offsets [start, until) of one partition that Spark planned for a batch."""

    partition: int
    start: int
    until: int


def _multirange(ranges: Iterable[Range]) -> str:
    return "{" + ",".join(f"[{first},{last}]" for first, last in ranges) + "}"


class BatchWriter:
    """Writes batches of one topic incarnation under one fencing epoch."""

    def __init__(self, warehouse: Warehouse, topic_id: UUID, epoch: int, most: Cardinality) -> None:
        self._warehouse = warehouse
        self._most = most
        self._topic_id = str(topic_id)
        self._epoch = epoch

    def positions(self) -> dict[int, int]:
        """First offset not counted yet, by partition."""
        found = self._warehouse.rows("stream/read_positions", {"topic_id": self._topic_id})
        return {row["kafka_partition"]: row["next_offset"] for row in found}

    def counted_before(self, sources: Mapping[str, SourceSeen]) -> dict[str, list[Range]]:
        """All counted line numbers of those sources of which this batch holds a line counted before."""
        if not sources:
            return {}
        found = self._warehouse.rows(
            "stream/counted_lines",
            {
                "sources": list(sources),
                "seqs": [_multirange(seen.ranges) for seen in sources.values()],
            },
        )
        return {row["source"]: [(first, last) for first, last in row["ranges"]] for row in found}

    def commit(self, planned: Iterable[PlannedRange], count: BatchCount) -> None:
        """Write the batch.

        Raises Fenced, PositionMismatch, or the database's error; then nothing of the batch is written,
        unless the connection was lost during COMMIT: ``positions()`` then tells which it was.
        """
        with self._warehouse.transaction() as cursor:
            hold_lease(cursor, self._epoch)
            ledger_id = self._advance(cursor, planned, count.tallies)
            self._write_sources(cursor, count.sources)
            self._write_counts(cursor, count, ledger_id)
            self._write_rejects(cursor, count)

    def _advance(self, cursor: Cursor, planned: Iterable[PlannedRange], tallies: Mapping[int, Tally]) -> int:
        ledger_id = 0
        for part in planned:
            place: dict[str, Any] = {
                "topic_id": self._topic_id,
                "kafka_partition": part.partition,
                "start": part.start,
                "until": part.until,
            }
            run(cursor, "stream/open_position", place | {"next_offset": 0})
            if run(cursor, "stream/advance_position", place) != 1:
                raise PositionMismatch(
                    f"partition {part.partition}: the batch begins at {part.start}, where counting did not end"
                )
            tally = msgspec.structs.asdict(tallies.get(part.partition, Tally()))
            (written,) = rows(cursor, "stream/write_ledger", place | tally | {"epoch": self._epoch})
            ledger_id = written["ledger_id"]
        return ledger_id

    def _write_sources(self, cursor: Cursor, sources: Mapping[str, SourceSeen]) -> None:
        if not sources:
            return
        touched = run(
            cursor,
            "stream/merge_sources",
            {
                "sources": list(sources),
                "sites": [seen.site for seen in sources.values()],
                "seqs": [_multirange(seen.ranges) for seen in sources.values()],
            },
        )
        if touched != len(sources):
            raise PositionMismatch("a line of this batch has been counted before, but was not seen as duplicate")

    def _write_counts(self, cursor: Cursor, count: BatchCount, ledger_id: int) -> None:
        tables = count.tables
        if not tables.cells.num_rows:
            return
        write_tables(cursor, tables, self._most)
        hours = sorted(tables.touched_hours())
        run(
            cursor,
            "stream/touch_hours",
            {
                "sites": [site for site, _ in hours],
                "hour_starts": [start for _, start in hours],
                "ledger_id": ledger_id,
            },
        )
        run(
            cursor,
            "stream/add_agent_rules",
            {
                "rules": list(count.rules),
                "agent_classes": list(count.rules.values()),
                "rules_version": RULES_VERSION,
            },
        )
        run(
            cursor,
            "stream/add_hour_offsets",
            {
                "topic_id": self._topic_id,
                "kafka_partitions": [place.kafka_partition for place in count.hour_offsets],
                "hour_starts": [place.hour_start for place in count.hour_offsets],
                "starts": [place.start for place in count.hour_offsets],
                "untils": [place.until for place in count.hour_offsets],
            },
        )

    def _write_rejects(self, cursor: Cursor, count: BatchCount) -> None:
        run_many(cursor, "stream/count_rejects", [msgspec.structs.asdict(c) for c in count.reject_counts])
        run_many(
            cursor,
            "stream/keep_reject_sample",
            [
                msgspec.structs.asdict(sample)
                | {
                    "topic_id": self._topic_id,
                    "kafka_partition": sample.partition,
                    "kafka_offset": sample.offset,
                }
                for sample in count.reject_samples
            ],
        )

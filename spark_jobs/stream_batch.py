"""What happens to one micro-batch, from Spark's plan to the committed transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.functions import col, lit
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential
from tenacity.wait import wait_base

from spark_jobs.batch_count import BatchCount, count_batch
from spark_jobs.batch_writer import BatchWriter, PlannedRange, PositionMismatch
from spark_jobs.kafka_topic import KafkaError
from spark_jobs.offset_log import planned_start, planned_until
from spark_jobs.visitor_keys import VisitorKeys
from sql.warehouse import POSTGRES_AWAY

RETRY_WAIT = wait_exponential(multiplier=0.2, max=5)


class StopWished(Exception):
    """The job is stopping: this batch must not begin."""


@dataclass
class Progress:
    """What the driver knows of its batches; read by the heartbeat."""

    batches: int = 0
    replays_skipped: int = 0
    records: int = 0
    last_batch_at: float = 0.0  # epoch seconds
    last_batch_seconds: float = 0.0
    waiting_for: str = ""  # what keeps the running batch from being written, in words
    next_offsets: dict[int, int] = field(default_factory=dict)  # by partition, as committed


class StreamBatch:
    """The ``foreachBatch`` function: counts a batch and writes it exactly once.

    Nothing keys on Spark's batch id but the look into its offset log. A range counted before is skipped, the
    counted part of a partly counted range is left out, a hole raises PositionMismatch.
    """

    def __init__(
        self,
        writer: BatchWriter,
        visitor_keys: VisitorKeys,
        checkpoint: Path,
        topic: str,
        starting_offsets: Mapping[int, int],
        clock: Callable[[], float],
        check_topic: Callable[[], None],
        on_waiting: Callable[[str], None],
        retry_wait: wait_base = RETRY_WAIT,
        after_commit: Callable[[pa.Table, Mapping[int, int]], None] = lambda cells, positions: None,
    ) -> None:
        """after_commit: told the cells of each batch that is written, and by partition the offset behind it."""
        self.progress = Progress(next_offsets=dict(starting_offsets))
        self.running = Lock()  # held while a batch runs, so that a graceful stop waits for its end
        self.stopping = False
        self._writer = writer
        self._visitor_keys = visitor_keys
        self._checkpoint = checkpoint
        self._topic = topic
        self._clock = clock
        self._check_topic = check_topic
        self._on_waiting = on_waiting
        self._retry_wait = retry_wait
        self._after_commit = after_commit

    def __call__(self, frame: DataFrame, batch_id: int) -> None:
        with self.running:
            if self.stopping:
                raise StopWished
            began = time.monotonic()
            records = self._process(frame, batch_id)
            self.progress.batches += 1
            self.progress.waiting_for = ""
            self.progress.records += records
            self.progress.last_batch_at = self._clock()
            self.progress.last_batch_seconds = time.monotonic() - began

    def _process(self, frame: DataFrame, batch_id: int) -> int:
        planned = self._planned(batch_id)
        if not planned:
            return 0
        count: BatchCount | None = None
        for attempt in self._retrying():
            with attempt:
                todo = self._not_counted_yet(planned)
                if not todo:
                    # Replayed, or written by an attempt whose COMMIT was not answered.
                    self.progress.replays_skipped += count is None
                    break
                if count is None:
                    count = self._count(frame, planned, todo)
                # After reading: had the topic been made anew meanwhile, these would be its records, not ours.
                self._check_topic()
                self._writer.commit(todo, count)
        until = {part.partition: part.until for part in planned}
        if count is not None:
            self._after_commit(count.tables.cells, until)  # before anybody takes this batch for counted
        self.progress.next_offsets |= until
        return sum(tally.consumed for tally in count.tallies.values()) if count else 0

    def _retrying(self) -> Retrying:
        """Tries again for as long as Postgres or Kafka is away, and says so."""
        return Retrying(
            retry=retry_if_exception_type((*POSTGRES_AWAY, KafkaError)),
            stop=lambda _: self.stopping,
            wait=self._retry_wait,
            before_sleep=self._say_waiting,
            reraise=True,
        )

    def _say_waiting(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        peer = "Kafka" if isinstance(error, KafkaError) else "Postgres"
        self.progress.waiting_for = f"waiting for {peer}: {str(error).strip()}"
        self._on_waiting(self.progress.waiting_for)

    def _planned(self, batch_id: int) -> list[PlannedRange]:
        start = planned_start(self._checkpoint, batch_id, self._topic)
        until = planned_until(self._checkpoint, batch_id, self._topic)
        ranges = [PlannedRange(part, start.get(part, 0), until[part]) for part in sorted(until)]
        return [planned for planned in ranges if planned.until > planned.start]

    def _not_counted_yet(self, planned: list[PlannedRange]) -> list[PlannedRange]:
        positions = self._writer.positions()
        todo = []
        for part in planned:
            position = positions.get(part.partition, 0)
            if position < part.start:
                raise PositionMismatch(
                    f"partition {part.partition}: counted up to {position}, but the batch begins at {part.start}"
                )
            if position < part.until:
                todo.append(PlannedRange(part.partition, position, part.until))
        return todo

    def _count(self, frame: DataFrame, planned: list[PlannedRange], todo: list[PlannedRange]) -> BatchCount:
        if todo != planned:
            wanted = lit(False)
            for part in todo:
                wanted = wanted | ((col("partition") == part.partition) & (col("offset") >= part.start))
            frame = frame.where(wanted)
        now = self._clock()
        count = count_batch(frame, now, {}, self._visitor_keys.current())
        counted = self._writer.counted_before(count.sources)
        # Counted again when some line came before, knowing which; in one task when two tasks saw the same line; and
        # with a key when a line is the first of its month, or when its key was deleted just now.
        if count.split_sources:
            frame = frame.coalesce(1)
        again = bool(counted or count.split_sources)
        while again or count.missing_periods:
            self._visitor_keys.make(count.missing_periods)
            count = count_batch(frame, now, counted, self._visitor_keys.current())
            again = False
        return count

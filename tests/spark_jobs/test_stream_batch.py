"""One micro-batch: written exactly once whatever happens around its transaction."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from settings import Settings
from spark_jobs.batch_count import BatchCount
from spark_jobs.batch_writer import BatchWriter, PlannedRange
from spark_jobs.kafka_topic import KafkaTopic
from spark_jobs.lease import Fenced, take_lease
from spark_jobs.positions import KafkaBehindLedger, RangeLost, starting_offsets
from spark_jobs.session import kafka_source
from spark_jobs.stream_batch import StreamBatch
from spark_jobs.table_writer import Cardinality
from spark_jobs.visitor_keys import VisitorKeys
from sql.warehouse import ConnectionBroken, Warehouse
from tests.spark_jobs.conftest import NOON, Ask, event, send

pytestmark = pytest.mark.services

COUNTED = "SELECT coalesce(sum(hits), 0)::int AS n FROM stream.traffic_bucket"
LEDGER = """
    SELECT coalesce(sum(consumed), 0)::int AS consumed, coalesce(sum(accepted), 0)::int AS accepted,
           coalesce(sum(rejected), 0)::int AS rejected, coalesce(sum(duplicate), 0)::int AS duplicate
    FROM stream.ledger
"""


class Launch:
    """A launch of the job's parts in this process, with places to fail at."""

    def __init__(self, settings: Settings, spark: SparkSession, warehouse: Warehouse, folder: Path) -> None:
        self.settings = settings
        self.spark = spark
        self.warehouse = warehouse
        self.folder = folder
        self.topic = KafkaTopic(settings.kafka_python_options("footfall_stream"), settings.topic)
        self.writer_class: Callable[..., BatchWriter] = BatchWriter
        self.batch: StreamBatch | None = None
        self.told: list[tuple[int, dict[int, int]]] = []  # hits and positions of each batch, after its commit

    def run(self, checkpoint: str = "one") -> StreamBatch:
        """Take the lease and count everything that is there."""
        topic = self.topic.state()
        lease = take_lease(self.warehouse, "test", "footfall-stream-test")
        start = starting_offsets(self.warehouse, topic, lease.epoch, "record")
        batch = StreamBatch(
            writer=self.writer_class(self.warehouse, topic.topic_id, lease.epoch, Cardinality(5_000, 1_000)),
            visitor_keys=VisitorKeys(
                self.folder / "keys", "month", self.warehouse, lambda count: bytes(range(count))
            ),
            checkpoint=self.folder / checkpoint,
            topic=topic.topic,
            starting_offsets=start,
            clock=lambda: NOON.timestamp() + 60,
            check_topic=lambda: self.topic.check_is(topic.topic_id),
            on_waiting=print,
            after_commit=lambda cells, until: self.told.append((sum(cells["hits"].to_pylist()), dict(until))),
        )
        source = kafka_source(
            self.spark, self.settings.kafka_jvm_options("footfall_stream"), topic.topic, start, 1_000
        )
        query = (
            source.writeStream.foreachBatch(batch)
            .option("checkpointLocation", str(self.folder / checkpoint))
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination(60)
        self.batch = batch
        return batch


@pytest.fixture
def launch(fresh_pipeline: Settings, spark: SparkSession, tmp_path: Path) -> Iterator[Launch]:
    with Warehouse(fresh_pipeline.dsn("footfall_writer"), "footfall-stream-test") as warehouse:
        yield Launch(fresh_pipeline, spark, warehouse, tmp_path)


def lines(first: int, last: int, source: str = "web-1") -> list[tuple[bytes, bytes]]:
    return [(source.encode(), event(seq, source=source)) for seq in range(first, last + 1)]


class FailsBeforeCommit(BatchWriter):
    """The process dies within the transaction: everything merged, nothing committed."""

    def _write_rejects(self, cursor: object, count: BatchCount) -> None:
        raise RuntimeError("killed before COMMIT")


class FailsAfterCommit(BatchWriter):
    """The process dies between Postgres's COMMIT and Spark's commit file."""

    def commit(self, planned: list[PlannedRange], count: BatchCount) -> None:  # type: ignore[override]
        super().commit(planned, count)
        raise RuntimeError("killed after COMMIT")


class AnswerLostOnce(BatchWriter):
    """The connection breaks during COMMIT, once; the database has committed."""

    lost = False

    def commit(self, planned: list[PlannedRange], count: BatchCount) -> None:  # type: ignore[override]
        super().commit(planned, count)
        if not AnswerLostOnce.lost:
            AnswerLostOnce.lost = True
            raise ConnectionBroken("connection lost during COMMIT")


def test_nothing_of_a_batch_is_seen_when_it_dies_before_its_commit(launch: Launch, ask: Ask) -> None:
    send(launch.settings, lines(1, 50))
    launch.writer_class = FailsBeforeCommit
    with pytest.raises(StreamingQueryException, match="killed before COMMIT"):
        launch.run()
    assert ask(COUNTED) == [{"n": 0}]
    assert ask("SELECT count(*)::int AS n FROM stream.ledger") == [{"n": 0}]
    launch.writer_class = BatchWriter
    launch.run("another")
    assert ask(COUNTED) == [{"n": 50}]


@pytest.mark.parametrize("checkpoint", ["one", "another"], ids=["same checkpoint", "fresh checkpoint"])
def test_a_batch_that_died_after_its_commit_is_not_counted_again(launch: Launch, ask: Ask, checkpoint: str) -> None:
    send(launch.settings, lines(1, 50))
    launch.writer_class = FailsAfterCommit
    with pytest.raises(StreamingQueryException, match="killed after COMMIT"):
        launch.run("one")
    launch.writer_class = BatchWriter
    replayed = launch.run(checkpoint).progress.replays_skipped
    # With the old checkpoint Spark replays the batch, and it must be skipped; a fresh one begins behind it.
    assert replayed == (1 if checkpoint == "one" else 0)
    assert ask(COUNTED) == [{"n": 50}]
    assert ask(LEDGER) == [{"consumed": 50, "accepted": 50, "rejected": 0, "duplicate": 0}]


def test_after_a_commit_without_answer_the_position_decides(launch: Launch, ask: Ask) -> None:
    send(launch.settings, lines(1, 50))
    AnswerLostOnce.lost = False
    launch.writer_class = AnswerLostOnce
    launch.run()
    assert AnswerLostOnce.lost
    assert ask(COUNTED) == [{"n": 50}]
    assert [hits for hits, _ in launch.told] == [50]


def test_a_deleted_commit_file_makes_spark_replay_and_nothing_is_counted_twice(launch: Launch, ask: Ask) -> None:
    send(launch.settings, lines(1, 50))
    launch.run()
    for path in (launch.folder / "one" / "commits").iterdir():
        path.unlink()
    send(launch.settings, lines(51, 60))
    assert launch.run().progress.replays_skipped == 1
    assert ask(COUNTED) == [{"n": 60}]
    # Who follows the batches hears of each once, with the positions behind it.
    assert [hits for hits, _ in launch.told] == [50, 10]
    assert [sum(until.values()) for _, until in launch.told] == [50, 60]


def test_an_older_epoch_cannot_write_any_more(launch: Launch, ask: Ask) -> None:
    send(launch.settings, lines(1, 50))

    class Overtaken(BatchWriter):
        overtaken = False

        def commit(self, planned: list[PlannedRange], count: BatchCount) -> None:  # type: ignore[override]
            if self.overtaken:
                return super().commit(planned, count)  # its session was ended, it tries again
            self.overtaken = True
            with Warehouse(launch.settings.dsn("footfall_writer"), "other") as other:
                take_lease(other, "other", "footfall-stream-other")
            return super().commit(planned, count)

    launch.writer_class = Overtaken
    with pytest.raises(StreamingQueryException, match="is fenced by epoch"):
        launch.run()
    assert ask(COUNTED) == [{"n": 0}]


def test_lines_sent_again_in_a_later_batch_are_duplicates(launch: Launch, ask: Ask) -> None:
    send(launch.settings, lines(1, 50))
    launch.run("one")
    send(launch.settings, [*lines(1, 50), *lines(51, 60), *lines(40, 60)])
    launch.run("two")
    assert ask(COUNTED) == [{"n": 60}]
    assert ask(LEDGER) == [{"consumed": 131, "accepted": 60, "rejected": 0, "duplicate": 71}]
    assert ask("SELECT counted::text FROM stream.source_range") == [{"counted": "{[1,61)}"}]


def test_a_source_on_two_partitions_is_still_counted_once(launch: Launch, ask: Ask) -> None:
    # Two keys put the same lines on two partitions, so that two tasks see them in one batch.
    send(launch.settings, [(key, value) for key in (b"a", b"b", b"c", b"d", b"e") for _, value in lines(1, 20)])
    launch.run()
    assert ask(COUNTED) == [{"n": 20}]
    assert ask(LEDGER) == [{"consumed": 100, "accepted": 20, "rejected": 0, "duplicate": 80}]


def test_lines_that_are_missing_show_as_a_gap_and_close_it_when_they_come(launch: Launch, ask: Ask) -> None:
    send(launch.settings, [*lines(1, 3), *lines(7, 9)])
    launch.run("one")
    assert ask("SELECT counted::text FROM stream.source_range") == [{"counted": "{[1,4),[7,10)}"}]
    send(launch.settings, lines(4, 6))
    launch.run("two")
    assert ask("SELECT counted::text FROM stream.source_range") == [{"counted": "{[1,10)}"}]


def test_rejects_are_counted_by_reason_with_samples(launch: Launch, ask: Ask) -> None:
    bad = event(3).replace(b'"status":200', b'"status":"200"')
    send(launch.settings, [*lines(1, 2), (b"web-1", bad), (b"x", b'{"ip":"192.0.2.9"')])
    launch.run()
    assert ask("SELECT reason, records::int AS n FROM stream.rejected_count ORDER BY 1") == [
        {"reason": "Expected `int`, got `str` - at `$.status`", "n": 1},
        {"reason": "Input data was truncated", "n": 1},
    ]
    assert ask("SELECT source, seq::int, sample FROM stream.rejected_record ORDER BY reason")[1] == {
        "source": None,
        "seq": None,
        "sample": '{"ip":":ip"',
    }
    assert ask("SELECT counted::text FROM stream.source_range") == [{"counted": "{[1,4)}"}]


def test_hours_that_got_traffic_are_marked_with_the_last_ledger_row(launch: Launch, ask: Ask) -> None:
    send(launch.settings, [(b"a", event(1)), (b"a", event(2, second=-3600)), (b"a", event(3, site="blog"))])
    launch.run()
    assert ask(
        """SELECT site, extract(hour FROM hour_start)::int AS hour,
                  last_ledger_id = (SELECT max(ledger_id) FROM stream.ledger) AS last
           FROM stream.touched_hour ORDER BY 1, 2"""
    ) == [
        {"site": "blog", "hour": 12, "last": True},
        {"site": "shop", "hour": 11, "last": True},
        {"site": "shop", "hour": 12, "last": True},
    ]


def test_a_checkpoint_cut_to_nothing_does_not_matter(launch: Launch, ask: Ask) -> None:
    send(launch.settings, lines(1, 50))
    launch.run("one")
    shutil.rmtree(launch.folder / "one")
    send(launch.settings, lines(51, 55))
    launch.run("one")
    assert ask(COUNTED) == [{"n": 55}]


def test_records_that_kafka_lost_are_recorded_or_stop_the_job(launch: Launch, ask: Ask) -> None:
    send(launch.settings, lines(1, 50))
    topic = launch.topic.state()
    epoch = take_lease(launch.warehouse, "test", "footfall-stream-test").epoch
    starting_offsets(launch.warehouse, topic, epoch, "record")
    (busy,) = [part for part, latest in topic.latest.items() if latest]
    lost = replace(topic, earliest=topic.earliest | {busy: 20})
    with pytest.raises(RangeLost, match="removed 20 records before they were counted"):
        starting_offsets(launch.warehouse, lost, epoch, "stop")
    with pytest.raises(Fenced, match="epoch 0 is fenced by epoch 1"):
        starting_offsets(launch.warehouse, lost, epoch - 1, "record")
    assert ask("SELECT count(*)::int AS n FROM stream.lost_range") == [{"n": 0}]
    assert starting_offsets(launch.warehouse, lost, epoch, "record")[busy] == 20
    assert ask("SELECT offsets::text FROM stream.lost_range") == [{"offsets": "[0,20)"}]


def test_a_broker_that_has_less_than_was_counted_is_refused(launch: Launch) -> None:
    send(launch.settings, lines(1, 50))
    launch.run()
    topic = launch.topic.state()
    shorter = replace(topic, latest={part: min(9, end) for part, end in topic.latest.items()})
    with pytest.raises(KafkaBehindLedger, match="41 records are gone from Kafka"):
        starting_offsets(launch.warehouse, shorter, 1, "record")

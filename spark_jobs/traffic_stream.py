"""The stream job: counts the topic into Postgres, exactly once, until it is told to stop.

    python -m spark_jobs.traffic_stream --launch-id $(uuidgen)          # what Airflow starts
    python -m spark_jobs.traffic_stream --until-caught-up               # count what is there, then end

Ends with 0 when stopped as wished or caught up, 3 when a newer launch has taken over, 4 when nothing moved for
too long, 5 when records were lost and the policy is to stop, 1 on any other failure.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import psutil
import typer
from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from settings import Settings
from spark_jobs.agent_restating import adopt_rules
from spark_jobs.agent_rules import RULES_VERSION, rule_classes
from spark_jobs.batch_writer import BatchWriter
from spark_jobs.kafka_topic import KafkaError, KafkaRefused, KafkaTopic, TopicMissing, TopicState
from spark_jobs.lag import Lag
from spark_jobs.lease import Fenced, Heartbeat, Lease, Watchdog, take_lease
from spark_jobs.positions import RangeLost, starting_offsets
from spark_jobs.process_memory import MemoryGauge
from spark_jobs.session import kafka_source, start_session
from spark_jobs.stream_batch import StreamBatch
from spark_jobs.table_writer import Cardinality
from spark_jobs.trend_detector import DetectorSettings
from spark_jobs.trend_follower import TrendFollower
from spark_jobs.trend_thread import TrendThread
from spark_jobs.trend_writer import TrendWriter
from spark_jobs.visitor_keys import VisitorKeys
from sql.warehouse import POSTGRES_AWAY, Warehouse, WarehouseRefused

log = logging.getLogger("footfall.stream")
BEAT_SECONDS = 2
START_SECONDS = 60.0  # a JVM on a busy machine
# A session that the server has ended shows it at its next use; the call after that opens another one.
ONCE_MORE = Retrying(retry=retry_if_exception_type(POSTGRES_AWAY), stop=stop_after_attempt(2), reraise=True)


class StreamJob:
    """One launch of the stream job, from lease to last words."""

    def __init__(self, settings: Settings, launch_id: UUID, until_caught_up: bool, log_path: str) -> None:
        self._settings = settings
        self._launch_id = str(launch_id)
        self._until_caught_up = until_caught_up
        self._log_path = log_path
        self._stop_reason = ""
        self._application_name = f"footfall-stream-{launch_id}"
        self._control = self._connection()
        self._topic = self._kafka()
        self._watchdog = Watchdog(settings.stalled_after_seconds, START_SECONDS, self._stalled)
        self._lag = Lag()
        self._memory = MemoryGauge(os.getpid())
        self._rates: deque[tuple[float, int]] = deque(maxlen=6)  # (monotonic seconds, records counted)

    def _connection(self) -> Warehouse:
        return Warehouse(self._settings.dsn("footfall_writer"), self._application_name)

    def _kafka(self) -> KafkaTopic:
        return KafkaTopic(self._settings.kafka_python_options("footfall_stream"), self._settings.topic)

    def stop(self, reason: str) -> None:
        """Stop after the running batch."""
        self._stop_reason = self._stop_reason or reason

    def run(self) -> int:
        """The whole launch; returns the exit code."""
        lease = self._take_lease()
        heartbeat = Heartbeat(self._control, lease.epoch)
        if lease.stop_wished and not self._until_caught_up:
            self._stop_reason = "a stop was wished before the start"
        try:
            code, state, words = self._count(lease, heartbeat)
        except Fenced as error:
            code, state, words = 3, "failed", str(error)
        except RangeLost as error:
            code, state, words = 5, "failed", str(error)
        except Exception as error:
            log.exception("the stream job failed")
            code, state, words = _failure(heartbeat, error)
        log.info("ending with %d: %s", code, words)
        try:
            ONCE_MORE(heartbeat.end, state, words)
            ONCE_MORE(self._control.run, "stream/end_launch", {"launch_id": self._launch_id, "end_reason": words})
        except POSTGRES_AWAY as error:  # whoever watches finds the process gone
            log.warning("the last words could not be written: %s", error)
        return code

    def _take_lease(self) -> Lease:
        process = psutil.Process()
        while True:
            try:
                self._control.run(
                    "stream/register_process",
                    {
                        "launch_id": self._launch_id,
                        "job": "traffic_stream",
                        "host": socket.gethostname(),
                        "pid": process.pid,
                        "process_started_at": datetime.fromtimestamp(process.create_time(), UTC),
                        "log_path": self._log_path,
                    },
                )
                owner = f"{socket.gethostname()}:{process.pid}:{self._launch_id}"
                lease = take_lease(self._control, owner, self._application_name)
                self._control.run("stream/register_epoch", {"launch_id": self._launch_id, "epoch": lease.epoch})
            except POSTGRES_AWAY as error:
                log.warning("waiting for Postgres: %s", str(error).strip())
                self._watchdog.alive()
                time.sleep(BEAT_SECONDS)
            else:
                log.info("took epoch %d", lease.epoch)
                return lease

    def _topic_state(self, heartbeat: Heartbeat) -> TopicState | None:
        """The topic, waiting for Kafka if need be; None when a stop is wished meanwhile.

        Kafka refusing us, and with ``--until-caught-up`` also Kafka being away, ends the job.
        """
        while not self._stop_reason:
            try:
                return self._topic.state()
            except KafkaRefused:
                raise
            except (KafkaError, TopicMissing) as error:
                if self._until_caught_up:
                    raise
                self._topic.close()
                self._say_waiting(f"waiting for Kafka: {error}")
                try:
                    self._obey(heartbeat.beat("waiting", f"waiting for Kafka: {error}"))
                except POSTGRES_AWAY as away:
                    self._say_waiting(f"waiting for Postgres: {away}")
                time.sleep(BEAT_SECONDS)
        return None

    def _obey(self, wish: str) -> None:
        if wish == "fenced":
            raise Fenced("a newer launch holds the lease")
        if wish == "stopped" and not self._until_caught_up:
            self.stop("stopped as wished")

    def _count(self, lease: Lease, heartbeat: Heartbeat) -> tuple[int, str, str]:
        topic = self._topic_state(heartbeat)
        if topic is None:
            return 0, "stopped", self._stop_reason
        start = starting_offsets(self._control, topic, lease.epoch, self._settings.lost_range_policy)
        log.info("counting %s (%s) from %s", topic.topic, topic.topic_id, start)
        settings = self._settings
        since = datetime.now(UTC) - timedelta(days=settings.restate_days)
        for rule in adopt_rules(self._control, lease.epoch, RULES_VERSION, rule_classes(), since):
            log.info("rules of agents, version %d: %s", RULES_VERSION, rule)
        checkpoint = _fresh_checkpoint(settings.home / "checkpoints", lease.epoch)
        session = start_session(
            settings.spark_master, settings.spark_driver_memory, settings.home / "jars" / "spark",
            settings.home / "spark",
        )  # fmt: skip
        self._watchdog.alive()
        source = kafka_source(
            session,
            settings.kafka_jvm_options("footfall_stream"),
            topic.topic,
            start,
            settings.max_offsets_per_trigger,
        )
        identity = self._kafka()
        warehouse = self._connection()
        most = Cardinality(settings.max_pages_per_day, settings.max_values_per_day)
        self._trends = self._follow_trends(topic, lease)
        batch = StreamBatch(
            writer=BatchWriter(warehouse, topic.topic_id, lease.epoch, most),
            visitor_keys=VisitorKeys(
                settings.visitor_keys, settings.visitor_key_period, warehouse, secrets.token_bytes
            ),
            checkpoint=checkpoint,
            topic=topic.topic,
            starting_offsets=start,
            clock=time.time,
            check_topic=lambda: identity.check_is(topic.topic_id),
            on_waiting=self._say_waiting,
            after_commit=self._trends.counted,
        )
        query = self._start_query(source, checkpoint, batch)
        while not self._stop_reason:
            self._beat(heartbeat, batch, str(topic.topic_id))
            if query.awaitTermination(BEAT_SECONDS):
                break
        batch.stopping = True
        with batch.running:
            pass  # the running batch has ended, and no other one begins
        query.stop()
        self._trends.stop()
        if self._until_caught_up and not self._stop_reason:
            return 0, "stopped", f"caught up: {batch.progress.records} records counted"
        return 0, "stopped", self._stop_reason or "the query ended"

    def _follow_trends(self, topic: TopicState, lease: Lease) -> TrendThread:
        """Live sites are followed beside the batches; not when only a backlog is counted."""
        writer = TrendWriter(self._connection(), topic.topic_id, lease.epoch)
        detection = DetectorSettings(alpha=self._settings.trend_alpha)
        follower = TrendFollower(writer, time.time, detection, self._settings.trend_close_seconds)
        trends = TrendThread(follower, writer)
        if not self._until_caught_up:
            trends.start()
        return trends

    def _start_query(self, source: DataFrame, checkpoint: Path, batch: StreamBatch) -> StreamingQuery:
        writer = source.writeStream.foreachBatch(batch).option("checkpointLocation", str(checkpoint))
        if self._until_caught_up:
            writer = writer.trigger(availableNow=True)
        else:
            writer = writer.trigger(processingTime=f"{self._settings.trigger_seconds} seconds")
        return writer.queryName("web_traffic").start()

    def _beat(self, heartbeat: Heartbeat, batch: StreamBatch, topic_id: str) -> None:
        """Write the heartbeat; the watchdog hears of it when something moved or nothing was to do."""
        progress = batch.progress
        lag: int | None = None
        latest: dict[int, int] = {}
        try:
            asked_at = time.time()
            latest = self._topic.latest(progress.next_offsets)
            lag = self._lag.note(asked_at, latest, progress.next_offsets)
            state, words = ("counting", "counting") if lag else ("idle", "nothing new to count")
        except KafkaError as error:
            self._topic.close()
            state, words = "waiting", f"waiting for Kafka: {error}"
        if progress.waiting_for:
            state, words = "waiting", progress.waiting_for
        moved = bool(self._rates) and self._rates[-1][1] != progress.records
        self._rates.append((time.monotonic(), progress.records))
        (since, records_then), (now, records_now) = self._rates[0], self._rates[-1]
        if moved or not lag:
            self._watchdog.alive()
        try:
            wish = heartbeat.beat(
                state,
                words,
                progress.last_batch_at,
                progress.last_batch_seconds or None,
                lag,
                self._lag.caught_up_to,
                (records_now - records_then) / (now - since) if now > since else None,
                topic_id,
                latest,
                self._memory.read(now),
            )
        except POSTGRES_AWAY as error:
            self._say_waiting(f"waiting for Postgres: {str(error).strip()}")
        else:
            self._obey(wish)
        self._trends.caught_up(self._lag.caught_up_to)

    def _say_waiting(self, words: str) -> None:
        log.warning(words)
        self._watchdog.alive()

    def _stalled(self, silent_seconds: float) -> None:
        log.error("stalled: nothing finished and nothing was idle for %.0f s; ending the process", silent_seconds)
        logging.shutdown()


def _failure(heartbeat: Heartbeat, error: Exception) -> tuple[int, str, str]:
    """Exit code, state and words of an exception; whatever a fenced launch dies of, it is that it was fenced."""
    words = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    try:
        fenced = ONCE_MORE(heartbeat.beat, "failed", words) == "fenced"
    except POSTGRES_AWAY:
        fenced = False
    return (3, "failed", "fenced by a newer launch") if fenced else (1, "failed", words)


def _fresh_checkpoint(folder: Path, epoch: int) -> Path:
    """An empty checkpoint folder of this launch; those of earlier launches are thrown away."""
    shutil.rmtree(folder, ignore_errors=True)
    checkpoint = folder / str(epoch)
    checkpoint.mkdir(parents=True, mode=0o700)
    return checkpoint


def run_until_stopped(job: StreamJob, install_signal: Callable[..., object] = signal.signal) -> int:
    """Run a job that SIGTERM and SIGINT stop gracefully."""
    for number in (signal.SIGTERM, signal.SIGINT):
        install_signal(number, lambda *_: job.stop("stopped by a signal"))
    return job.run()


def main(
    launch_id: Annotated[
        UUID | None, typer.Option(help="Token of this launch in stream.launch; default: a new one.")
    ] = None,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Count what Kafka has now, then end.")
    ] = False,
    log_path: Annotated[str, typer.Option(help="Where this output goes, for the record.")] = "-",
) -> None:
    """Count the topic's access events into Postgres, exactly once, until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.ERROR)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        code = run_until_stopped(StreamJob(Settings(), launch_id or uuid4(), until_caught_up, log_path))
    except WarehouseRefused as error:
        log.error("Postgres refuses the stream job: %s", error)
        code = 1
    logging.shutdown()
    os._exit(code)  # the JVM's shutdown may hang on a stopped broker; everything is written by now


if __name__ == "__main__":
    typer.run(main)

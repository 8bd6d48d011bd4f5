"""The strips of the processes: what the heartbeats of a day say of the stream driver and of Kafka."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugins.pages.process_strips import process_strips
from spark_jobs.lease import Heartbeat
from sql.warehouse import Warehouse
from tests.sql.conftest import reader as reader
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import CountedTraffic, execute


def test_a_strip_is_tall_where_a_process_gave_no_answer_for_a_minute() -> None:
    def step(slots: int, silent: int, kafka_silent: int) -> dict[str, int | None]:
        asked = slots - silent
        return {
            "step_start": None,
            "slots": slots,
            "silent": silent,
            "kafka_asked": asked,
            "kafka_silent": kafka_silent,
        }

    rows = [step(0, 0, 0), step(60, 0, 0), step(60, 2, 6), step(60, 60, 0), step(3, 3, 0)]
    strips = process_strips(rows, [])
    assert strips["stream driver"].steps == ["none", "passed", "warning", "critical", "critical"]
    assert strips["stream driver"].words == "24 hours by 10 minutes: 650 s without an answer, 10 min unknown"
    assert strips["Kafka broker"].steps == ["none", "passed", "critical", "none", "none"]


def test_samples_of_the_supervisor_make_strips_of_the_other_processes() -> None:
    steps = [datetime(2026, 6, 1, 10, minute, tzinfo=UTC) for minute in (0, 10, 20, 30)]
    beats = [{"step_start": at, "slots": 0, "silent": 0, "kafka_asked": 0, "kafka_silent": 0} for at in steps]
    samples = [
        {"process": "Postgres", "step_start": steps[1], "samples": 20, "away": 0},
        {"process": "Postgres", "step_start": steps[2], "samples": 20, "away": 1},
        {"process": "Postgres", "step_start": steps[3], "samples": 19, "away": 2},
    ]
    strip = process_strips(beats, samples)["Postgres"]
    assert strip.steps == ["none", "passed", "warning", "critical"]  # 0, 30 and 60 s
    assert strip.words == "24 hours by 10 minutes: 90 s not running, 10 min unknown"


@pytest.mark.services
def test_the_strip_counts_the_slots_without_a_heartbeat_since_the_first_one(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    # A heartbeat every 10 s for the last half hour, but none for two minutes of it, and Kafka silent for one.
    traffic.execute(
        "INSERT INTO stream.progress (slot_start, batch_seconds, lag_records, memory_bytes)"
        " SELECT slot, '{}', CASE WHEN ago BETWEEN 600 AND 659 THEN NULL ELSE 0 END, 5"
        " FROM generate_series(10, 1800, 10) AS ago,"
        " LATERAL (SELECT date_bin('10 seconds', now(), 'epoch') - make_interval(secs => ago) AS slot) AS at"
        " WHERE ago NOT BETWEEN 1200 AND 1319"
    )
    rows = reader.rows("pages/stream_strips", {})
    assert len(rows) == 144
    assert sum(row["slots"] for row in rows) in (179, 180)  # the newest slot may just have ended
    assert sum(row["silent"] for row in rows) == 12
    assert sum(row["kafka_silent"] for row in rows) == 6
    assert [row["slots"] for row in rows[:140]] == [0] * 140


@pytest.mark.services
def test_a_heartbeat_keeps_the_most_memory_of_its_ten_seconds(traffic: CountedTraffic, reader: Warehouse) -> None:
    heartbeat = Heartbeat(traffic.warehouse, 0)
    for held in (5, 9, 7):
        assert heartbeat.beat("counting", "counting", memory_bytes=held) == "running"
    assert max(row["memory_bytes"] for row in execute(reader, "SELECT memory_bytes FROM report.stream_progress")) == 9

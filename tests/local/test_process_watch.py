"""What the supervisor's watch notes of a process, and what the page Stream makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.process_watch import NAMES, sample, watch
from local.supervision import WATCH, programs
from local.supervisor_client import ProcessState
from settings import Settings
from sql.warehouse import Warehouse
from tests.sql.conftest import reader as reader
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import CountedTraffic, execute

US = ProcessState("airflow-scheduler", "RUNNING", os.getpid(), "pid, uptime")


def test_a_running_process_is_noted_with_its_start_and_memory() -> None:
    noted = sample(US)
    assert (noted["process"], noted["state"], noted["pid"]) == ("Airflow scheduler", "running", os.getpid())
    assert noted["memory_bytes"] > 1_000_000
    assert noted["started_at"].tzinfo is not None


@pytest.mark.parametrize(
    ("said", "noted"), [("STARTING", "starting"), ("BACKOFF", "starting"), ("FATAL", "down"), ("STOPPED", "down")]
)
def test_a_process_that_does_not_run_has_neither_pid_nor_memory(said: str, noted: str) -> None:
    found = sample(ProcessState("kafka", said, 0, ""))
    assert (found["state"], found["pid"], found["memory_bytes"]) == (noted, None, None)


def test_a_process_that_is_gone_by_now_is_down() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait(30)
    assert sample(ProcessState("kafka", "RUNNING", gone.pid, ""))["state"] == "down"


@pytest.mark.services
def test_the_watch_notes_each_process_once_in_half_a_minute_and_goes_on_until_told(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    looks: Iterator[bool] = iter([False, True])
    own = ProcessState("process-watch", "RUNNING", os.getpid(), "")
    watch(lambda: [US, own, ProcessState("kafka", "FATAL", 0, "")], traffic.warehouse, lambda _: next(looks))
    rows = execute(reader, "SELECT process, state, pid, memory_bytes, ended_24h FROM report.process ORDER BY process")
    known = {row["process"]: row for row in rows}
    assert known["Airflow scheduler"]["state"] == "running"
    assert known["Airflow scheduler"]["pid"] == os.getpid()
    assert known["Airflow scheduler"]["memory_bytes"] > 1_000_000
    assert known["Airflow scheduler"]["ended_24h"] == 0
    assert known["Kafka broker"]["state"] == "down"
    assert known["Postgres"]["state"] == "running"  # it answers, sample or not
    assert known.keys() >= {"Airflow scheduler", "Kafka broker", "Postgres", "stream driver"}
    (noted,) = execute(reader, "SELECT count(*) AS samples FROM report.process_sample")
    assert noted["samples"] in (2, 4)  # 4: half a minute began between
    assert {row["process"] for row in rows} <= {*NAMES.values(), "stream driver", "log generator"}


@pytest.mark.services
def test_a_new_start_counts_as_an_end_and_an_old_sample_as_unknown(
    traffic: CountedTraffic, reader: Warehouse
) -> None:
    traffic.execute(
        "INSERT INTO stream.process_sample (slot_start, process, state, pid, started_at, memory_bytes)"
        " SELECT date_bin('30 seconds', now() - ago * interval '1 minute', 'epoch'), 'Airflow triggerer', 'running',"
        " 7, now() - started * interval '1 minute', 5 FROM (VALUES (5, 8), (10, 100), (15, 100)) AS at (ago, started)"
    )
    rows = execute(reader, "SELECT state, pid, ended_24h FROM report.process WHERE process = 'Airflow triggerer'")
    assert rows == [{"state": "unknown", "pid": 7, "ended_24h": 1}]
    strips = reader.rows("pages/stream_process_strips", {})
    assert sum(row["samples"] for row in strips) == 3


def test_the_watch_is_a_program_of_the_supervisor_and_no_other_program_is_forgotten(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)  # type: ignore[call-arg]
    names = [program.name for program in programs(settings, None, "java")]
    assert names.index("postgres") < names.index(WATCH)
    assert set(names) - {WATCH} == set(NAMES)

"""The stream job as a process, against a real broker and a real Postgres."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable

import pytest

from settings import Settings
from tests.spark_jobs.conftest import Ask, count_all, event, send, start_job

pytestmark = pytest.mark.services

HITS = "SELECT coalesce(sum(hits), 0)::int AS n FROM stream.traffic_bucket"


def wait_until(holds: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.3)


def kill_group(job: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> None:
    os.killpg(job.pid, number)
    job.wait(30)


def test_each_event_is_counted_once_and_the_ledger_says_so(fresh_pipeline: Settings, ask: Ask) -> None:
    records = [(b"web-1", event(seq, second=seq)) for seq in range(1, 21)]
    records += [(b"web-2", event(seq, source="web-2", status=404)) for seq in range(1, 6)]
    send(fresh_pipeline, [*records, (b"web-1", event(7)), (b"x", b"{not json")])
    assert "27 records counted" in count_all(fresh_pipeline)
    assert ask("SELECT sum(hits)::int AS hits, sum(bytes_sent)::int AS bytes FROM stream.traffic_bucket") == [
        {"hits": 25, "bytes": 2500}
    ]
    assert ask(
        """SELECT sum(consumed)::int AS consumed, sum(accepted)::int AS accepted,
                  sum(rejected)::int AS rejected, sum(duplicate)::int AS duplicate FROM stream.ledger"""
    ) == [{"consumed": 27, "accepted": 25, "rejected": 1, "duplicate": 1}]
    assert ask("SELECT source, counted::text FROM stream.source_range ORDER BY 1") == [
        {"source": "web-1", "counted": "{[1,21)}"},
        {"source": "web-2", "counted": "{[1,6)}"},
    ]
    assert ask("SELECT state, message FROM stream.lease") == [
        {"state": "stopped", "message": "caught up: 27 records counted"}
    ]


def test_killed_and_started_again_it_counts_everything_once(fresh_pipeline: Settings, ask: Ask) -> None:
    small_batches = fresh_pipeline.model_copy(update={"max_offsets_per_trigger": 500})
    send(small_batches, [(b"web-1", event(seq)) for seq in range(1, 20_001)])
    job = start_job(small_batches)
    wait_until(lambda: ask(HITS)[0]["n"] > 1000)
    kill_group(job)
    after_kill = ask(HITS)[0]["n"]
    assert 0 < after_kill < 20_000, "the kill came too late to prove anything"
    count_all(fresh_pipeline)
    assert ask(HITS) == [{"n": 20_000}]
    assert (
        ask("SELECT count(*)::int AS n, sum(upper(offsets) - lower(offsets))::int AS records FROM stream.ledger")[0][
            "records"
        ]
        == 20_000
    )


def test_stops_gracefully_when_wished_and_says_so(fresh_pipeline: Settings, ask: Ask) -> None:
    launch_id = uuid.uuid4()
    send(fresh_pipeline, [(b"web-1", event(1))])
    job = start_job(fresh_pipeline, "--launch-id", str(launch_id))
    wait_until(lambda: ask(HITS) == [{"n": 1}])
    wait_until(lambda: ask("SELECT state FROM stream.lease") == [{"state": "idle"}], 20)
    ask("UPDATE stream.lease SET desired_state = 'stopped' RETURNING 1")
    assert job.wait(20) == 0
    assert ask("SELECT state, message, lag_records::int AS lag FROM stream.lease") == [
        {"state": "stopped", "message": "stopped as wished", "lag": 0}
    ]
    (launch,) = ask("SELECT launch_id::text, pid, epoch::int, end_reason FROM stream.launch")
    assert launch == {"launch_id": str(launch_id), "pid": job.pid, "epoch": 1, "end_reason": "stopped as wished"}


def test_a_second_job_takes_over_and_the_first_ends_fenced(fresh_pipeline: Settings, ask: Ask) -> None:
    first = start_job(fresh_pipeline)
    wait_until(lambda: ask("SELECT state FROM stream.lease") == [{"state": "idle"}])
    second = start_job(fresh_pipeline)
    try:
        output, _ = first.communicate(timeout=60)
        assert first.returncode == 3, output
        assert "fenced" in output or "newer launch" in output
        send(fresh_pipeline, [(b"web-1", event(1))])
        wait_until(lambda: ask(HITS) == [{"n": 1}])
        assert ask("SELECT epoch::int FROM stream.lease") == [{"epoch": 2}]
    finally:
        kill_group(second)


def test_a_job_woken_after_it_was_replaced_cannot_write(fresh_pipeline: Settings, ask: Ask) -> None:
    sleeper = start_job(fresh_pipeline)
    wait_until(lambda: ask("SELECT state FROM stream.lease") == [{"state": "idle"}])
    os.killpg(sleeper.pid, signal.SIGSTOP)
    send(fresh_pipeline, [(b"web-1", event(seq)) for seq in range(1, 101)])
    count_all(fresh_pipeline)
    os.killpg(sleeper.pid, signal.SIGCONT)
    assert sleeper.wait(90) in (3, 4)  # fenced, or ended by its own watchdog first
    assert ask(HITS) == [{"n": 100}]
    assert ask("SELECT max(epoch)::int AS epoch FROM stream.ledger") == [{"epoch": 2}]


def test_wrong_settings_give_one_clear_message(fresh_pipeline: Settings) -> None:
    missing = fresh_pipeline.model_copy(update={"topic": "no.such.topic"})
    job = start_job(missing)
    try:
        assert job.stdout is not None
        words = ""
        for line in job.stdout:
            words = line
            if "waiting for Kafka" in line:
                break
        assert "Kafka has no topic 'no.such.topic' that this user may read" in words
    finally:
        kill_group(job, signal.SIGTERM)

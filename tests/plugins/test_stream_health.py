"""The verdict on the stream job, and how long to wait before the next launch."""

from __future__ import annotations

from dataclasses import replace

from plugins.backoff import seconds_to_wait
from plugins.stream_health import judge
from sql.launches import Failures, Launch, LeaseStatus

LAUNCH = Launch("id", "traffic_stream", "here", 7, None, 3, "log", None, None, age_seconds=40)
LEASE = LeaseStatus(3, "here:7:id", "running", "counting", "counting", 0, 50.0, 2.0, 2.0)


def test_a_job_with_a_fresh_heartbeat_is_well() -> None:
    assert judge(LAUNCH, LEASE, alive=True, stalled_after_seconds=60).verdict == "well"


def test_a_job_that_idles_for_hours_is_well_as_long_as_it_says_so() -> None:
    idle = replace(LEASE, state="idle", batch_age_seconds=86_400.0)
    assert judge(LAUNCH, idle, alive=True, stalled_after_seconds=60).verdict == "well"


def test_a_job_that_waits_for_kafka_and_says_so_is_not_launched_again() -> None:
    waiting = replace(LEASE, state="waiting", message="waiting for Kafka", batch_age_seconds=900.0)
    assert judge(LAUNCH, waiting, alive=True, stalled_after_seconds=60).verdict == "well"


def test_a_living_job_without_heartbeat_is_stalled() -> None:
    silent = replace(LEASE, heartbeat_age_seconds=61.0)
    assert judge(LAUNCH, silent, alive=True, stalled_after_seconds=60).verdict == "stalled"


def test_a_job_that_starts_spark_says_nothing_and_gets_a_minute_more() -> None:
    starting = replace(LEASE, state="starting", heartbeat_age_seconds=119.0)
    assert judge(LAUNCH, starting, alive=True, stalled_after_seconds=60).verdict == "well"
    assert judge(LAUNCH, replace(starting, heartbeat_age_seconds=121.0), True, 60).verdict == "stalled"


def test_a_job_whose_process_is_gone_is_dead_however_fresh_its_heartbeat() -> None:
    health = judge(LAUNCH, LEASE, alive=False, stalled_after_seconds=60)
    assert (health.verdict, health.reason) == ("dead", "its process is gone")


def test_a_job_that_ended_on_a_wish_is_stopped() -> None:
    wished = replace(LEASE, desired_state="stopped", state="stopped")
    assert judge(LAUNCH, wished, alive=False, stalled_after_seconds=60).verdict == "stopped"


def test_a_job_that_still_finishes_its_batch_after_the_wish_is_well() -> None:
    wished = replace(LEASE, desired_state="stopped")
    assert judge(LAUNCH, wished, alive=True, stalled_after_seconds=60).verdict == "well"


def test_a_newer_epoch_fences_the_watched_launch() -> None:
    assert judge(LAUNCH, replace(LEASE, epoch=4), alive=True, stalled_after_seconds=60).verdict == "fenced"


def test_a_launch_that_takes_no_lease_is_stalled_after_two_minutes() -> None:
    young = replace(LAUNCH, epoch=None, age_seconds=119)
    assert judge(young, LEASE, alive=True, stalled_after_seconds=60).verdict == "well"
    assert judge(replace(young, age_seconds=121), LEASE, True, 60).verdict == "stalled"


def test_up_to_five_failures_in_ten_minutes_are_launched_again_at_once() -> None:
    assert [seconds_to_wait(Failures(n, 0.0, "")) for n in range(6)] == [0.0] * 6


def test_from_the_sixth_failure_on_the_wait_doubles_up_to_five_minutes() -> None:
    assert [seconds_to_wait(Failures(n, 0.0, "")) for n in range(6, 13)] == [15, 30, 60, 120, 240, 300, 300]


def test_time_since_the_last_failure_counts_as_waited() -> None:
    assert seconds_to_wait(Failures(7, 20.0, "")) == 10.0
    assert seconds_to_wait(Failures(7, 31.0, "")) == 0.0

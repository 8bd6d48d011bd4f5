"""One stream job runs, whatever ends: the operator and its triggers against a real process and a real Postgres."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psutil
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from airflow.triggers.base import BaseTrigger

from plugins.launcher import this_host
from plugins.process_identity import find_process
from plugins.stream_job import StreamJobOperator
from plugins.stream_stop import stop_stream
from plugins.stream_trigger import HeartbeatTrigger, WishTrigger
from settings import Settings
from sql.launches import end_launch, open_launches, read_launch, read_lease, record_launch, wish
from sql.warehouse import Warehouse
from tests.plugins.conftest import JOB, Start, eventually, has_epoch

pytestmark = pytest.mark.services

CONTEXT: Any = {"params": {"watch_minutes": 5}}


@pytest.fixture
def operator(stack: Settings, warehouse: Warehouse) -> Iterator[StreamJobOperator]:
    yield StreamJobOperator(task_id="stream_job", command=JOB)
    for launch in open_launches(warehouse, "traffic_stream"):
        process = find_process(launch)
        if process is not None:
            process.kill()
            process.wait(5)


def deferral(operator: StreamJobOperator) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(CONTEXT)
    return deferred.value


def fired(trigger: BaseTrigger, seconds: float = 20.0) -> dict[str, str]:
    """Payload of a trigger's event, from a copy made the way the triggerer makes it."""
    _, kwargs = trigger.serialize()
    again = type(trigger)(**kwargs)

    async def first() -> dict[str, str]:
        async for event in again.run():
            return dict(event.payload)
        raise AssertionError("the trigger ended without an event")

    return asyncio.run(asyncio.wait_for(first(), seconds))


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_without_a_running_job_one_is_launched_and_watched(operator: StreamJobOperator, warehouse: Warehouse) -> None:
    deferred = deferral(operator)
    (launch,) = open_launches(warehouse, "traffic_stream")
    assert isinstance(deferred.trigger, HeartbeatTrigger)
    assert deferred.trigger.launch_id == launch.launch_id
    assert find_process(launch) is not None


def test_a_running_job_is_adopted_and_no_second_one_starts(operator: StreamJobOperator, warehouse: Warehouse) -> None:
    first = deferral(operator)
    second = deferral(operator)
    assert second.trigger.launch_id == first.trigger.launch_id
    assert len(open_launches(warehouse, "traffic_stream")) == 1


def test_a_launch_written_down_by_a_launcher_that_died_is_waited_for_then_replaced(
    operator: StreamJobOperator, warehouse: Warehouse
) -> None:
    record_launch(warehouse, "00000000-0000-0000-0000-000000000001", "traffic_stream", this_host(), "/nowhere/log")
    assert deferral(operator).trigger.launch_id == "00000000-0000-0000-0000-000000000001"
    with warehouse.transaction() as cursor:
        cursor.execute("UPDATE stream.launch SET launched_at = launched_at - interval '31 seconds'")
    assert deferral(operator).trigger.launch_id != "00000000-0000-0000-0000-000000000001"
    buried = read_launch(warehouse, "00000000-0000-0000-0000-000000000001")
    assert buried is not None
    assert buried.end_reason == "failed: dead: found dead: its process is gone"


def test_a_killed_job_is_noticed_within_five_seconds_and_launched_again(
    operator: StreamJobOperator, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    deferred = deferral(operator)
    launch = read_launch(warehouse, deferred.trigger.launch_id)
    assert launch is not None
    assert eventually(lambda: has_epoch(warehouse, launch))
    assert launch.pid is not None
    psutil.Process(launch.pid).kill()
    since = time.monotonic()
    event = fired(deferred.trigger)
    assert time.monotonic() - since < 5
    assert event == {"verdict": "dead", "reason": "its process is gone"}

    with pytest.raises(AirflowFailException, match="dead: its process is gone"):
        operator.watched(CONTEXT, event, **(deferred.kwargs or {}))
    assert "detached job in mode obey" in capsys.readouterr().out
    assert read_lease(warehouse).state == "failed"
    assert read_lease(warehouse).message == (
        "the stream job is dead: its process is gone; it last wrote: detached job in mode obey"
    )
    assert deferral(operator).trigger.launch_id != launch.launch_id


def test_a_silent_job_is_stalled_and_gets_killed(
    operator: StreamJobOperator, warehouse: Warehouse, start: Start
) -> None:
    silent = start("--mode", "silent")
    assert eventually(lambda: has_epoch(warehouse, silent))
    event = fired(HeartbeatTrigger(silent.launch_id, in_seconds(60), stalled_after_seconds=1.5))
    assert event["verdict"] == "stalled"
    with pytest.raises(AirflowFailException, match="stalled"):
        operator.watched(CONTEXT, event, launch_id=silent.launch_id, until=in_seconds(60))
    assert find_process(silent) is None


def test_a_lost_database_connection_does_not_end_the_watch(
    stack: Settings, fresh_database: Settings, warehouse: Warehouse, start: Start
) -> None:
    job = start()
    assert eventually(lambda: has_epoch(warehouse, job))

    async def watch() -> dict[str, str]:
        trigger = HeartbeatTrigger(job.launch_id, in_seconds(6), stalled_after_seconds=60)
        events = trigger.run()
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(1)
        with Warehouse(fresh_database.dsn("footfall_admin"), "test") as admin, admin.transaction() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'footfall-airflow-watch' AND datname = current_database()"
            )
        return dict((await first).payload)

    assert asyncio.run(watch()) == {"verdict": "over", "reason": "idle: nothing to do"}


def test_after_the_window_the_run_is_green_and_the_job_goes_on(
    operator: StreamJobOperator, warehouse: Warehouse, start: Start
) -> None:
    job = start()
    assert eventually(lambda: has_epoch(warehouse, job))
    event = fired(HeartbeatTrigger(job.launch_id, in_seconds(0), stalled_after_seconds=60))
    assert event == {"verdict": "over", "reason": "idle: nothing to do"}
    operator.watched(CONTEXT, event, launch_id=job.launch_id, until=in_seconds(0))
    assert find_process(job) is not None


def test_a_job_stopped_by_wish_makes_the_run_skipped(
    operator: StreamJobOperator, warehouse: Warehouse, start: Start
) -> None:
    job = start()
    assert eventually(lambda: has_epoch(warehouse, job))
    wish(warehouse, "stopped")
    event = fired(HeartbeatTrigger(job.launch_id, in_seconds(60), stalled_after_seconds=60))
    assert event == {"verdict": "stopped", "reason": "stopped as wished"}
    with pytest.raises(AirflowSkipException):
        operator.watched(CONTEXT, event, launch_id=job.launch_id, until=in_seconds(60))


def test_while_it_is_wished_stopped_nothing_is_launched_and_no_slot_is_held(
    operator: StreamJobOperator, warehouse: Warehouse
) -> None:
    wish(warehouse, "stopped")
    deferred = deferral(operator)
    assert isinstance(deferred.trigger, WishTrigger)
    assert open_launches(warehouse, "traffic_stream") == []
    with pytest.raises(AirflowSkipException):
        operator.waited(CONTEXT, {"verdict": "over", "reason": ""}, **(deferred.kwargs or {}))


def test_the_wait_ends_as_soon_as_the_wish_changes(warehouse: Warehouse) -> None:
    wish(warehouse, "stopped")

    async def wait() -> dict[str, str]:
        first = asyncio.ensure_future(anext(WishTrigger("stopped", in_seconds(60)).run()))
        await asyncio.sleep(1)
        wish(warehouse, "running")
        return dict((await asyncio.wait_for(first, 10)).payload)

    assert asyncio.run(wait()) == {"verdict": "wish changed", "reason": "running"}


def test_a_fenced_launch_is_left_for_the_one_that_holds_the_lease(
    operator: StreamJobOperator, warehouse: Warehouse, start: Start
) -> None:
    old = start("--mode", "silent")
    assert eventually(lambda: has_epoch(warehouse, old))
    new = start()
    assert eventually(lambda: has_epoch(warehouse, new))
    event = fired(HeartbeatTrigger(old.launch_id, in_seconds(60), stalled_after_seconds=60))
    assert event["verdict"] == "fenced"
    with pytest.raises(TaskDeferred) as deferred:
        operator.watched(CONTEXT, event, launch_id=old.launch_id, until=in_seconds(60))
    assert deferred.value.trigger.launch_id == new.launch_id
    assert find_process(old) is None
    assert find_process(new) is not None


def test_killing_the_deferred_task_stops_the_job_and_it_stays_stopped(
    operator: StreamJobOperator, warehouse: Warehouse
) -> None:
    deferred = deferral(operator)
    launch = read_launch(warehouse, deferred.trigger.launch_id)
    assert launch is not None
    assert eventually(lambda: has_epoch(warehouse, launch))
    asyncio.run(deferred.trigger.on_kill())
    assert find_process(launch) is None
    assert read_lease(warehouse).desired_state == "stopped"
    ended = read_launch(warehouse, launch.launch_id)
    assert ended is not None
    assert ended.end_reason == "stopped as wished"
    assert isinstance(deferral(operator).trigger, WishTrigger)


def test_a_job_that_does_not_obey_the_wish_is_ended_by_signal(warehouse: Warehouse, start: Start) -> None:
    deaf = start("--mode", "deaf")
    assert eventually(lambda: has_epoch(warehouse, deaf))
    said = stop_stream(warehouse, this_host(), patience_seconds=1)
    assert said == f"not stopped after 1 s; launch {deaf.launch_id} killed"
    assert find_process(deaf) is None


def test_a_crash_loop_backs_off_after_five_failures_and_says_so(
    operator: StreamJobOperator, warehouse: Warehouse
) -> None:
    operator.command = [*JOB, "--mode", "crash"]
    for _ in range(6):
        deferred = deferral(operator)
        assert isinstance(deferred.trigger, HeartbeatTrigger)
        event = fired(deferred.trigger)
        assert event["verdict"] == "dead"
        with pytest.raises(AirflowFailException):
            operator.watched(CONTEXT, event, **(deferred.kwargs or {}))
    deferred = deferral(operator)
    assert isinstance(deferred.trigger, WishTrigger)
    assert open_launches(warehouse, "traffic_stream") == []
    assert "6 failed launches in 10 minutes" in read_lease(warehouse).message


def test_stops_on_a_wish_are_not_failures(operator: StreamJobOperator, warehouse: Warehouse, start: Start) -> None:
    for _ in range(7):
        job = start()
        assert eventually(partial(has_epoch, warehouse, job))
        end_launch(warehouse, job, "stopped as wished")
        process = find_process(job)
        assert process is not None
        process.kill()
    assert isinstance(deferral(operator).trigger, HeartbeatTrigger)

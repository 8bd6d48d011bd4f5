"""The real generator, launched and watched as the DAG does it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from plugins.counted import HistoryCountedOperator
from plugins.generator_door import generator_run, read_progress
from plugins.generator_job import LogGeneratorOperator, run_of
from plugins.generator_trigger import GeneratorTrigger
from plugins.process_identity import find_process
from settings import Settings
from sql.launches import Launch, open_launches, read_launch
from sql.warehouse import Warehouse
from tests.plugins.conftest import eventually

pytestmark = pytest.mark.services

NOON = datetime(2026, 11, 17, 12, 0, 30, tzinfo=UTC)
PARAMS: dict[str, Any] = {
    "site": "shop",
    "seed": 7,
    "rate": 20,
    "minutes": 1,
    "history_hours": 1,
    "history_rate": 0.5,
    "late_share": 0.01,
    "duplicate_share": 0.005,
    "out_of_order_share": 0.02,
    "malformed_share": 0.002,
    "incidents_per_day": 0,
    "incidents": ["surge:+10s:20s:4"],
}


def context(run_id: str = "manual__1", **params: Any) -> Any:
    run = SimpleNamespace(run_id=run_id, run_after=NOON)
    return {"dag_run": run, "params": PARAMS | params}


@pytest.fixture
def generator(
    stack: Settings, topic: Settings, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LogGeneratorOperator]:
    monkeypatch.setenv("FOOTFALL_KAFKA_BOOTSTRAP", topic.bootstrap_servers)
    monkeypatch.setenv("FOOTFALL_TOPIC", topic.topic)
    yield LogGeneratorOperator(task_id="generate")
    for launch in open_launches(warehouse, "log_generator"):
        process = find_process(launch)
        if process is not None:
            process.kill()
            process.wait(5)


def launched(generator: LogGeneratorOperator, warehouse: Warehouse, given: Any) -> tuple[Launch, TaskDeferred]:
    with pytest.raises(TaskDeferred) as deferred:
        generator.execute(given)
    launch = read_launch(warehouse, run_of(given).launch_id)
    assert launch is not None
    return launch, deferred.value


def fired(trigger: Any, seconds: float = 90.0) -> dict[str, str]:
    async def first() -> dict[str, str]:
        return dict((await anext(trigger.run())).payload)

    return asyncio.run(asyncio.wait_for(first(), seconds))


def test_history_ends_and_live_traffic_begins_at_the_minute_the_run_was_asked_for() -> None:
    run = generator_run(Path("/home"), "manual__1", NOON, history_hours=48)
    assert run.live_start == datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
    assert run.history_start == datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
    assert generator_run(Path("/home"), "manual__1", NOON, 48).launch_id == run.launch_id
    assert generator_run(Path("/home"), "manual__2", NOON, 48).launch_id != run.launch_id


def test_the_run_is_green_when_the_generator_is_done_and_history_can_be_asked_for(
    generator: LogGeneratorOperator, warehouse: Warehouse
) -> None:
    # Live traffic of the past follows at once, so one minute of it takes no minute.
    given = context()
    _, deferred = launched(generator, warehouse, given)
    history = HistoryCountedOperator(task_id="history_counted")
    with pytest.raises(TaskDeferred) as waiting:
        history.execute(given)
    assert fired(waiting.value.trigger) == {"verdict": "history sent", "reason": ""}
    with pytest.raises(TaskDeferred) as counting:
        history.sent(given, {})
    lines = counting.value.trigger.lines
    assert sum(lines.values()) > 500
    assert all(source.startswith("generator-") for source in lines)
    assert history.counted(given, {}) == {
        "start": "2026-11-17T11:00:00+00:00",
        "end": "2026-11-17T13:00:00+00:00",
    }

    assert fired(deferred.trigger) == {"verdict": "ended", "reason": ""}
    generator.ended(given, {"verdict": "ended"}, **(deferred.kwargs or {}))
    ended = read_launch(warehouse, run_of(given).launch_id)
    assert ended is not None
    assert ended.end_reason == "done"


def test_killing_the_watching_task_stops_the_generator_gracefully(
    generator: LogGeneratorOperator, warehouse: Warehouse
) -> None:
    given = context(minutes=0, history_hours=0)
    launch, deferred = launched(generator, warehouse, given)
    state = run_of(given).state
    assert eventually(lambda: (progress := read_progress(state)) is not None and progress.phase == "live", 30)
    assert isinstance(deferred.trigger, GeneratorTrigger)
    asyncio.run(deferred.trigger.on_kill())
    assert find_process(launch) is None
    progress = read_progress(state)
    assert progress is not None
    assert progress.phase == "stopped"
    with pytest.raises(AirflowSkipException):
        generator.ended(given, {"verdict": "ended"}, state=str(state))


def test_killing_the_task_that_waits_for_history_leaves_the_generator_alone(
    generator: LogGeneratorOperator, warehouse: Warehouse
) -> None:
    given = context(minutes=0)
    launch, _ = launched(generator, warehouse, given)
    with pytest.raises(TaskDeferred) as waiting:
        HistoryCountedOperator(task_id="history_counted").execute(given)
    asyncio.run(waiting.value.trigger.on_kill())
    assert find_process(launch) is not None


def test_a_running_generator_is_adopted_and_a_killed_one_makes_the_run_red(
    generator: LogGeneratorOperator, warehouse: Warehouse
) -> None:
    given = context(minutes=0, history_hours=0)
    first, _ = launched(generator, warehouse, given)
    second, deferred = launched(generator, warehouse, given)
    assert first.pid == second.pid
    process = find_process(first)
    assert process is not None
    process.kill()
    assert fired(deferred.trigger)["verdict"] == "ended"
    with pytest.raises(AirflowFailException):
        generator.ended(given, {"verdict": "ended"}, **(deferred.kwargs or {}))


def test_a_cleared_run_goes_on_as_the_same_run(generator: LogGeneratorOperator, warehouse: Warehouse) -> None:
    given = context(minutes=0, history_hours=0)
    launch, deferred = launched(generator, warehouse, given)
    state = run_of(given).state
    assert eventually(lambda: (progress := read_progress(state)) is not None and progress.phase == "live", 30)
    asyncio.run(deferred.trigger.on_kill())

    again, _ = launched(generator, warehouse, given)
    assert again.launch_id == launch.launch_id
    assert again.pid != launch.pid
    assert eventually(lambda: (progress := read_progress(state)) is not None and progress.phase == "live", 30)

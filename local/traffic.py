"""The traffic of the stack: the wish that the stream job runs, and the generator runs that go on after a pause."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.airflow_client import AirflowClient, AirflowUnreachable
from local.state_folder import write_private
from plugins.launcher import this_host
from plugins.process_identity import end_process, find_process
from plugins.stream_stop import stop_stream
from producers.incidents import is_relative
from settings import Settings
from sql.launches import Job, end_launch, open_launches, wish
from sql.stream_status import read_site_totals
from sql.warehouse import Row, Warehouse

GENERATOR: Job = "log_generator"
STREAM = "traffic_stream"
STOP_PATIENCE_SECONDS = 60.0


class GeneratorMemory:
    """Which generator runs were going when the stack stopped; ``None`` before the first start."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run" / "generator_runs.json"

    def read(self) -> list[dict[str, Any]] | None:
        if not self._path.exists():
            return None
        return list(json.loads(self._path.read_text(encoding="utf-8")))

    def write(self, runs: list[dict[str, Any]]) -> None:
        """runs: the parameters of each."""
        write_private(self._path, json.dumps(runs))


def writer(settings: Settings) -> Warehouse:
    return Warehouse(settings.dsn("footfall_writer"), "footfall-stack", statement_timeout_s=15.0)


def start_stream(settings: Settings) -> None:
    """Wish that the stream job runs; Airflow starts it."""
    with writer(settings) as warehouse:
        wish(warehouse, "running")


def start_generator(
    airflow: AirflowClient, memory: GeneratorMemory, first: Mapping[str, Any], airflow_was_up: bool
) -> str:
    """Let Airflow start the generator when it should run; says in words what was done.

    first: parameters of the very first run, history included. Later starts go on without what has been.
    """
    # Right after a start of Airflow a run of before the pause may still look active: it finds its process gone.
    if airflow_was_up and airflow.active_runs(GENERATOR):
        return "runs already"
    remembered = memory.read()
    runs = [dict(first)] if remembered is None else [run_after_a_pause(run) for run in remembered]
    if not runs:
        return "was not running; trigger the DAG log_generator to start it"
    for run in runs:
        airflow.trigger(GENERATOR, run)
    memory.write(runs)
    return "started" if remembered is None else "goes on"


def run_after_a_pause(run: Mapping[str, Any]) -> dict[str, Any]:
    """How a run goes on: without history, and without the incidents that are counted from a start."""
    told = [text for text in run.get("incidents", ()) if not is_relative(text)]
    return {**run, "history_hours": 0, "incidents": told}


def remember_generators(airflow: AirflowClient, memory: GeneratorMemory, settings: Settings) -> None:
    """Note the parameters of the generator runs that are going; without Airflow what was noted before stays."""
    with writer(settings) as warehouse:
        alive = any(find_process(launch) for launch in open_launches(warehouse, GENERATOR))
    if not alive:
        memory.write([])
        return
    try:
        memory.write([run.get("conf") or {} for run in airflow.active_runs(GENERATOR)])
    except AirflowUnreachable:
        return


def stop_generators(settings: Settings) -> str:
    """SIGTERM: each generator flushes, writes its files and ends. Says in words what happened."""
    with writer(settings) as warehouse:
        said = []
        for launch in open_launches(warehouse, GENERATOR):
            done = end_process(launch, STOP_PATIENCE_SECONDS)
            end_launch(warehouse, launch, f"stopped: {done}")
            said.append(done)
    return ", ".join(said) or "none ran"


def stop_stream_job(settings: Settings) -> str:
    """The stream job finishes its batch and ends; the wish stays until the next start."""
    with writer(settings) as warehouse:
        return stop_stream(warehouse, this_host(), STOP_PATIENCE_SECONDS)


def first_totals(settings: Settings, patience_seconds: float) -> list[Row]:
    """Totals by site as soon as something has been counted; empty when nothing is after so long."""
    deadline = time.monotonic() + patience_seconds
    with Warehouse(settings.dsn("footfall_reader"), "footfall-stack") as warehouse:
        while not (found := read_site_totals(warehouse)) and time.monotonic() < deadline:
            time.sleep(0.5)
    return found

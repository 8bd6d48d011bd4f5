"""The operators of ``log_generator``: launch it and watch it, and wait for its history to be sent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from plugins.generator_door import GeneratorRun, generator_run, read_progress
from plugins.generator_trigger import GeneratorTrigger, stop_generator
from plugins.job_log import last_lines
from plugins.launcher import Surroundings, job_environment, launch_detached, seems_alive, this_host
from plugins.user_kill import killed_by_user
from plugins.watching import watcher
from settings import Settings
from sql.launches import end_launch, read_launch

_LOG_LINES = 40


def run_of(context: Context) -> GeneratorRun:
    """The generator run of the Airflow run a task belongs to."""
    run = context["dag_run"]
    return generator_run(Settings().home, run.run_id, run.run_after, context["params"]["history_hours"])


class LogGeneratorOperator(BaseOperator):
    """Adopts this run's generator or launches it, then defers until it ends.

    Green when it is done, skipped when it was stopped, red otherwise. Its knobs are the DAG's parameters.
    """

    def __init__(self, *, program: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.program = program
        self.kill_requested = False

    def execute(self, context: Context) -> None:
        settings = Settings()
        run = run_of(context)
        with watcher(settings) as warehouse:
            launch = read_launch(warehouse, run.launch_id)
            if launch is not None and seems_alive(launch, this_host()):
                self.log.info("Adopting generator %s (pid %s)", launch.launch_id, launch.pid)
            else:
                run.state.mkdir(mode=0o700, parents=True, exist_ok=True)
                surroundings = Surroundings(this_host(), settings.logs, run.state, job_environment(os.environ))
                launch = launch_detached(
                    warehouse,
                    "log_generator",
                    run.launch_id,
                    run.command(context["params"], self.program),
                    surroundings,
                )
                self.log.info("Launched %s as pid %s; its output: %s", launch.launch_id, launch.pid, launch.log_path)
        if self.kill_requested and killed_by_user(context):
            raise AirflowFailException(f"stopped from outside; the generator {stop_generator(run.launch_id)}")
        self.defer(
            trigger=GeneratorTrigger(run.launch_id, str(run.state)),
            method_name="ended",
            kwargs={"state": str(run.state)},
        )

    def ended(self, context: Context, event: dict[str, str], state: str) -> None:
        """The process is gone, or has stalled."""
        launch_id = Path(state).name
        progress = read_progress(Path(state))
        phase = progress.phase if progress else "unknown"
        if event["verdict"] == "stalled":
            stop_generator(launch_id)
            phase = "stalled"
        with watcher(Settings()) as warehouse:
            launch = read_launch(warehouse, launch_id)
            if launch is not None:
                end_launch(warehouse, launch, phase if phase in ("done", "stopped") else f"failed: {phase}")
        if phase == "done":
            self.log.info("The generator is done: %s", progress)
        elif phase == "stopped":
            raise AirflowSkipException("the generator was stopped")
        else:
            for line in last_lines(Path(launch.log_path), _LOG_LINES) if launch else []:
                self.log.error("| %s", line)
            error = progress.error if progress and progress.error else "its last lines are above"
            raise AirflowFailException(f"the generator ended in phase {phase}: {error}")

    def on_kill(self) -> None:
        # Airflow calls this from a signal handler and lets the task go on; execute looks at it before it defers.
        self.kill_requested = True

"""The operator of ``traffic_stream``: makes sure that one stream job runs, then watches it deferred."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from plugins.backoff import COUNTED_WITHIN_SECONDS, seconds_to_wait
from plugins.job_log import last_lines
from plugins.launcher import Surroundings, job_environment, launch_detached, seems_alive, this_host
from plugins.process_identity import end_process
from plugins.stream_stop import stop_stream
from plugins.stream_trigger import HeartbeatTrigger, WishTrigger
from plugins.user_kill import killed_by_user
from plugins.watching import STOP_PATIENCE_SECONDS, watcher
from settings import Settings
from sql.launches import (
    Launch,
    end_launch,
    end_lease,
    open_launches,
    read_launch,
    read_lease,
    recent_failures,
    say_no_job_runs,
)
from sql.warehouse import Warehouse

_LOG_LINES = 40
_GRACE_SECONDS = 8.0


class StreamJobOperator(BaseOperator):
    """Adopts the running stream job or launches one, then defers to its heartbeat.

    Ends green after the window, red when the job died or stalled (the next run launches it anew), skipped while
    it is wished stopped. Takes the window from the parameter ``watch_minutes``.
    """

    def __init__(
        self, *, command: Sequence[str] = (sys.executable, "-m", "spark_jobs.traffic_stream"), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.command = list(command)
        self.kill_requested = False

    def execute(self, context: Context) -> None:
        until = datetime.now(UTC) + timedelta(minutes=float(context["params"]["watch_minutes"]))
        self._ensure(context, until.isoformat())

    def watched(self, context: Context, event: dict[str, str], launch_id: str, until: str) -> None:
        """The heartbeat trigger fired."""
        verdict, reason = event["verdict"], event["reason"]
        settings = Settings()
        with watcher(settings) as warehouse:
            lease = read_lease(warehouse)
            launch = read_launch(warehouse, launch_id)
            if verdict == "over":
                self.log.info("The window is over; %s (lag %s records)", reason, lease.lag_records)
                if lease.state in ("waiting", "failed"):
                    raise AirflowFailException(f"the stream job lives but does not count: {lease.state}: {reason}")
                return
            if verdict == "stopped":
                if launch is not None:
                    end_launch(warehouse, launch, f"stopped: {reason}")
                raise AirflowSkipException(f"the stream job was stopped as wished: {reason}")
            if launch is not None:
                self._bury(warehouse, launch, verdict, reason)
        if verdict == "fenced":
            self.log.warning("%s: watching that one from now on", reason)
            self._ensure(context, until)
        if launch is not None:
            self._show_log(launch)
        raise AirflowFailException(
            f"the stream job is {verdict}: {reason}. Its last words: {lease.message or '(none)'}. "
            "The next run launches it again."
        )

    def waited(self, context: Context, event: dict[str, str], until: str) -> None:
        """A pause is over: the wish changed, the back-off ended, or the window did."""
        with watcher(Settings()) as warehouse:
            wished = read_lease(warehouse).desired_state
        if wished == "stopped":
            raise AirflowSkipException("the stream job is wished stopped; start it with the DAG stream_control")
        if event["verdict"] == "wish changed":
            raise AirflowSkipException("the stream job was wished stopped until now; the next run launches it")
        self._ensure(context, until)

    def on_kill(self) -> None:
        # Airflow calls this from a signal handler and lets the task go on; the task looks at it before it defers.
        self.kill_requested = True

    def _ensure(self, context: Context, until: str) -> NoReturn:
        settings = Settings()
        with watcher(settings) as warehouse:
            if read_lease(warehouse).desired_state == "stopped":
                self.log.info("The stream job is wished stopped: nothing to watch until the wish changes")
                self.defer(trigger=WishTrigger("stopped", until), method_name="waited", kwargs={"until": until})
            launch = self._adopt(warehouse)
            if launch is None:
                self._back_off(warehouse, until)
                launch = self._launch(warehouse, settings)
            if self.kill_requested and killed_by_user(context):
                said = stop_stream(warehouse, this_host(), STOP_PATIENCE_SECONDS)
                raise AirflowFailException(f"this task was stopped, so the stream job was, too: {said}")
        self.defer(
            trigger=HeartbeatTrigger(launch.launch_id, until, settings.stalled_after_seconds),
            method_name="watched",
            kwargs={"launch_id": launch.launch_id, "until": until},
        )

    def _adopt(self, warehouse: Warehouse) -> Launch | None:
        """The launch to watch: of the living ones the newest that is not fenced; the others are buried."""
        lease = read_lease(warehouse)
        chosen: Launch | None = None
        for launch in open_launches(warehouse, "traffic_stream"):
            fenced = launch.epoch is not None and launch.epoch < lease.epoch
            if not seems_alive(launch, this_host(), lease.heartbeat_age_seconds):
                self._bury(warehouse, launch, "dead", "found dead: its process is gone")
            elif fenced:
                self._bury(warehouse, launch, "fenced", f"fenced by epoch {lease.epoch}")
            elif chosen is None:
                chosen = launch
        if chosen is not None:
            self.log.info("Adopting launch %s (pid %s, epoch %s)", chosen.launch_id, chosen.pid, chosen.epoch)
        return chosen

    def _back_off(self, warehouse: Warehouse, until: str) -> None:
        failures = recent_failures(warehouse, "traffic_stream", COUNTED_WITHIN_SECONDS)
        wait = seconds_to_wait(failures)
        if wait > 0:
            words = (
                f"degraded, backing off {wait:.0f} s after {failures.failures} failed launches in 10 minutes; "
                f"the last one: {failures.last_reason}"
            )
            say_no_job_runs(warehouse, words)
            self.log.warning("%s", words)
            again = (datetime.now(UTC) + timedelta(seconds=wait)).isoformat()
            self.defer(trigger=WishTrigger("running", again), method_name="waited", kwargs={"until": until})

    def _launch(self, warehouse: Warehouse, settings: Settings) -> Launch:
        launch_id = str(uuid.uuid4())
        surroundings = Surroundings(this_host(), settings.logs, settings.home, job_environment(os.environ))
        launch = launch_detached(
            warehouse, "traffic_stream", launch_id, [*self.command, "--launch-id", launch_id], surroundings
        )
        self.log.info("Launched %s as pid %s; its output: %s", launch_id, launch.pid, launch.log_path)
        return launch

    def _bury(self, warehouse: Warehouse, launch: Launch, verdict: str, reason: str) -> None:
        """Make sure that a launch is gone, and write down why."""
        if launch.host == this_host():
            done = end_process(launch, _GRACE_SECONDS)
            self.log.info("Launch %s (pid %s): %s; %s", launch.launch_id, launch.pid, reason, done)
        end_launch(warehouse, launch, reason if verdict == "fenced" else f"failed: {verdict}: {reason}")
        if verdict != "fenced":
            last = last_lines(Path(launch.log_path), 1)[0]
            words = f"the stream job is {verdict}: {reason}; it last wrote: {last}"
            if launch.epoch is not None:
                end_lease(warehouse, launch.epoch, words)
            else:
                say_no_job_runs(warehouse, words)

    def _show_log(self, launch: Launch) -> None:
        self.log.error("The last lines of %s:", launch.log_path)
        for line in last_lines(Path(launch.log_path), _LOG_LINES):
            self.log.error("| %s", line)

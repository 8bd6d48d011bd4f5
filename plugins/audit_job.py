"""Runs an audit from a task: a process of its own, whose output the task repeats, one at a time.

The Spark driver must not live inside Airflow's task process: it has its own memory limit and its own log file, and
ends with the task.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from plugins.job_log import log_path
from plugins.launcher import job_environment
from settings import CHECKOUT, Settings

if TYPE_CHECKING:
    from sql.audit_reading import AuditReport

log = logging.getLogger(__name__)

STOP_PATIENCE_SECONDS = 20.0
EQUAL, DIFFERS, UNCHECKED = 0, 1, 3  # exit codes of spark_jobs.audit; every other one is a failure


class AuditOperator(BaseOperator):
    """Runs the audit of the period, and says what came of it.

    Green when it ran, whatever it found: differences turn seals red. Skipped when no hour could be checked, red when
    it could not run. Its knobs are the DAG's parameters; by default the UTC day before the run.
    """

    def __init__(self, *, program: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.program = list(program or [sys.executable, "-m", "spark_jobs.audit"])
        self.process: subprocess.Popen[str] | None = None
        self.kill_requested = False

    def execute(self, context: Context) -> None:
        from sql.audit_reading import read_audit
        from sql.warehouse import Warehouse

        settings = Settings()
        run = context["dag_run"]
        start, end = audited_period(run.run_after, context["params"]["start"], context["params"]["end"])
        settings.logs.mkdir(parents=True, exist_ok=True)
        output = log_path(settings.logs, "audit", f"{start:%Y%m%dT%H}-{os.getpid()}")
        log.info("Auditing %s until %s; the output also goes to %s", start, end, output)
        command = [
            *self.program,
            *("--start", start.isoformat(), "--end", end.isoformat(), "--label", run.run_id),
        ]
        code = self._run(command, output)
        if self.kill_requested:
            raise AirflowFailException("stopped from outside; the audit ended")
        if code not in (EQUAL, DIFFERS, UNCHECKED):
            raise AirflowFailException(f"the audit could not run (exit code {code}): its last lines are above")
        with Warehouse(settings.dsn("footfall_reader"), "footfall-airflow-audit") as warehouse:
            report = read_audit(warehouse, run.run_id)
        self._say(report)
        if code == UNCHECKED:
            raise AirflowSkipException("no hour of the period could be checked: the reasons are above")

    def _run(self, command: list[str], output: Path) -> int:
        """Start the process in a session of its own, repeat what it says, wait for its end."""
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=CHECKOUT,
            env=job_environment(os.environ),
            start_new_session=True,
        )
        if self.kill_requested:
            self._end()
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            for line in self.process.stdout or ():
                file.write(line)
                if "footfall" in line or "Error" in line or "Exception" in line:
                    log.info("| %s", line.rstrip())
        return self.process.wait()

    def _say(self, report: AuditReport) -> None:
        say = log.error if report.cells_differing else log.info
        say("%s", report.in_words())
        for hours, reason in report.unchecked:
            log.warning("%d hours not checked: %s", hours, reason)
        for one in report.differences:
            log.error(
                "%s %s %s %s %s: reported %s, recomputed %s",
                *(one.site, f"{one.hour_start:%Y-%m-%dT%H:%MZ}", one.report, one.key, one.figure),
                *(one.reported, one.recomputed),
            )

    def on_kill(self) -> None:
        # Airflow calls this from a signal handler and lets the task go on: the wait for the process ends with it.
        self.kill_requested = True
        self._end()

    def _end(self) -> None:
        """SIGTERM, then SIGKILL for the whole session: the JVM leads no life of its own."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def audited_period(run_after: datetime, start: str | None, end: str | None) -> tuple[datetime, datetime]:
    """The period of the parameters; a bound that is not given is that of the UTC day before the run."""
    from plugins.report_runs import parse_range

    first, until = parse_range(start, end)
    midnight = run_after.replace(hour=0, minute=0, second=0, microsecond=0)
    period = (first or midnight - timedelta(days=1), until or midnight)
    if period[0] >= period[1]:
        raise AirflowFailException(f"start {period[0]} is not before end {period[1]}")
    return period

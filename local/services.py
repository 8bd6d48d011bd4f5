"""Brings the stack's services up and down under the supervisor, in order, each waited for until it answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.airflow import PROGRAMS as AIRFLOW_PROGRAMS
from local.airflow import airflow_url, login_file, migrate_airflow, prepare_airflow
from local.airflow_client import airflow_client
from local.foreground import postgres_answers
from local.kafka import prepare_kafka
from local.kafka_topics import broker_answers, ensure_topic
from local.postgres import bootstrap_databases, prepare_postgres
from local.service_account import ServiceAccount
from local.state_folder import write_private
from local.steps import StepFailed
from local.supervision import WATCH, programs, socket_path, supervisor_configuration
from local.supervisor_client import SupervisorClient
from settings import Settings

PATIENCE_SECONDS = 180.0
AIRFLOW_PATIENCE_SECONDS = 240.0  # four interpreters that import a lot, on a busy machine


class Services:
    """The services of one stack."""

    def __init__(
        self, settings: Settings, account: ServiceAccount | None, java: str, environment: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._account = account
        self._java = java
        self._environment = environment
        self.supervisor = SupervisorClient(socket_path(settings.home))

    def start_supervisor(self) -> None:
        """Start the supervisor, or find it running with these very settings."""
        path = self._settings.home / "run" / "supervisord.conf"
        wanted = supervisor_configuration(self._settings, programs(self._settings, self._account, self._java))
        if self.supervisor.is_up():
            if not path.exists() or path.read_text(encoding="utf-8") != wanted:
                raise StepFailed("the stack is running with other settings than yours", "make down, then make up")
            return
        write_private(path, wanted)
        self.supervisor.launch(path, self._environment)

    def start_postgres(self) -> bool:
        """True when it was started; False when it was running."""
        if not self._settings.embedded_postgres:
            return False
        if self._is_running("postgres"):
            return False
        prepare_postgres(self._settings, self._account)
        self.supervisor.start("postgres")
        self._wait("postgres", lambda: postgres_answers(self._settings), self._postgres_log())
        return True

    def start_kafka(self) -> bool:
        """Tell the broker to start, without waiting."""
        if not self._settings.embedded_kafka or self._is_running("kafka"):
            return False
        prepare_kafka(self._settings, self._java)
        return self.supervisor.start("kafka")

    def await_kafka(self) -> bool:
        """Wait for the broker; True when the topic is new."""
        options = self._settings.kafka_python_options("footfall_admin")
        log = self._settings.logs / "kafka" / "server.log"
        if self._settings.embedded_kafka:
            self._wait("kafka", lambda: broker_answers(options), log)
        return ensure_topic(options, self._settings.topic)

    def migrate(self) -> list[str]:
        """Databases, roles, migrations; returns the migrations that were applied."""
        return bootstrap_databases(self._settings)

    def migrate_airflow(self) -> bool:
        prepare_airflow(self._settings)
        return migrate_airflow(self._settings, self._environment)

    def start_airflow(self) -> bool:
        """Tell Airflow's four processes and the watch to start, without waiting; False when Airflow ran already."""
        self.supervisor.start(WATCH)
        started = [self.supervisor.start(name) for name in AIRFLOW_PROGRAMS]
        return any(started)

    def await_airflow(self) -> None:
        with airflow_client(airflow_url(self._settings), login_file(self._settings)) as airflow:
            unhealthy: list[str] = []

            def healthy() -> bool:
                unhealthy[:] = airflow.unhealthy()
                return not unhealthy

            try:
                self._wait("airflow-api", healthy, self._settings.logs / "airflow-api.log", AIRFLOW_PATIENCE_SECONDS)
            except StepFailed as failure:
                raise StepFailed(
                    f"Airflow is not healthy: {', '.join(unhealthy)}", failure.way_out, failure.log
                ) from None

    def _is_running(self, name: str) -> bool:
        return self.supervisor.state(name).state == "RUNNING"

    def _postgres_log(self) -> Path:
        written = sorted((self._settings.home / "postgres" / "logs").glob("*.log"), key=lambda p: p.stat().st_mtime)
        return written[-1] if written else self._settings.logs / "postgres.log"

    def _wait(
        self, name: str, ready: Callable[[], bool], log: Path, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        began = time.monotonic()
        while not ready():
            state = self.supervisor.state(name)
            waited = time.monotonic() - began
            # BACKOFF: it ended within a second of its start; a few times may be an old process still leaving.
            if waited > patience_seconds or (state.state == "BACKOFF" and waited > 15) or state.state == "FATAL":
                raise StepFailed(
                    f"{name} did not become ready in {waited:.0f} s ({state.state.lower()}: {state.description})",
                    f"look into {log}; then make up again",
                    log,
                )
            time.sleep(0.2)

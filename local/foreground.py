"""Postgres and the broker without a supervisor: started by a ``with`` block, ended at its end (tests, bench)."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.jars import provide_jars
from local.kafka import kafka_command, prepare_kafka
from local.kafka_topics import broker_answers
from local.postgres import bootstrap_databases, postgres_command, prepare_postgres
from local.secrets import make_secrets
from local.service_account import ServiceAccount
from local.state_folder import prepare
from settings import Settings
from sql.warehouse import Warehouse, WarehouseUnreachable

PATIENCE_SECONDS = 60.0


class ServiceFailed(Exception):
    """A service ended or did not become ready; the message holds its last log lines."""


@contextmanager
def running_postgres(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A migrated Postgres on the settings' port, with all roles and passwords."""
    account = prepare(settings.home)
    make_secrets(settings)
    prepare_postgres(settings, account)
    command = postgres_command(settings, account)
    log = settings.logs / "postgres.log"
    with _running(command, log, settings.home / "postgres", signal.SIGINT, account) as process:
        _wait(lambda: postgres_answers(settings), process, log)
        bootstrap_databases(settings)
        yield process


@contextmanager
def running_kafka(settings: Settings, java: str, jar_cache: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A broker on the settings' port with our users; topics are the caller's."""
    prepare(settings.home)
    make_secrets(settings)
    provide_jars(settings.home, jar_cache, java)
    prepare_kafka(settings, java)
    log = settings.logs / "kafka.log"
    options = settings.kafka_python_options("footfall_admin")
    with _running(kafka_command(settings, java), log, settings.home, signal.SIGTERM, None) as process:
        _wait(lambda: broker_answers(options), process, log)
        yield process


def postgres_answers(settings: Settings) -> bool:
    """Whether the administrator can connect."""
    try:
        with (
            Warehouse(settings.dsn("footfall_admin", "postgres"), "footfall-start") as warehouse,
            warehouse.transaction(),
        ):
            return True
    except WarehouseUnreachable:
        return False


@contextmanager
def _running(
    command: Sequence[str], log: Path, folder: Path, stop: signal.Signals, account: ServiceAccount | None
) -> Iterator[subprocess.Popen[bytes]]:
    options: Mapping[str, object] = account.popen_options() if account else {}
    with log.open("ab") as output:
        process = subprocess.Popen(  # type: ignore[call-overload]
            command, stdout=output, stderr=subprocess.STDOUT, cwd=folder, umask=0o077, **options
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(stop)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
            raise ServiceFailed(f"{process.args!r} did not become ready; its last words:\n{last}")
        time.sleep(0.2)

"""Notes every half minute how the supervised processes are, for the page Stream: a program of the supervisor itself.

It lives beside Airflow, so that what it notes has no gap when Airflow is what is down. While Postgres is away nothing
can be noted: those samples are missing, and the page calls that time unknown.

    python -m local.process_watch
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psutil

from local.supervision import socket_path
from local.supervisor_client import ProcessState, SupervisorClient
from settings import Settings
from spark_jobs.process_memory import memory_bytes
from sql.warehouse import POSTGRES_AWAY, Warehouse

EVERY_SECONDS = 30.0
# Names as the page shows them; other programs are not told of.
NAMES = {
    "postgres": "Postgres",
    "kafka": "Kafka broker",
    "airflow-api": "Airflow api-server",
    "airflow-scheduler": "Airflow scheduler",
    "airflow-dags": "Airflow dag-processor",
    "airflow-triggerer": "Airflow triggerer",
}
STATES = {"RUNNING": "running", "STARTING": "starting", "BACKOFF": "starting"}

log = logging.getLogger(__name__)


def sample(process: ProcessState) -> dict[str, Any]:
    """One row of ``stream.process_sample``: state, pid, start and memory; a process that is gone by now is down."""
    state, started_at, held = STATES.get(process.state, "down"), None, None
    if state == "running":
        try:
            started_at = datetime.fromtimestamp(psutil.Process(process.pid).create_time(), UTC)
            held = memory_bytes(process.pid)
        except psutil.NoSuchProcess:
            state = "down"
    return {
        "process": NAMES[process.name],
        "state": state,
        "pid": process.pid if state == "running" else None,
        "started_at": started_at,
        "memory_bytes": held,
    }


def watch(
    processes: Callable[[], Sequence[ProcessState]], warehouse: Warehouse, wait: Callable[[float], bool]
) -> None:
    """Note samples until ``wait`` says that it is time to end."""
    away = False
    while True:
        try:
            for row in [sample(process) for process in processes() if process.name in NAMES]:
                warehouse.run("stream/note_process", row)
            away = False
        except POSTGRES_AWAY as error:
            if not away:
                log.warning("Postgres is away, nothing is noted: %s", error)
            away = True
        if wait(EVERY_SECONDS):
            return


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    settings = Settings()
    supervisor = SupervisorClient(socket_path(settings.home))
    with Warehouse(settings.dsn("footfall_writer"), "footfall-process-watch", statement_timeout_s=5.0) as warehouse:
        watch(supervisor.processes, warehouse, ending.wait)


if __name__ == "__main__":
    main()

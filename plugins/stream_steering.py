"""What ``stream_control`` does: stop, start, restart."""

from __future__ import annotations

import logging

from airflow.sdk.exceptions import AirflowSkipException

from plugins.airflow_command import run_airflow
from plugins.launcher import this_host
from plugins.stream_stop import stop_stream
from plugins.watching import watcher
from settings import Settings
from sql.launches import wish

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 120.0


def stop_if_asked(action: str) -> str:
    """Stop the job for *stop* and *restart*; returns how it ended."""
    if action == "start":
        return "not asked to stop"
    with watcher(Settings()) as warehouse:
        said = stop_stream(warehouse, this_host(), PATIENCE_SECONDS)
    log.info("The stream job: %s", said)
    return said


def start_if_asked(action: str) -> None:
    """Wish the job running for *start* and *restart*, and let its DAG go on."""
    if action == "stop":
        raise AirflowSkipException("the stream job is to stay stopped")
    with watcher(Settings()) as warehouse:
        wish(warehouse, "running")
    run_airflow("dags", "unpause", "traffic_stream", "--yes", timeout_seconds=120.0)
    log.info("The DAG traffic_stream launches the job within seconds")

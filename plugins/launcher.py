"""Starts a job in a session of its own, so that it outlives the Airflow task that started it.

The launch is written down first, then the process is started, then its id is noted. A launcher killed in
between leaves either a launch without a process (dead after a while) or a process that registers itself.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from plugins.job_log import log_path
from plugins.process_identity import find_process, start_time
from sql.launches import Job, Launch, end_launch, read_launch, record_launch, record_process
from sql.warehouse import Warehouse

# Longer than a busy machine needs to start an interpreter.
UNREGISTERED_IS_DEAD_SECONDS = 30.0

# Airflow's own configuration may hold its database's password, and is nothing to our jobs.
_NOT_PASSED_ON = ("AIRFLOW", "_AIRFLOW", "__AIRFLOW")


@dataclass(frozen=True)
class Surroundings:
    """What a launched process finds around it."""

    host: str
    logs: Path
    working_folder: Path
    environment: Mapping[str, str]


def this_host() -> str:
    return socket.gethostname()


def job_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An Airflow process's environment without Airflow's settings."""
    return {name: value for name, value in environment.items() if not name.startswith(_NOT_PASSED_ON)}


def launch_detached(
    warehouse: Warehouse, job: Job, launch_id: str, command: Sequence[str], surroundings: Surroundings
) -> Launch:
    """Start ``command`` (argument vector; the launch id must be among its words) detached from us.

    Raises OSError when it cannot be started; the launch then counts as ended with that reason.
    """
    if not any(launch_id in word for word in command):
        raise ValueError(f"the command of launch {launch_id} does not carry its id, so it could never be found again")
    surroundings.logs.mkdir(parents=True, exist_ok=True)
    output = log_path(surroundings.logs, job, launch_id)
    record_launch(warehouse, launch_id, job, surroundings.host, str(output))
    launch = _read(warehouse, launch_id)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            cwd=surroundings.working_folder,
            env=dict(surroundings.environment),
            start_new_session=True,
        )
    except OSError as error:
        end_launch(warehouse, launch, f"failed: could not be started: {error}")
        raise
    finally:
        os.close(descriptor)
    try:
        record_process(warehouse, launch, process.pid, start_time(process.pid))
    except psutil.NoSuchProcess:
        end_launch(warehouse, launch, "failed: ended at once")
    return _read(warehouse, launch_id)


def seems_alive(launch: Launch, host: str, heartbeat_age_seconds: float | None = None) -> bool:
    """Whether a launch still has a process.

    On another host only its heartbeat (if it holds the lease) can tell; without a process yet, its age does.
    """
    if launch.ended_at is not None:
        return False
    if launch.pid is None:
        return launch.age_seconds < UNREGISTERED_IS_DEAD_SECONDS
    if launch.host != host:
        return heartbeat_age_seconds is not None and heartbeat_age_seconds < UNREGISTERED_IS_DEAD_SECONDS
    return find_process(launch) is not None


def _read(warehouse: Warehouse, launch_id: str) -> Launch:
    launch = read_launch(warehouse, launch_id)
    if launch is None:
        raise LookupError(f"launch {launch_id} is not in stream.launch, though it was just written")
    return launch

"""Plugins in tests: a private Airflow home, and settings that lead to the test's own database."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

# Importing Airflow makes its home; it must not be a developer's own.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="footfall-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

from plugins.launcher import Surroundings, job_environment, launch_detached, this_host
from plugins.process_identity import find_process
from plugins.watching import watcher
from settings import Settings
from sql.launches import Launch, read_launch
from sql.warehouse import Warehouse

JOB = [sys.executable, str(Path(__file__).with_name("detached_job.py"))]

Start = Callable[..., Launch]


@pytest.fixture
def stack(fresh_database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as a door builds them from the environment: this test's database, folders of its own."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "secrets").symlink_to(fresh_database.secrets)
    monkeypatch.setenv("FOOTFALL_HOME", str(home))
    monkeypatch.setenv("FOOTFALL_POSTGRES_DSN", str(fresh_database.postgres_dsn))
    return Settings()


@pytest.fixture
def warehouse(stack: Settings) -> Iterator[Warehouse]:
    with watcher(stack) as connection:
        yield connection


@pytest.fixture
def surroundings(stack: Settings) -> Surroundings:
    return Surroundings(this_host(), stack.logs, stack.home, job_environment(os.environ))


@pytest.fixture
def start(warehouse: Warehouse, surroundings: Surroundings) -> Iterator[Start]:
    """Launches the little detached job of these tests; ends what is left of it afterwards."""
    launched: list[Launch] = []

    def start(*options: str) -> Launch:
        launch_id = str(uuid.uuid4())
        command = [*JOB, "--launch-id", launch_id, *options]
        launched.append(launch_detached(warehouse, "traffic_stream", launch_id, command, surroundings))
        return launched[-1]

    yield start
    for launch in launched:
        process = find_process(launch)
        if process is not None:
            process.kill()
            process.wait(5)


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    """A process that is nobody's launch."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield psutil.Process(child.pid)
    child.kill()
    child.wait()


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether a condition comes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def has_epoch(warehouse: Warehouse, launch: Launch) -> bool:
    """Whether a launch has taken the lease."""
    now = read_launch(warehouse, launch.launch_id)
    return now is not None and now.epoch is not None

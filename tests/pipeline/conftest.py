"""A whole stack of the tests' own: another state folder, other ports, the same commands a user types."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.airflow import airflow_url, login_file
from local.airflow_client import airflow_client
from local.ports import free_port_base
from settings import CHECKOUT, Settings
from sql.warehouse import Row, Warehouse

# Little history, so that a slow machine is through with it in seconds.
UP = ("up", "--history-hours", "3", "--history-rate", "3", "--rate", "20")


@dataclass
class Stack:
    """The stack's settings, its commands, and its database."""

    settings: Settings

    def run(self, *words: str, seconds: float = 600, expect: int = 0) -> str:
        """Run a command of ``python -m local``; fails when its exit code is another than expected."""
        return self._python(["-m", "local", *words], seconds, expect)

    def generate(self, state: Path, *words: str) -> str:
        """Run the log generator to its end; its inventory is in the folder ``state``."""
        return self._python(["-m", "producers.log_generator", "--state", str(state), *words], 300, 0)

    def report(self, start: str, end: str) -> None:
        """Have Airflow report a range of hours, and wait for it."""
        self.run_dag("hourly_traffic_report", {"start": start, "end": end})

    def run_dag(self, dag_id: str, conf: dict[str, object]) -> None:
        """Trigger a DAG and wait for its run, which must end well."""
        with airflow_client(airflow_url(self.settings), login_file(self.settings)) as airflow:
            run_id = airflow.trigger(dag_id, conf)
            wait_until(
                lambda: airflow.run_state(dag_id, run_id) not in ("queued", "running"), 240, f"{dag_id} has ended"
            )
            assert airflow.run_state(dag_id, run_id) == "success"

    def _python(self, words: list[str], seconds: float, expect: int) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            env=os.environ
            | {"FOOTFALL_HOME": str(self.settings.home), "FOOTFALL_PORT_BASE": str(self.settings.port_base)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ask(self, query: str, **parameters: object) -> list[Row]:
        """Rows of a query, asked as the administrator."""
        warehouse = Warehouse(self.settings.dsn("footfall_admin"), "footfall-test")
        with warehouse, warehouse.transaction() as cursor:
            cursor.execute(query, parameters or None)
            return [dict(row) for row in cursor.fetchall()]

    def one(self, query: str) -> object:
        """The only value of a query."""
        ((value,),) = [row.values() for row in self.ask(query)]
        return value


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds it took until something holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)
    return time.monotonic() - began


@contextmanager
def new_stack(*up: str) -> Iterator[Stack]:
    """A stack of its own, brought up with these words; afterwards nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="footfall-stack-"))
    folder.chmod(0o755)
    stack = Stack(Settings(home=folder / "home", port_base=free_port_base(random.Random())))
    try:
        print(stack.run(*up))
        yield stack
    finally:
        print(stack.run("down"))
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with new_stack(*UP) as stack:
        yield stack

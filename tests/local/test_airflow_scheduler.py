"""What a killed scheduler leaves behind is ended before the next one starts, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from local.airflow_scheduler import end_idle_workers

PRETEND = """
import sys, time, setproctitle
setproctitle.setproctitle(sys.argv[1])
print("ready", flush=True)
time.sleep(60)
"""


def worker(title: str, group: int) -> subprocess.Popen[bytes]:
    """A process that calls itself so; ``group`` 0: leader of a new process group."""
    child = subprocess.Popen([sys.executable, "-c", PRETEND, title], stdout=subprocess.PIPE, process_group=group)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def test_only_idle_workers_of_that_group_are_ended() -> None:
    leader = worker("airflow scheduler", 0)
    idle = worker("airflow worker -- LocalExecutor: <idle>", leader.pid)
    busy = worker("airflow worker -- LocalExecutor: some.task", leader.pid)
    elsewhere = worker("airflow worker -- LocalExecutor: <idle>", 0)
    try:
        assert end_idle_workers(leader.pid) == [idle.pid]
        assert idle.wait(5) == -9
        time.sleep(0.2)
        assert [one.poll() for one in (leader, busy, elsewhere)] == [None, None, None]
    finally:
        for child in (leader, idle, busy, elsewhere):
            child.kill()
            child.wait(5)


def test_it_becomes_the_command_and_notes_its_own_process_id(tmp_path: Path) -> None:
    pid_file = tmp_path / "scheduler.pid"
    show = "import os; print(os.getpid())"
    command = [sys.executable, "-m", "local.airflow_scheduler", str(pid_file), sys.executable, "-c", show]
    for _ in range(2):  # the second time finds the pid of the first, which is gone
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout.strip() == pid_file.read_text(encoding="ascii")

"""The scheduler as the supervisor runs it: it first ends the idle workers of a scheduler that was killed.

Workers of a killed scheduler live on, and with them its database connection, whose open transaction keeps
rows locked: the DAG runs it was looking at would never move again. A worker that runs a task finishes it.

    python -m local.airflow_scheduler PID_FILE AIRFLOW WORD…
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

IDLE_WORKER = "airflow worker -- LocalExecutor: <idle>"


def end_idle_workers(group: int) -> list[int]:
    """Kill the idle workers of a process group; returns their ids. Other processes are left alone."""
    ended = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and " ".join(process.cmdline()).strip() == IDLE_WORKER:
                process.kill()
                ended.append(process.pid)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
    return ended


def main(pid_file: Path, command: list[str]) -> None:
    """End what the scheduler before left, then become the scheduler; does not return."""
    if pid_file.exists():
        end_idle_workers(int(pid_file.read_text(encoding="ascii")))
    pid_file.write_text(str(os.getpid()), encoding="ascii")
    # The supervisor makes each program the leader of a process group, so the id of one is that of the other.
    os.execv(command[0], command)  # noqa: S606 - the command is the supervisor's own configuration


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

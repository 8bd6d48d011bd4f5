"""Which process is ours: a process id alone may belong to somebody else by now.

A process is taken for a launch only when three things agree: its id, its start time, and the launch's
token among the words of its command line. Nothing is signalled otherwise.
"""

from __future__ import annotations

from datetime import UTC, datetime

import psutil

from sql.launches import Launch

# The kernel counts start times in ticks since boot; the wall time of the boot moves when the clock is set.
START_TIME_TOLERANCE_SECONDS = 5.0


def start_time(pid: int) -> datetime:
    """Start time of a process as the kernel has it; raises psutil.NoSuchProcess when it is gone."""
    return datetime.fromtimestamp(psutil.Process(pid).create_time(), UTC)


def find_process(launch: Launch) -> psutil.Process | None:
    """The living process of a launch on this host, or None; a dead one nobody has waited for is not alive."""
    if launch.pid is None or launch.process_started_at is None:
        return None
    try:
        process = psutil.Process(launch.pid)
        drift = abs(process.create_time() - launch.process_started_at.timestamp())
        words = process.cmdline()
        zombie = process.status() == psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    carries_token = any(launch.launch_id in word for word in words)
    return process if carries_token and not zombie and drift <= START_TIME_TOLERANCE_SECONDS else None


def end_process(launch: Launch, patience_seconds: float) -> str:
    """SIGTERM, then SIGKILL after so many seconds; returns what happened, in words."""
    process = find_process(launch)
    if process is None:
        return "was gone"
    # Its children (the JVM, Python workers) lead no life of their own; the driver's end must not orphan them.
    children = process.children(recursive=True)
    process.terminate()
    if _gone(process, patience_seconds):
        words = "ended on SIGTERM"
    else:
        process.kill()
        words = "killed" if _gone(process, 5.0) else "did not even end on SIGKILL"
    for child in children:
        if child.is_running():
            child.kill()
    return words


def _gone(process: psutil.Process, patience_seconds: float) -> bool:
    """Wait for the end; a zombie waits only for its parent."""
    try:
        process.wait(patience_seconds)
    except psutil.TimeoutExpired:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True

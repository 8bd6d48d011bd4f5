"""How much memory a process and its children hold."""

from __future__ import annotations

import psutil

MEASURED_EVERY_SECONDS = 10.0  # the system walks all pages of a process to tell


def memory_bytes(pid: int) -> int:
    """Memory of a process and its children in bytes; shared pages count once (PSS) where the system tells.

    0 for a process that is gone.
    """
    total = 0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            try:
                full = process.memory_full_info()
                total += getattr(full, "pss", 0) or full.rss
            except psutil.NoSuchProcess:
                continue
            except psutil.AccessDenied:
                total += process.memory_info().rss
    except psutil.NoSuchProcess:
        return total
    return total


class MemoryGauge:
    """The memory of one process, measured now and then."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._measured_at = float("-inf")
        self._bytes = 0

    def read(self, now: float) -> int:
        """Bytes, at most MEASURED_EVERY_SECONDS old. now: seconds of a monotonic clock."""
        if now - self._measured_at >= MEASURED_EVERY_SECONDS:
            self._bytes, self._measured_at = memory_bytes(self._pid), now
        return self._bytes

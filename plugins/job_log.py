"""The output files of detached jobs: their names, their last lines, and how they stay small."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

_TAIL_BYTES = 64 * 1024


def log_path(folder: Path, job: str, launch_id: str) -> Path:
    """Where a launch writes its output."""
    return folder / f"{job}-{launch_id}.log"


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log, control characters shown as escapes, since a log line may come from a stranger."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return [f"(no log at {path})"]
    return ["".join(_visible(letter) for letter in line) for line in lines[-count:]] or ["(the log is empty)"]


def expire_logs(folder: Path, jobs: Collection[str], in_use: Collection[Path], before: datetime) -> list[Path]:
    """Delete logs of ended launches last written before a time; returns what was deleted."""
    expired = [
        path
        for job in jobs
        for path in sorted(folder.glob(f"{job}-*.log*"))
        if path not in in_use and path.stat().st_mtime < before.timestamp()
    ]
    for path in expired:
        path.unlink(missing_ok=True)
    return expired


def shorten_log(path: Path, limit_bytes: int) -> bool:
    """Keep the last half of a log that has outgrown its limit, in ``<name>.1``, and start it anew.

    The job appends to the same open file (O_APPEND), so emptying it is safe; lines written in between may be lost.
    """
    if not path.exists() or path.stat().st_size <= limit_bytes:
        return False
    with path.open("rb") as file:
        file.seek(-limit_bytes // 2, os.SEEK_END)
        kept = file.read()
    older = path.with_name(f"{path.name}.1")
    older.touch(mode=0o600)
    older.write_bytes(kept)
    os.truncate(path, 0)
    return True


def _visible(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\t" else repr(letter)[1:-1]

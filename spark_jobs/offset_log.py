"""Which offsets Spark planned for a batch, read from the checkpoint's offset log."""

from __future__ import annotations

import json
from pathlib import Path


class UnknownOffsetLog(Exception):
    """The offset log is not in the format this version of the job was proven with."""


def planned_start(checkpoint: Path, batch_id: int, topic: str) -> dict[int, int]:
    """First offset of each partition in a batch; a partition that is not named begins at 0."""
    if batch_id > 0:
        return planned_until(checkpoint, batch_id - 1, topic)
    # Where the query began; Spark writes a zero byte before the version line.
    path = checkpoint / "sources" / "0" / "0"
    lines = path.read_bytes().lstrip(b"\0").decode("utf-8").splitlines()
    if len(lines) != 2 or lines[0] != "v1":
        raise UnknownOffsetLog(f"{path}: expected version v1, got {lines[:1]}")
    return {int(partition): start for partition, start in json.loads(lines[1]).get(topic, {}).items()}


def planned_until(checkpoint: Path, batch_id: int, topic: str) -> dict[int, int]:
    """End offset (exclusive) of each partition, as Spark wrote it down before it ran the batch.

    The log's format (Spark 4.2): a version line ``v1``, a metadata line, then a line per source.
    """
    path = checkpoint / "offsets" / str(batch_id)
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) != 3 or lines[0] != "v1":
        raise UnknownOffsetLog(f"{path}: expected version v1 and one source, got {lines[:1]}")
    offsets = json.loads(lines[2])
    return {int(partition): int(until) for partition, until in offsets.get(topic, {}).items()}

"""The secret keys of visitor hashes: made when first needed, one file each, forgotten on schedule.

A key is in ``<folder>/<key_id>.key`` (32 random bytes as hex, mode 0600) and never in Postgres; the table
``stream.visitor_key`` holds its name and its times. The file is written before the row and deleted before the
deletion is noted: a key without a row gets one, a row without a file is a key that is gone, and what comes later for
its period is hashed under another name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spark_jobs.visitor_hash import PeriodKeys, PeriodKind, VisitorKey
from sql.warehouse import Warehouse

KEY_BYTES = 32


class VisitorKeys:
    """The keys of one state folder, as the stream job's driver holds them.

    random_bytes: so many unguessable bytes.
    """

    def __init__(
        self, folder: Path, kind: PeriodKind, warehouse: Warehouse, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._folder = folder
        self._kind = kind
        self._warehouse = warehouse
        self._random_bytes = random_bytes
        self._read: dict[str, VisitorKey] = {}  # by key_id
        self._registered: set[str] = set()  # keys whose rows are known to be there

    def current(self) -> PeriodKeys:
        """The keys that may be used: their file is there now, and so is their row.

        A key that was deleted meanwhile is used no longer. One without a row (the database is younger than the
        folder, or an older copy of itself) is as good as missing until ``make`` has seen to it.
        """
        there = {path.stem for path in self._folder.glob("*.key")}
        if not there <= self._registered:
            rows = self._warehouse.rows("stream/visitor_keys")
            self._registered = {row["key_id"] for row in rows if row["deleted_at"] is None}
        return self._usable(there & self._registered)

    def _usable(self, there: set[str]) -> PeriodKeys:
        self._read = {key_id: key for key_id, key in self._read.items() if key_id in there}
        for key_id in sorted(there - self._read.keys()):
            self._read[key_id] = VisitorKey(key_id, _secret(self._folder / f"{key_id}.key"))
        # Two files of one period: the younger key is in use, the older one was given up.
        newest = sorted(self._read.values(), key=lambda key: _numbered(key.key_id))
        return PeriodKeys(self._kind, {_numbered(key.key_id)[0]: key for key in newest})

    def make(self, periods: Iterable[str]) -> None:
        """See to it that each of the periods has a key, in a file and with its row."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        rows = self._warehouse.rows("stream/visitor_keys")
        used = {row["key_id"] for row in rows}
        gone = {row["key_id"] for row in rows if row["deleted_at"] is not None}
        present = self._usable({path.stem for path in self._folder.glob("*.key")}).keys
        for period in sorted(set(periods)):
            key_id = present[period].key_id if period in present else ""
            if not key_id or key_id in gone:
                key_id = next(name for name in _names(period) if name not in used)
                _keep(self._folder / f"{key_id}.key", self._random_bytes(KEY_BYTES).hex())
            start, end = period_bounds(period)
            self._warehouse.run(
                "stream/register_visitor_key", {"key_id": key_id, "period_start": start, "period_end": end}
            )
            self._registered.add(key_id)


def delete_expired_keys(warehouse: Warehouse, folder: Path, as_of: datetime, days: int) -> list[str]:
    """Delete the keys whose period ended, and that were made, more than so many days ago; returns their names."""
    before = as_of - timedelta(days=days)
    expired = [row["key_id"] for row in warehouse.rows("stream/expired_visitor_keys", {"before": before})]
    for key_id in expired:
        (folder / f"{key_id}.key").unlink(missing_ok=True)
        warehouse.run("stream/note_deleted_visitor_key", {"key_id": key_id, "deleted_at": as_of})
    return expired


def period_bounds(period: str) -> tuple[datetime, datetime]:
    """Start and end of a period by its name."""
    year, month, *day = (int(part) for part in period.split("-"))
    start = datetime(year, month, day[0] if day else 1, tzinfo=UTC)
    if day:
        return start, start + timedelta(days=1)
    return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _numbered(key_id: str) -> tuple[str, int]:
    period, _, number = key_id.partition(".")
    return period, int(number or 1)


def _names(period: str) -> Iterable[str]:
    yield period
    number = 2
    while True:
        yield f"{period}.{number}"
        number += 1


def _secret(path: Path) -> bytes:
    secret = bytes.fromhex(path.read_text(encoding="ascii"))
    if len(secret) != KEY_BYTES:
        raise ValueError(f"{path} does not hold {KEY_BYTES} bytes in hex: move it away, and another key is made")
    return secret


def _keep(path: Path, text: str) -> None:
    """Write a file that nobody else may read, whole or not at all; one that is there stays."""
    partial = path.with_suffix(f".{os.getpid()}")
    partial.unlink(missing_ok=True)
    partial.touch(0o600, exist_ok=False)
    with partial.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # another launch was first: its key is as good
    finally:
        partial.unlink()

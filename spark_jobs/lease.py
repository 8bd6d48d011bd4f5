"""The right to write: each launch takes a new epoch, shows that it lives, and reads what is wished of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sql.warehouse import Cursor, Warehouse, rows


class Fenced(Exception):
    """A newer launch holds the lease: this one must not write any more."""


@dataclass(frozen=True)
class Lease:
    """An epoch taken by this launch."""

    epoch: int
    stop_wished: bool


def take_lease(warehouse: Warehouse, owner: str, application_name: str) -> Lease:
    """Fence every older launch and end its sessions."""
    taken = warehouse.row("stream/take_lease", {"owner": owner, "message": "starting"})
    warehouse.row("stream/end_fenced_sessions", {"application_name": application_name})
    return Lease(epoch=taken["epoch"], stop_wished=taken["desired_state"] == "stopped")


def hold_lease(cursor: Cursor, epoch: int) -> None:
    """Lock the lease row until the transaction ends; raises Fenced when it is of another epoch."""
    (lease,) = rows(cursor, "stream/lock_lease")
    if lease["epoch"] != epoch:
        raise Fenced(f"epoch {epoch} is fenced by epoch {lease['epoch']}")


class Heartbeat:
    """Writes the lease row; says whether the job shall go on."""

    def __init__(self, warehouse: Warehouse, epoch: int) -> None:
        self._warehouse = warehouse
        self._epoch = epoch

    def beat(
        self,
        state: str,
        message: str,
        last_batch_at: float = 0.0,
        last_batch_seconds: float | None = None,
        lag_records: int | None = None,
        caught_up_to: float | None = None,
        records_per_second: float | None = None,
        topic_id: str | None = None,
        latest: Mapping[int, int] | None = None,
        memory_bytes: int | None = None,
    ) -> str:
        """What is wished: ``running``, ``stopped``, or ``fenced`` when a newer launch holds the lease.

        latest: offset of the next record of each partition of topic_id, as Kafka just said.
        """
        ends = latest or {}
        found = self._warehouse.rows(
            "stream/heartbeat",
            {
                "epoch": self._epoch,
                "state": state,
                "message": message[:500],
                "last_batch_at": datetime.fromtimestamp(last_batch_at, UTC) if last_batch_at else None,
                "last_batch_seconds": last_batch_seconds,
                "lag_records": lag_records,
                "caught_up_to": datetime.fromtimestamp(caught_up_to, UTC) if caught_up_to else None,
                "records_per_second": records_per_second,
                "topic_id": topic_id if ends else None,
                "partitions": list(ends),
                "end_offsets": list(ends.values()),
                "memory_bytes": memory_bytes,
            },
        )
        return str(found[0]["desired_state"]) if found else "fenced"

    def end(self, state: str, message: str) -> None:
        """Last words."""
        self._warehouse.run("stream/end_lease", {"epoch": self._epoch, "state": state, "message": message[:500]})


class Watchdog:
    """Ends the process when it has shown no life for so long: a stopped Postgres frees no client by itself."""

    def __init__(self, limit_seconds: float, start_seconds: float, on_stalled: Callable[[float], None]) -> None:
        """limit_seconds: how long without a sign; start_seconds: what the start may take on top of it."""
        self._limit = limit_seconds
        self._on_stalled = on_stalled
        self._alive_at = time.monotonic() + start_seconds
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def alive(self) -> None:
        """Something finished, nothing was to do, or the job said what it waits for."""
        self._alive_at = max(self._alive_at, time.monotonic())

    def _watch(self) -> None:
        while True:
            time.sleep(min(1.0, self._limit / 4))
            silent = time.monotonic() - self._alive_at
            if silent > self._limit:
                self._on_stalled(silent)
                os._exit(4)

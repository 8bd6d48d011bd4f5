"""Stops the stream job so that it stays stopped: first by wish, at the end by signal."""

from __future__ import annotations

import time

from plugins.launcher import seems_alive
from plugins.process_identity import end_process
from sql.launches import Launch, end_launch, open_launches, read_lease, wish
from sql.warehouse import Warehouse

_LOOK_EVERY_SECONDS = 0.5


def stop_stream(warehouse: Warehouse, host: str, patience_seconds: float) -> str:
    """Wish it stopped, wait for the end of its batch, SIGTERM (then SIGKILL) when it takes longer.

    Returns what happened, in words. The wish stays until ``stream_control`` says start.
    """
    wish(warehouse, "stopped")
    deadline = time.monotonic() + patience_seconds
    while (living := _living(warehouse, host)) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_SECONDS)
    if not living:
        return "stopped gracefully"
    said = [f"launch {launch.launch_id} {_end(warehouse, launch)}" for launch in living]
    return f"not stopped after {patience_seconds:.0f} s; " + ", ".join(said)


def _living(warehouse: Warehouse, host: str) -> list[Launch]:
    heartbeat_age = read_lease(warehouse).heartbeat_age_seconds
    return [
        launch for launch in open_launches(warehouse, "traffic_stream") if seems_alive(launch, host, heartbeat_age)
    ]


def _end(warehouse: Warehouse, launch: Launch) -> str:
    done = end_process(launch, patience_seconds=4.0)
    end_launch(warehouse, launch, f"stopped: {done}")
    return done

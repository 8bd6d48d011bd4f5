"""Watches the stream job from the triggerer: no slot is held, and the triggerer's death changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from plugins.launcher import seems_alive, this_host
from plugins.stream_health import Health, judge
from plugins.stream_stop import stop_stream
from plugins.watching import (
    LOOK_EVERY_SECONDS,
    STOP_PATIENCE_SECONDS,
    class_path,
    event,
    has_passed,
    watcher,
)
from settings import Settings
from sql.launches import read_launch, read_lease
from sql.warehouse import POSTGRES_AWAY, Warehouse

# After an outage of Postgres the job needs a moment to write its heartbeat again.
GRACE_AFTER_OUTAGE_SECONDS = 30.0


class HeartbeatTrigger(BaseTrigger):
    """Fires ``dead``, ``stalled``, ``fenced``, ``stopped`` as soon as it is so, or ``over`` at the window's end.

    launch_id: the launch that is watched. until: end of the window, ISO 8601.
    stalled_after_seconds: how old the last heartbeat may be.
    """

    def __init__(self, launch_id: str, until: str, stalled_after_seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.launch_id = launch_id
        self.until = until
        self.stalled_after_seconds = stalled_after_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            class_path(type(self)),
            {
                "launch_id": self.launch_id,
                "until": self.until,
                "stalled_after_seconds": self.stalled_after_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        with watcher(Settings()) as warehouse:
            outage_ended: float | None = None
            away = False
            while True:
                try:
                    health = await asyncio.to_thread(self._look, warehouse)
                except POSTGRES_AWAY as error:
                    if not away:
                        self.log.warning("Postgres is away, watching goes on: %s", error)
                    away = True
                else:
                    if away:
                        away, outage_ended = False, time.monotonic()
                    in_grace = (
                        outage_ended is not None and time.monotonic() - outage_ended < GRACE_AFTER_OUTAGE_SECONDS
                    )
                    if health.verdict != "well" and not (health.verdict == "stalled" and in_grace):
                        yield event(health.verdict, health.reason)
                        return
                    if has_passed(self.until):
                        yield event("over", health.reason)
                        return
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def on_kill(self) -> None:
        """Somebody marked or cleared the task: stop means stop."""
        self.log.info("Stopping the stream job, because this task was stopped")
        with watcher(Settings()) as warehouse:
            said = await asyncio.to_thread(stop_stream, warehouse, this_host(), STOP_PATIENCE_SECONDS)
        self.log.info("The stream job: %s. Start it again with stream_control.", said)

    def _look(self, warehouse: Warehouse) -> Health:
        lease = read_lease(warehouse)
        launch = read_launch(warehouse, self.launch_id)
        if launch is None:
            return Health("dead", f"launch {self.launch_id} is not in stream.launch any more")
        alive = seems_alive(launch, this_host(), lease.heartbeat_age_seconds)
        return judge(launch, lease, alive, self.stalled_after_seconds)


class WishTrigger(BaseTrigger):
    """Fires once the stream job's desired state is no longer ``held``, or at a given time.

    held: the wish while which nothing is to do. until: ISO 8601.
    """

    def __init__(self, held: str, until: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held = held
        self.until = until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            class_path(type(self)),
            {"held": self.held, "until": self.until},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        with watcher(Settings()) as warehouse:
            while not has_passed(self.until):
                try:
                    lease = await asyncio.to_thread(read_lease, warehouse)
                except POSTGRES_AWAY as error:
                    self.log.warning("Postgres is away: %s", error)
                else:
                    if lease.desired_state != self.held:
                        yield event("wish changed", lease.desired_state)
                        return
                await asyncio.sleep(LOOK_EVERY_SECONDS)
        yield event("over", "the window is over")

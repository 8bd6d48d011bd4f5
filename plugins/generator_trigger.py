"""Watches a log generator from the triggerer, by its process and by the progress it writes down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from plugins.generator_door import Progress, read_progress
from plugins.launcher import seems_alive, this_host
from plugins.process_identity import end_process
from plugins.watching import LOOK_EVERY_SECONDS, STOP_PATIENCE_SECONDS, class_path, event, watcher
from settings import Settings
from sql.launches import Launch, end_launch, read_launch
from sql.warehouse import POSTGRES_AWAY

STALLED_AFTER_SECONDS = 120.0


class GeneratorTrigger(BaseTrigger):
    """Fires ``ended`` when the process is gone, ``stalled`` when it has written no progress for two minutes.

    launch_id: its launch. state: its folder. With ``until_history_sent`` it fires as soon as the history phase
    is over, and killing the task leaves the generator alone.
    """

    def __init__(self, launch_id: str, state: str, until_history_sent: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.launch_id = launch_id
        self.state = state
        self.until_history_sent = until_history_sent

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            class_path(type(self)),
            {"launch_id": self.launch_id, "state": self.state, "until_history_sent": self.until_history_sent},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        launch: Launch | None = None
        while True:
            if launch is None or launch.pid is None:
                launch = await asyncio.to_thread(self._launch)
            if launch is not None:
                verdict = await asyncio.to_thread(self._look, launch)
                if verdict is not None:
                    yield event(verdict)
                    return
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def on_kill(self) -> None:
        """Somebody marked or cleared the watching task: stop means stop."""
        if not self.until_history_sent:
            said = await asyncio.to_thread(stop_generator, self.launch_id)
            self.log.info("The generator was stopped, because this task was: it %s", said)

    def _launch(self) -> Launch | None:
        try:
            with watcher(Settings()) as warehouse:
                return read_launch(warehouse, self.launch_id)
        except POSTGRES_AWAY as error:
            self.log.warning("Postgres is away: %s", error)
            return None

    def _look(self, launch: Launch) -> str | None:
        progress = read_progress(Path(self.state))
        if self.until_history_sent and progress is not None and progress.phase not in ("history", "failed"):
            return "history sent"
        if not seems_alive(launch, this_host()):
            return "ended"
        return "stalled" if silent_seconds(progress, launch) > STALLED_AFTER_SECONDS else None


def silent_seconds(progress: Progress | None, launch: Launch) -> float:
    """Seconds since the last progress, or since the process started when it has not said anything."""
    if launch.process_started_at is None:
        return 0.0
    since = launch.process_started_at
    if progress is not None:
        since = max(since, progress.updated_at)
    return (datetime.now(UTC) - since).total_seconds()


def stop_generator(launch_id: str) -> str:
    """SIGTERM by verified identity: the generator flushes, writes its files and ends. Says what happened."""
    with watcher(Settings()) as warehouse:
        launch = read_launch(warehouse, launch_id)
        if launch is None:
            return "was never launched"
        said = end_process(launch, STOP_PATIENCE_SECONDS)
        end_launch(warehouse, launch, f"stopped: {said}")
        return said

"""The asset watcher's trigger: an asset event as soon as an incident opens, ends or dissolves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from plugins.watching import LOOK_EVERY_SECONDS, class_path
from settings import Settings
from sql.warehouse import POSTGRES_AWAY, Warehouse


def alert_warehouse(settings: Settings) -> Warehouse:
    """The connection of those who tell of incidents."""
    return Warehouse(settings.dsn("footfall_reporter"), "footfall-airflow-alerts", statement_timeout_s=15.0)


class AnomalyTrigger(BaseEventTrigger):
    """Fires once for each set of changes that no run has taken on yet; never ends.

    After a restart of the triggerer it fires again for what is still not taken on: a run that then finds nothing to
    do is harmless, an event that got lost would not be.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (class_path(type(self)), {})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        told: set[tuple[int, str]] = set()
        with alert_warehouse(Settings()) as warehouse:
            while True:
                try:
                    found = await asyncio.to_thread(warehouse.rows, "trends/unsent_alerts", {"run_id": ""})
                except POSTGRES_AWAY as error:
                    self.log.warning("Postgres is away, watching goes on: %s", error)
                else:
                    changes = {(int(row["anomaly_id"]), str(row["state"])) for row in found}
                    if changes - told:
                        payload = [{"anomaly_id": number, "state": state} for number, state in sorted(changes - told)]
                        yield TriggerEvent(payload)  # type: ignore[no-untyped-call]
                    told = changes
                await asyncio.sleep(LOOK_EVERY_SECONDS)

"""What all watchers of detached jobs share: their connection, their rhythm, and patience with Postgres."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.triggers.base import TriggerEvent

from settings import Settings
from sql.warehouse import Warehouse

LOOK_EVERY_SECONDS = 2.0
# Airflow gives on_kill 30 s; SIGTERM and SIGKILL need their part of it.
STOP_PATIENCE_SECONDS = 15.0


def watcher(settings: Settings) -> Warehouse:
    """The connection of those who watch and steer; its name is not one of the stream job's."""
    return Warehouse(settings.dsn("footfall_writer"), "footfall-airflow-watch", statement_timeout_s=15.0)


def has_passed(moment: str) -> bool:
    """Whether an ISO 8601 time lies behind us."""
    return datetime.now(UTC) >= datetime.fromisoformat(moment)


def class_path(watcher_class: type) -> str:
    """How the triggerer imports a trigger."""
    return f"{watcher_class.__module__}.{watcher_class.__qualname__}"


def event(verdict: str, reason: str = "") -> TriggerEvent:
    """What a trigger hands to its operator."""
    return TriggerEvent({"verdict": verdict, "reason": reason})  # type: ignore[no-untyped-call]

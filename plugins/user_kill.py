"""Was a task stopped by a person, or is its scheduler only being shut down? Both send SIGTERM."""

from __future__ import annotations

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowRuntimeError


def killed_by_user(context: Context) -> bool:
    """True when Airflow no longer holds the task for running: somebody marked or cleared it."""
    instance = context["ti"]
    try:
        states = instance.get_task_states(
            dag_id=instance.dag_id, task_ids=[instance.task_id], run_ids=[instance.run_id]
        )
    except (AirflowRuntimeError, OSError):
        return False  # Airflow itself is going down
    return any(state != "running" for run in states.values() for state in run.values())

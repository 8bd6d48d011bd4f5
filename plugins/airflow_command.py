"""Airflow's own command line, for what a task may not do through Airflow's API."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Mapping

from airflow.sdk.exceptions import AirflowFailException

log = logging.getLogger(__name__)

# A task process finds these set to an address that does not exist, so that its code cannot touch the metadata.
_BLOCKED = ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__SQL_ALCHEMY_CONN")
_OF_THE_TASK = "_AIRFLOW"


def command_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """A task's environment as Airflow's commands need it: they read airflow.cfg."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _BLOCKED and not name.startswith(_OF_THE_TASK)
    }


def run_airflow(*words: str, timeout_seconds: float = 600.0) -> None:
    """Run ``airflow <words>`` and log what it says; AirflowFailException when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        env=command_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    for line in (done.stdout + done.stderr).splitlines()[-50:]:
        log.info("airflow %s | %s", words[0], line)
    if done.returncode != 0:
        raise AirflowFailException(f"airflow {' '.join(words)} ended with {done.returncode}: see its lines above")

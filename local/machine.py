"""What the machine must offer before anything starts: free ports and room on the disk."""

from __future__ import annotations

import random

from local.ports import free_port_base, taken
from local.state_folder import free_bytes
from local.steps import StepFailed
from settings import Settings

LEAST_FREE_BYTES = 2 * 1024**3


def check_disk(settings: Settings) -> str:
    """Free space in words; StepFailed when it is too little to run on."""
    free = free_bytes(settings.home)
    if free < LEAST_FREE_BYTES:
        raise StepFailed(
            f"the disk of {settings.home} is nearly full: {free / 1024**2:.0f} MB free, 2 GB needed",
            "free some space, or set FOOTFALL_HOME to a folder on another disk",
        )
    return f"{free / 1024**3:.0f} GB free"


def check_ports(settings: Settings) -> None:
    """StepFailed when somebody listens on a port that the stack needs."""
    needed = [settings.airflow_port]
    if settings.embedded_postgres:
        needed.append(settings.postgres_port)
    if settings.embedded_kafka:
        needed += [settings.kafka_port, settings.kafka_controller_port]
    in_the_way = taken(needed)
    if in_the_way:
        other = free_port_base(random.Random())  # noqa: S311
        raise StepFailed(
            "; ".join(f"port {port} is in use by {holder}" for port, holder in in_the_way.items()),
            f"end that process, or choose other ports: FOOTFALL_PORT_BASE={other} make up "
            "(.env keeps it for the next time)",
        )

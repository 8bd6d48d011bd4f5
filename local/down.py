"""``make down``: ends producers, then the stream, then the services; and ``make clean``: deletes the state."""

from __future__ import annotations

from collections.abc import Mapping

from local.airflow import PROGRAMS as AIRFLOW_PROGRAMS
from local.airflow import airflow_url, login_file
from local.airflow_client import airflow_client
from local.foreground import postgres_answers
from local.state_folder import delete
from local.steps import Steps
from local.supervision import WATCH, socket_path
from local.supervisor_client import SupervisorClient
from local.traffic import GeneratorMemory, remember_generators, stop_generators, stop_stream_job
from settings import Settings


def is_up(settings: Settings) -> bool:
    """Whether the stack's supervisor runs."""
    return SupervisorClient(socket_path(settings.home)).is_up()


def bring_down(settings: Settings, surroundings: Mapping[str, str], steps: Steps) -> None:
    """Stop everything so that nothing is lost; what ran goes on with the next start."""
    supervisor = SupervisorClient(socket_path(settings.home))
    if postgres_answers(settings):
        with steps.step("Log generator: last records acknowledged") as notes:
            with airflow_client(airflow_url(settings), login_file(settings)) as airflow:
                remember_generators(airflow, GeneratorMemory(settings.home), settings)
            notes.append(stop_generators(settings))
        with steps.step("Stream job: last batch committed") as notes:
            notes.append(stop_stream_job(settings))
    if not supervisor.is_up():
        return
    for title, names in (
        ("Airflow", [*AIRFLOW_PROGRAMS, WATCH]),
        ("Kafka", ["kafka"] if settings.embedded_kafka else []),
        ("Postgres", ["postgres"] if settings.embedded_postgres else []),
    ):
        if names:
            with steps.step(title):
                supervisor.stop(names)
    with steps.step("Supervisor"):
        supervisor.shutdown()


def delete_state(settings: Settings, steps: Steps) -> None:
    """Delete the state folder of a stack that is down."""
    with steps.step(f"Delete {settings.home}"):
        delete(settings.home)

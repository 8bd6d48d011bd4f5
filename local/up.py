"""``make up``: from whatever is there to a running, counting stack; harmless over a running one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape

from local.airflow import airflow_url, login_file
from local.airflow_client import AirflowClient, airflow_client
from local.environment import stack_environment
from local.jars import default_cache, provide_jars
from local.java import find_java
from local.machine import check_disk, check_ports
from local.secrets import make_secrets
from local.services import Services
from local.state_folder import prepare
from local.steps import StepFailed, Steps
from local.traffic import STREAM, GeneratorMemory, first_totals, start_generator, start_stream
from settings import CHECKOUT, Settings
from sql.stream_status import read_stream_status
from sql.warehouse import Row, Warehouse

DAGS_PATIENCE_SECONDS = 90.0
TOTALS_PATIENCE_SECONDS = 120.0


def bring_up(
    settings: Settings, surroundings: Mapping[str, str], steps: Steps, generator: Mapping[str, Any] | None
) -> None:
    """Every step of the start. ``generator``: parameters of its first run; None leaves the generator alone."""
    with steps.step("Machine: Java, disk, ports") as notes:
        java = find_java(surroundings.get("JAVA_HOME"))
        notes.append(check_disk(settings))
        account = prepare(settings.home)
        services = Services(settings, account, java, stack_environment(settings, surroundings))
        if not services.supervisor.is_up():
            check_ports(settings)
    with steps.step("Secrets"):
        make_secrets(settings)
    with steps.step("Jars of the broker and of Spark's Kafka source") as notes:
        notes.append(f"{provide_jars(settings.home, default_cache(), java) or 'none'} downloaded")
    with steps.step("Supervisor"):
        services.start_supervisor()
        services.start_kafka()
    with steps.step("Postgres") as notes:
        notes.append("started" if services.start_postgres() else "was running")
    with steps.step("Migrations") as notes:
        notes.append(f"{len(services.migrate()) or 'none'} applied")
    start_stream(settings)
    with steps.step("Airflow: database") as notes:
        notes.append("migrated" if services.migrate_airflow() else "is up to date")
        started = services.start_airflow()
    with steps.step("Kafka: broker, topic, access rights") as notes:
        notes.append(f"{settings.topic} {'created' if services.await_kafka() else 'was there'}")
    with steps.step("Airflow: api-server, scheduler, dag-processor, triggerer") as notes:
        services.await_airflow()
        notes.append("started" if started else "were running")
    with airflow_client(airflow_url(settings), login_file(settings)) as airflow:
        with steps.step("DAGs") as notes:
            notes.extend(_await_dags(airflow, settings))
        if generator is not None:
            with steps.step("Log generator") as notes:
                memory = GeneratorMemory(settings.home)
                notes.append(start_generator(airflow, memory, generator, airflow_was_up=not started))
    with steps.step("First counted hits") as notes:
        totals = first_totals(settings, TOTALS_PATIENCE_SECONDS if generator is not None else 0)
        if generator is not None and not totals:
            raise _nothing_counted(settings)
        notes.append(f"{sum(site['hits'] for site in totals):,}")
    _welcome(settings, steps, totals)


def _nothing_counted(settings: Settings) -> StepFailed:
    with Warehouse(settings.dsn("footfall_reader"), "footfall-stack") as warehouse:
        stream = read_stream_status(warehouse)
    logs = sorted(settings.logs.glob(f"{STREAM}-*.log"), key=lambda log: log.stat().st_mtime)
    return StepFailed(
        f"nothing was counted within {TOTALS_PATIENCE_SECONDS:.0f} s; "
        f"the stream job is {stream.state}: {stream.message}",
        "everything is started; make status shows how it goes on, the DAG traffic_stream what was tried",
        logs[-1] if logs else None,
    )


def _await_dags(airflow: AirflowClient, settings: Settings) -> list[str]:
    """Wait until Airflow knows every file in dags/; the stream's DAG must not be paused."""
    wanted = {path.stem for path in (CHECKOUT / "dags").glob("*.py")}
    deadline = time.monotonic() + DAGS_PATIENCE_SECONDS
    while missing := wanted - (known := airflow.dags()).keys():
        if errors := airflow.import_errors():
            raise StepFailed(f"a DAG file cannot be imported: {errors[0]}", "mend it; make up again")
        if time.monotonic() > deadline:
            raise StepFailed(
                f"Airflow has not found these DAGs: {', '.join(sorted(missing))}",
                "look into the log below; then make up again",
                settings.logs / "airflow-dags.log",
            )
        time.sleep(0.5)
    if known.get(STREAM):
        airflow.unpause(STREAM)
    paused = sorted(dag_id for dag_id, is_paused in known.items() if is_paused and dag_id != STREAM)
    return [f"{len(known)} found", *([f"paused by you: {', '.join(paused)}"] if paused else [])]


def _welcome(settings: Settings, steps: Steps, totals: list[Row]) -> None:
    say = steps.console.print
    say()
    say(f"[bold green]Footfall is up[/] after {steps.seconds():.0f} s.", highlight=False)
    say(f"  Airflow   {airflow_url(settings)}", highlight=False)
    say(f"  Login     user and password are in {escape(_short(login_file(settings)))}", highlight=False)
    for site in totals:
        say(
            f"  Counted   {escape(site['site'])}: {site['hits']:,} hits, {site['bytes_sent']:,} bytes",
            highlight=False,
        )
    say()
    say("Three things to try:", highlight=False)
    say("  make status", highlight=False)
    say('  make sql Q="select * from report.live_page order by hits desc limit 10"', highlight=False, markup=False)
    say("  make import FILE=/var/log/nginx/access.log SITE=mine", highlight=False)


def _short(path: Path) -> str:
    return str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else str(path)

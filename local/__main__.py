"""The stack's command line: ``footfall up|down|status|clean|import|audit|sql|psql|evidence`` (``make`` calls it)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from local.airflow import AirflowFailed
from local.airflow_client import AirflowUnreachable
from local.audit import audit_reports, default_period, door_environment
from local.down import bring_down, delete_state, is_up
from local.environment import forget_libpq_settings
from local.evidence import show_evidence
from local.import_log import import_logs
from local.jars import JarsRefused
from local.java import JavaMissing
from local.kafka import KafkaFailed
from local.kafka_topics import KafkaError
from local.postgres import PostgresFailed
from local.postgres_binaries import programs
from local.service_account import ServiceAccountMissing, service_account
from local.state_folder import StateFolderUnusable
from local.status import show_status
from local.steps import StepFailed, Steps
from local.supervisor_client import SupervisorFailed
from local.up import bring_up
from settings import Settings
from sql.warehouse import POSTGRES_AWAY, DatabaseError, Warehouse, WarehouseRefused

EXPECTED = (
    AirflowFailed,
    AirflowUnreachable,
    JarsRefused,
    JavaMissing,
    KafkaError,
    KafkaFailed,
    PostgresFailed,
    ServiceAccountMissing,
    StateFolderUnusable,
    SupervisorFailed,
    WarehouseRefused,
    *POSTGRES_AWAY,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Footfall on this machine: Kafka, Spark, Postgres and Airflow under one supervisor. "
    "State folder: FOOTFALL_HOME; first of four ports: FOOTFALL_PORT_BASE.",
)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


@contextmanager
def _explained() -> Iterator[Steps]:
    """Steps on the screen; what goes wrong becomes one clear message and exit code 1."""
    steps = Steps(console, errors)
    try:
        yield steps
    except StepFailed as failure:
        steps.explain(failure)
        raise typer.Exit(1) from None
    except (*EXPECTED, DatabaseError) as failure:
        steps.explain(StepFailed(str(failure).strip() or type(failure).__name__))
        raise typer.Exit(1) from None
    except subprocess.TimeoutExpired as failure:
        steps.explain(_about_the_patience(failure))
        raise typer.Exit(1) from None
    except ValidationError as failure:
        if failure.title != Settings.__name__:
            raise
        steps.explain(_about_the_settings(failure))
        raise typer.Exit(1) from None
    except OSError as failure:
        steps.explain(_about_the_machine(failure))
        raise typer.Exit(1) from None


def _about_the_machine(failure: OSError) -> StepFailed:
    where = f" at {failure.filename}" if failure.filename else ""
    if failure.errno == errno.ENOSPC:
        return StepFailed(f"the disk is full{where}", "free some space, or set FOOTFALL_HOME to another disk")
    if failure.errno in (errno.EACCES, errno.EPERM):
        return StepFailed(
            f"no permission{where}", "give the folder to yourself (chown), or set FOOTFALL_HOME to one of your own"
        )
    return StepFailed(f"{failure.strerror or failure}{where}")


def _about_the_patience(failure: subprocess.TimeoutExpired) -> StepFailed:
    program = failure.cmd if isinstance(failure.cmd, str) else str(failure.cmd[0])
    return StepFailed(f"{Path(program).name} did not end within {failure.timeout:.0f} s", "try again")


def _about_the_settings(failure: ValidationError) -> StepFailed:
    wrong = [f"FOOTFALL_{str(error['loc'][0]).upper()}: {error['msg']}" for error in failure.errors() if error["loc"]]
    return StepFailed(
        "; ".join(wrong) or str(failure), "correct it in the environment or in .env; see docs/settings.md"
    )


@app.callback()
def _door() -> None:
    forget_libpq_settings(os.environ)


@app.command()
def up(
    history_hours: Annotated[int, typer.Option(help="Hours of generated history at the very first start.")] = 48,
    history_rate: Annotated[float, typer.Option(help="Mean events per second of that history.")] = 5,
    rate: Annotated[float, typer.Option(help="Live events per second.")] = 50,
    generator: Annotated[bool, typer.Option(help="Let Airflow start the log generator.")] = True,
) -> None:
    """Start what does not run yet, and wait until traffic is counted. Harmless when all runs."""
    first = {"history_hours": history_hours, "history_rate": history_rate, "rate": rate}
    with _explained() as steps:
        bring_up(Settings(), os.environ, steps, first if generator else None)


@app.command()
def down() -> None:
    """Stop gracefully: nothing is lost, and the next start goes on from there."""
    with _explained() as steps:
        settings = Settings()
        if not is_up(settings):
            console.print("The stack is down already.")
            return
        bring_down(settings, os.environ, steps)


@app.command()
def status() -> None:
    """One screen: processes, lag, last batch, events per second, hours, seals. Exit code 1: something is not well."""
    with _explained():
        trouble = show_status(Settings(), console)
    for words in trouble:
        console.print(f"[red]not well[/]     {escape(words)}")
    if trouble:
        raise typer.Exit(1)
    console.print("[green]all well[/]")


@app.command()
def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
) -> None:
    """Delete the state folder: all counts, reports, passwords, and logs. The stack must be down."""
    with _explained() as steps:
        settings = Settings()
        if not settings.home.exists():
            console.print(f"There is nothing at {settings.home}.")
            return
        if is_up(settings):
            raise StepFailed("the stack is running", "make down, then make clean")
        question = f"Delete {settings.home} with everything that was counted in it?"
        if not yes and not (sys.stdin.isatty() and typer.confirm(question)):
            raise StepFailed("nothing was deleted", "YES=1 make clean answers the question")
        delete_state(settings, steps)


@app.command("import")
def import_(
    paths: Annotated[list[str], typer.Argument(help="Logs: files (plain, .gz, .bz2, .xz), folders, or - for stdin.")],
    site: Annotated[str, typer.Option(help="The web site these logs belong to.")] = "default",
    log_format: Annotated[
        str, typer.Option("--format", help="auto, combined, common, json, or an Apache LogFormat string.")
    ] = "auto",
) -> None:
    """Ship real logs, wait until each line is counted or listed as rejected, have their hours reported and sealed.

    Importing a log again, renamed, compressed or longer, adds only its new lines.
    """
    with _explained():
        import_logs(Settings(), paths, site, log_format, console)


@app.command()
def audit(
    start: Annotated[str, typer.Option(help="First hour (RFC 3339, UTC); default: 48 hours ago.")] = "",
    end: Annotated[str, typer.Option(help="End of the period, not included; default: this hour.")] = "",
) -> None:
    """Read the records of reported hours from Kafka again, compute every figure another way, compare cell by cell.

    Exit code 0: every cell compared agrees, 1: cells differ, 3: no hour could be checked, 4: it could not run.
    """
    with _explained():
        settings, now = Settings(), datetime.now(UTC)
        first, until = default_period(now, start, end)
        label = f"make audit {now.isoformat(timespec='microseconds')}"
        code = audit_reports(settings, first, until, label, door_environment(settings), console)
    if code:
        raise typer.Exit(code)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT, for example: select * from report.live_total")],
) -> None:
    """Print the result of a query as CSV, asked as the role that may only read."""
    with _explained():
        try:
            with Warehouse(Settings().dsn("footfall_reader"), "footfall-sql", statement_timeout_s=30.0) as warehouse:
                warehouse.query_csv(query, sys.stdout)
        except DatabaseError as error:
            raise StepFailed(
                str(error).strip(), "one SELECT over report.* and quality.*; make psql, then \\dv report.* lists them"
            ) from None


@app.command()
def evidence(
    site: Annotated[str, typer.Option(help="The web site.")],
    hour: Annotated[str, typer.Option(help="Start of the hour, UTC: 2026-11-25T10.")],
    path: Annotated[str, typer.Option(help="Only this page, as the reports show it: /products.")] = "",
    status: Annotated[str, typer.Option(help="Only this status or class: 404, or 4xx.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Most lines to show; all are counted.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Show the log lines behind a number of a report, as long as Kafka keeps them (48 hours).

    A report's cell says how many; this says which: it reads from Kafka the offsets that were counted into the hour
    and picks the lines of the site, page and status. Each comes with its partition and offset. Addresses are shown
    by network only, query strings by their campaign, user agents by family.
    """
    with _explained():
        show_evidence(Settings(), site, hour, path, status, limit, json, console)


@app.command()
def psql() -> None:
    """Open psql as the role that may only read."""
    with _explained():
        settings = Settings()
        program = programs(settings.home, service_account()) / "psql"
    os.execv(program, [str(program), settings.dsn("footfall_reader")])  # noqa: S606


if __name__ == "__main__":
    app()

"""What an audit of a generated month costs, that it finds nothing, and that it finds the one cell altered by hand.

    python -m benchmarks.audit --events 5000000

Starts a Postgres and a broker of its own, has the log generator fill the topic with a month of history, the stream
job count it and the reports published. Then it audits the month twice: as it is, and with one cell altered.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from local.audit import show_audit
from local.foreground import running_kafka, running_postgres
from local.jars import default_cache
from local.java import find_java
from local.kafka_topics import ensure_topic
from local.ports import free_port_base
from settings import CHECKOUT, Settings
from sql.audit_reading import AuditReport, read_audit
from sql.daily_reports import publish_days, publish_visits
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse

START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
HOURS = (END - START).total_seconds() / 3600
LATER = datetime(2026, 10, 3, tzinfo=UTC)
ALTERED = """
    UPDATE report.hourly_page SET hits = hits + 1
    WHERE (site, hour_start, revision, path) = (
        SELECT site, hour_start, revision, path FROM report.hourly_page ORDER BY hits DESC, hour_start, path LIMIT 1
    )
    RETURNING site, hour_start, path, hits
"""
out = Console()


def run(settings: Settings, module: str, *options: str) -> tuple[float, float, float, int]:
    """Run one of our programs; its seconds, CPU-seconds, peak memory in GiB, and exit code."""
    given = {"FOOTFALL_HOME": str(settings.home), "FOOTFALL_PORT_BASE": str(settings.port_base)}
    given["FOOTFALL_SPARK_DRIVER_MEMORY"] = "2g"
    began = time.monotonic()
    cpu: dict[int, float] = {}
    peak = 0
    with (settings.logs / "bench.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *options], env=os.environ | given, cwd=CHECKOUT, stdout=log, stderr=log
        )
        root = psutil.Process(process.pid)
        while process.poll() is None:
            memory = 0
            try:
                for one in [root, *root.children(recursive=True)]:
                    times = one.cpu_times()
                    cpu[one.pid] = times.user + times.system
                    memory += one.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
            peak = max(peak, memory)
            time.sleep(0.5)
    return time.monotonic() - began, sum(cpu.values()), peak / 2**30, process.returncode


def must_end_well(name: str, figures: tuple[float, float, float, int], settings: Settings) -> None:
    seconds, cpu, peak, code = figures
    out.print(f"{name}: {seconds:.0f} s, {cpu:.0f} CPU-s, {peak:.1f} GiB, exit code {code}")
    if code:
        out.print((settings.logs / "bench.log").read_text(encoding="utf-8", errors="replace")[-4000:], markup=False)
        raise SystemExit(f"{name} failed")


def prepare(settings: Settings, events: int, seed: int, visitors: int) -> None:
    """Fill the topic with the month, count it, publish its reports."""
    rate = events / (HOURS * 3600)
    figures = run(
        settings,
        "producers.log_generator",
        *("--seed", str(seed), "--start", END.isoformat(), "--history-hours", str(HOURS)),
        *("--history-rate", str(rate), "--rate", "0", "--minutes", "0", "--visitors", str(visitors)),
    )
    must_end_well("generator", figures, settings)
    must_end_well("stream job", run(settings, "spark_jobs.traffic_stream", "--until-caught-up"), settings)
    began = time.monotonic()
    with Warehouse(settings.dsn("footfall_reporter"), "bench", statement_timeout_s=1800.0) as warehouse:
        hours = publish_hours(warehouse, LATER)
        days = publish_days(warehouse, LATER)
        visits = publish_visits(warehouse, LATER)
    out.print(f"published {len(hours)} hours, {len(days)} days, {len(visits)} days of visits: ", end="")
    out.print(f"{time.monotonic() - began:.0f} s")


def audited(settings: Settings, label: str) -> tuple[AuditReport, tuple[float, float, float, int]]:
    """Audit the month, and show what came of it."""
    period = ("--start", START.isoformat(), "--end", END.isoformat(), "--label", label)
    figures = run(settings, "spark_jobs.audit", *period)
    said = (settings.logs / "bench.log").read_text(encoding="utf-8", errors="replace").splitlines()
    steps = [line for line in said if "footfall.audit" in line]
    out.print("\n".join(steps[-20:]), markup=False)
    if figures[3] not in (0, 1):
        must_end_well("audit", figures, settings)
    with Warehouse(settings.dsn("footfall_reader"), "bench") as warehouse:
        report = read_audit(warehouse, label)
    show_audit(report, out)
    return report, figures


def alter_one_cell(settings: Settings) -> dict[str, object]:
    """Add a hit to the busiest page's busiest hour; returns which cell that is."""
    with Warehouse(settings.dsn("footfall_admin"), "bench") as warehouse, warehouse.transaction() as cursor:
        cursor.execute(ALTERED)
        return dict(cursor.fetchall()[0])


def main(
    events: Annotated[int, typer.Option(min=1000, help="How many events the month has.")] = 5_000_000,
    visitors: Annotated[int, typer.Option(min=1000, help="People there are.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Seed of the events.")] = 1,
) -> None:
    """Generate, count and publish a month, audit it, alter one cell, audit it again."""
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    folder.chmod(0o755)
    settings = Settings(home=folder / "home", port_base=free_port_base(random.Random()))
    try:
        with (
            running_postgres(settings),
            running_kafka(settings, find_java(os.environ.get("JAVA_HOME")), default_cache()),
        ):
            ensure_topic(settings.kafka_python_options("footfall_admin"), settings.topic)
            prepare(settings, events, seed, visitors)
            report, (seconds, cpu, peak, _) = audited(settings, "as it is")
            altered = alter_one_cell(settings)
            again, _ = audited(settings, "altered")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = [(one.site, one.hour_start, one.key, one.figure) for one in again.differences]
    exactly = again.cells_differing == 1 and found == [
        (altered["site"], altered["hour_start"], altered["path"], "hits")
    ]
    table = Table(title=f"{report.records_read:,} records")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("seconds", f"{seconds:.0f}")
    table.add_row("CPU-seconds", f"{cpu:.0f}")
    table.add_row("CPU-s per million records", f"{cpu / max(report.records_read, 1) * 1e6:.1f}")
    table.add_row("peak memory (PSS)", f"{peak:.2f} GiB")
    table.add_row("cells compared, that differ", f"{report.cells_compared:,}, {report.cells_differing:,}")
    table.add_row("finds exactly the altered cell", "yes" if exactly else f"no: {found}")
    out.print(table)
    raise typer.Exit(0 if report.status == "equal" and exactly else 1)


if __name__ == "__main__":
    typer.run(main)

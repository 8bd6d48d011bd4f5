"""What an audit of a generated month costs, that it finds nothing, and that it finds the one cell altered by hand.

    python -m benchmarks.audit --events 5000000
    python -m benchmarks.audit --home /var/tmp/month     # keeps what it made, and goes on where it stopped

Starts a Postgres and a broker of its own, has the log generator fill the topic with a month of history, the stream
job count it and the reports published, and holds these against the generator's inventory. Then it audits the month
twice: as it is, and with one cell altered.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.inventory_match import match
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
    UPDATE report.hourly_page SET hits = hits + %(by)s
    WHERE (site, hour_start, revision, path) = (
        SELECT site, hour_start, revision, path FROM report.hourly_page ORDER BY hits DESC, hour_start, path LIMIT 1
    )
    RETURNING site, hour_start, path, hits
"""
PHASE = re.compile(r"(?P<ended>\S+ \S+) INFO footfall\.audit (?P<name>[^:]+): (?P<seconds>[\d.]+) s$")
out = Console()


@dataclass
class Cost:
    """What a program took: CPU-seconds of its processes, their peak memory (PSS) in GiB, its exit code."""

    seconds: float = 0.0
    peak_gib: float = 0.0
    code: int = 0
    used: list[tuple[datetime, float]] = field(default_factory=list)  # moments, and CPU-seconds until then

    @property
    def cpu_s(self) -> float:
        return self.used[-1][1] if self.used else 0.0

    def cpu_s_until(self, moment: datetime) -> float:
        return max((cpu for at, cpu in self.used if at <= moment), default=0.0)


def run(settings: Settings, module: str, *options: str) -> Cost:
    """Run one of our programs."""
    given = {"FOOTFALL_HOME": str(settings.home), "FOOTFALL_PORT_BASE": str(settings.port_base)}
    given["FOOTFALL_SPARK_DRIVER_MEMORY"] = "2g"
    began = time.monotonic()
    cost = Cost()
    cpu: dict[int, float] = {}
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
            cost.peak_gib = max(cost.peak_gib, memory / 2**30)
            cost.used.append((datetime.now(UTC), sum(cpu.values())))
            time.sleep(0.5)
    cost.seconds, cost.code = time.monotonic() - began, process.returncode
    return cost


def must_end_well(name: str, cost: Cost, settings: Settings) -> None:
    words = f"{cost.seconds:.0f} s, {cost.cpu_s:.0f} CPU-s, {cost.peak_gib:.1f} GiB, exit code {cost.code}"
    out.print(f"{name}: {words}")
    if cost.code:
        out.print((settings.logs / "bench.log").read_text(encoding="utf-8", errors="replace")[-4000:], markup=False)
        raise SystemExit(f"{name} failed")


def show_phases(said: list[str], cost: Cost) -> None:
    """The audit's phases as its log tells them, with the CPU-seconds of each."""
    table = Table("phase", "seconds", "CPU-seconds", title="where the time goes")
    for line in said:
        found = PHASE.match(line)
        if found:
            ended = datetime.fromisoformat(found["ended"].replace(",", ".")).astimezone(UTC)
            took = float(found["seconds"])
            used = cost.cpu_s_until(ended) - cost.cpu_s_until(ended - timedelta(seconds=took))
            table.add_row(found["name"], f"{took:.1f}", f"{used:.1f}")
    out.print(table)


def generate(settings: Settings, events: int, seed: int, visitors: int) -> None:
    """Fill the topic with the month."""
    rate = events / (HOURS * 3600)
    cost = run(
        settings,
        "producers.log_generator",
        *("--seed", str(seed), "--start", END.isoformat(), "--history-hours", str(HOURS)),
        *("--history-rate", str(rate), "--rate", "0", "--minutes", "0", "--visitors", str(visitors)),
    )
    must_end_well("generator", cost, settings)


def count(settings: Settings) -> None:
    """Have the stream job count all there is."""
    must_end_well("stream job", run(settings, "spark_jobs.traffic_stream", "--until-caught-up"), settings)


def publish(settings: Settings) -> None:
    """Publish the reports of all hours and days."""
    began = time.monotonic()
    with Warehouse(settings.dsn("footfall_reporter"), "bench", statement_timeout_s=1800.0) as warehouse:
        hours = publish_hours(warehouse, LATER)
        days = publish_days(warehouse, LATER)
        visits = publish_visits(warehouse, LATER)
    out.print(f"published {len(hours)} hours, {len(days)} days, {len(visits)} days of visits: ", end="")
    out.print(f"{time.monotonic() - began:.0f} s")


def agrees_with_inventory(settings: Settings) -> bool:
    """Hold the reports against the generator's inventory, and show what came of it."""
    inventory = json.loads((settings.home / "generator" / "inventory.json").read_bytes())
    with Warehouse(settings.dsn("footfall_reader"), "bench", statement_timeout_s=600.0) as warehouse:
        matched, estimates = match(warehouse, inventory)
    cells = Table("figures", "cells", "wrong", title="reports against the inventory")
    for name, one in matched.items():
        cells.add_row(name, f"{one.cells:,}", f"{one.wrong:,}")
    people = Table("visitors of", "figures", "exact", "beyond bound", "beyond twice the bound", "worst")
    for name, some in estimates.items():
        numbers = (some.figures, some.exact, some.beyond_bound, some.wrong)
        people.add_row(name, *(f"{number:,}" for number in numbers), some.worst)
    out.print(cells, people)
    return not sum(one.wrong for one in matched.values()) + sum(some.wrong for some in estimates.values())


def audited(settings: Settings, label: str) -> tuple[AuditReport, Cost]:
    """Audit the month, and show what came of it."""
    bench_log = settings.logs / "bench.log"
    before = bench_log.stat().st_size if bench_log.exists() else 0
    cost = run(settings, "spark_jobs.audit", "--start", START.isoformat(), "--end", END.isoformat(), "--label", label)
    if cost.code not in (0, 1):
        must_end_well("audit", cost, settings)
    show_phases(bench_log.read_bytes()[before:].decode("utf-8", "replace").splitlines(), cost)
    with Warehouse(settings.dsn("footfall_reader"), "bench") as warehouse:
        report = read_audit(warehouse, label)
    show_audit(report, out)
    return report, cost


def alter_one_cell(settings: Settings, by: int) -> dict[str, object]:
    """Add hits to the busiest page's busiest hour; returns which cell that is."""
    with Warehouse(settings.dsn("footfall_admin"), "bench") as warehouse, warehouse.transaction() as cursor:
        cursor.execute(ALTERED, {"by": by})
        return dict(cursor.fetchall()[0])


@contextmanager
def month(home: Path | None, events: int, visitors: int, seed: int) -> Iterator[Settings]:
    """Services with the month counted and reported. home: kept, and what was done there before is not done again."""
    folder = home or Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    notes = folder / "done.json"
    done = json.loads(notes.read_bytes()) if notes.exists() else {"port_base": free_port_base(random.Random())}
    settings = Settings(home=folder / "home", port_base=done["port_base"])
    stages: dict[str, Callable[[], None]] = {
        "generated": partial(generate, settings, events, seed, visitors),
        "counted": partial(count, settings),
        "published": partial(publish, settings),
    }
    try:
        with (
            running_postgres(settings),
            running_kafka(settings, find_java(os.environ.get("JAVA_HOME")), default_cache()),
        ):
            ensure_topic(settings.kafka_python_options("footfall_admin"), settings.topic)
            for name, stage in stages.items():
                if name not in done:
                    stage()
                    done[name] = True
                    notes.write_text(json.dumps(done), encoding="utf-8")
            yield settings
    finally:
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def main(
    events: Annotated[int, typer.Option(min=1000, help="How many events the month has.")] = 5_000_000,
    visitors: Annotated[int, typer.Option(min=1000, help="People there are.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Seed of the events.")] = 1,
    home: Annotated[Path | None, typer.Option(help="Folder to keep the services and their data in.")] = None,
    only_audit: Annotated[bool, typer.Option("--only-audit", help="Audit once, and nothing else.")] = False,
) -> None:
    """Generate, count and publish a month, hold it against its inventory, audit it, alter one cell, audit again."""
    with month(home, events, visitors, seed) as settings:
        right = only_audit or agrees_with_inventory(settings)
        report, cost = audited(settings, "as it is")
        exactly, found = only_audit, "not asked"
        if not only_audit:
            altered = alter_one_cell(settings, 1)
            again, _ = audited(settings, "altered")
            alter_one_cell(settings, -1)
            cells = [(one.site, one.hour_start, one.key, one.figure) for one in again.differences]
            expected = (altered["site"], altered["hour_start"], altered["path"], "hits")
            exactly = again.cells_differing == 1 and cells == [expected]
            found = "yes" if exactly else f"no: {cells}"
    table = Table(title=f"{report.records_read:,} records")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("seconds", f"{cost.seconds:.0f}")
    table.add_row("CPU-seconds", f"{cost.cpu_s:.0f}")
    table.add_row("CPU-s per million records", f"{cost.cpu_s / max(report.records_read, 1) * 1e6:.1f}")
    table.add_row("peak memory (PSS)", f"{cost.peak_gib:.2f} GiB")
    table.add_row("cells compared, that differ", f"{report.cells_compared:,}, {report.cells_differing:,}")
    table.add_row("finds exactly the altered cell", found)
    out.print(table)
    raise typer.Exit(0 if right and report.status == "equal" and exactly else 1)


if __name__ == "__main__":
    typer.run(main)

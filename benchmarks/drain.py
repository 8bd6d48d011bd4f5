"""How fast the stream job drains a backlog, what it costs, and whether everything it counted is right.

    python -m benchmarks.drain --events 4000000

Starts a Postgres and a broker of its own, fills the topic, then starts the stream job and watches it. The first
quarter (start-up, JIT) is left out of all figures. What is true of the events is noted by the filler, not by the job.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import psutil
import typer
from confluent_kafka import Producer
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from benchmarks.events import SOURCES, Truth, events
from benchmarks.verification import differences
from local.foreground import running_kafka, running_postgres
from local.jars import default_cache
from local.java import find_java
from local.kafka_topics import ensure_topic
from local.ports import free_port_base
from settings import CHECKOUT, Settings
from sql.warehouse import Warehouse

out = Console()


def fill(settings: Settings, count: int, seed: int) -> Truth:
    """Put the events on the topic; returns what is true of them."""
    producer = Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "security.protocol": settings.kafka_security_protocol,
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": "footfall_producer",
            "sasl.password": settings.kafka_password("footfall_producer"),
            "compression.type": "lz4",
            "linger.ms": 50,
            "enable.idempotence": True,
        }
    )
    truth = Truth()
    failed: Counter[str] = Counter()

    def settled(error: object, _: object) -> None:
        if error is not None:
            failed[str(error)] += 1

    for event in track(events(count, seed), "filling the topic", total=count, console=out):
        # Spread evenly: the key would put eight sources on four partitions unevenly.
        while True:
            try:
                partition = event.number % SOURCES % 4
                producer.produce(settings.topic, event.value, event.key, partition=partition, on_delivery=settled)
                break
            except BufferError:
                producer.poll(0.1)
        if event.number % 1000 == 0:
            producer.poll(0)
        truth.add(event)
    producer.flush()
    if failed:
        raise SystemExit(f"the topic could not be filled: {failed}")
    return truth


@dataclass
class Snapshot:
    """CPU seconds so far, by group, at a moment."""

    at: float
    counted: int
    cpu: dict[str, float] = field(default_factory=dict)


class Watcher:
    """CPU and memory of the job's processes, and of Postgres and the broker."""

    def __init__(self, job: int, postgres: int, broker: int) -> None:
        self._roots = {
            "job": psutil.Process(job),
            "Postgres": psutil.Process(postgres),
            "broker": psutil.Process(broker),
        }
        self._ended: dict[str, float] = {}
        self._last: dict[int, tuple[str, float]] = {}
        self.peak_bytes = 0

    def snapshot(self, counted: int) -> Snapshot:
        cpu: defaultdict[str, float] = defaultdict(float)
        memory = 0
        alive = set()
        for root, process in self._roots.items():
            for one in [process, *process.children(recursive=True)]:
                try:
                    group = root if root != "job" else _group(one, process)
                    times = one.cpu_times()
                    memory += one.memory_full_info().pss if root == "job" else 0
                except psutil.NoSuchProcess:
                    continue
                alive.add(one.pid)
                self._last[one.pid] = (group, times.user + times.system)
        for group, seconds in self._last.values():  # processes that ended keep what they had used
            cpu[group] += seconds
        self.peak_bytes = max(self.peak_bytes, memory)
        return Snapshot(time.monotonic(), counted, dict(cpu))


def _group(process: psutil.Process, driver: psutil.Process) -> str:
    if process.pid == driver.pid:
        return "driver"
    return "JVM" if process.name() == "java" else "Python workers"


def watch(settings: Settings, count: int, watcher: Watcher, job: subprocess.Popen[bytes]) -> list[Snapshot]:
    """Snapshots at the first quarter and at the end."""
    marks: list[Snapshot] = []
    with Warehouse(settings.dsn("footfall_admin"), "footfall-bench") as warehouse, Progress(console=out) as progress:
        bar = progress.add_task("draining", total=count)
        while True:
            with warehouse.transaction() as cursor:
                cursor.execute("SELECT coalesce(sum(consumed), 0)::bigint AS counted FROM stream.ledger")
                counted = dict(cursor.fetchone() or {})["counted"]
            snapshot = watcher.snapshot(counted)
            progress.update(bar, completed=counted)
            if not marks and counted >= count / 4:
                marks.append(snapshot)
            if counted >= count:
                return [*marks, snapshot]
            if job.poll() is not None:
                said = (settings.logs / "bench.log").read_text(encoding="utf-8", errors="replace")[-4000:]
                raise SystemExit(f"the stream job ended with {job.returncode}:\n{said}")
            time.sleep(0.1)


def report(marks: list[Snapshot], watcher: Watcher) -> None:
    """Print speed, cost and memory."""
    first, last = marks
    millions = (last.counted - first.counted) / 1e6
    table = Table(title=f"{last.counted:,} events; figures over the last {last.counted - first.counted:,}")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("events/s", f"{(last.counted - first.counted) / (last.at - first.at):,.0f}")
    job = 0.0
    for group in sorted(last.cpu):
        cost = (last.cpu[group] - first.cpu.get(group, 0)) / millions
        job += cost if group in {"driver", "JVM", "Python workers"} else 0
        table.add_row(f"CPU-s per million, {group}", f"{cost:.2f}")
    table.add_row("CPU-s per million, whole job", f"{job:.2f}")
    table.add_row("peak memory of the job (PSS)", f"{watcher.peak_bytes / 2**30:.2f} GiB")
    out.print(table)


def verify(settings: Settings, truth: Truth) -> bool:
    """Print what of the warehouse differs from the truth; True when nothing does."""
    table = Table(title="against the truth")
    table.add_column("figure")
    table.add_column("wrong", justify="right")
    wrong = 0
    with Warehouse(settings.dsn("footfall_admin"), "footfall-bench") as warehouse:
        for name, (differ, of) in differences(warehouse, truth).items():
            table.add_row(name, f"{differ:,} of {of:,}")
            wrong += differ
    out.print(table)
    return wrong == 0


def main(
    count: Annotated[
        int, typer.Option("--events", min=1000, help="How many events to fill in and drain.")
    ] = 4_000_000,
    seed: Annotated[int, typer.Option(help="Seed of the events.")] = 1,
) -> None:
    """Fill a topic, drain it with the stream job, print speed, cost, memory and truth."""
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    folder.chmod(0o755)
    settings = Settings(home=folder / "home", port_base=free_port_base(random.Random()))
    try:
        with (
            running_postgres(settings) as postgres,
            running_kafka(settings, find_java(os.environ.get("JAVA_HOME")), default_cache()) as broker,
        ):
            ensure_topic(settings.kafka_python_options("footfall_admin"), settings.topic)
            truth = fill(settings, count, seed)
            given = {"FOOTFALL_HOME": str(settings.home), "FOOTFALL_PORT_BASE": str(settings.port_base)}
            with (settings.logs / "bench.log").open("wb") as log:
                job = subprocess.Popen(
                    [sys.executable, "-m", "spark_jobs.traffic_stream"],
                    env=os.environ | given, cwd=CHECKOUT, stdout=log, stderr=log,
                )  # fmt: skip
                try:
                    watcher = Watcher(job.pid, postgres.pid, broker.pid)
                    marks = watch(settings, count, watcher, job)
                finally:
                    job.terminate()
                    job.wait(timeout=60)
            report(marks, watcher)
            right = verify(settings, truth)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(0 if right else 1)


if __name__ == "__main__":
    typer.run(main)

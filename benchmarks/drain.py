"""How fast the stream job drains a backlog, what it costs, and whether every cell is right.

    python -m benchmarks.drain --events 4000000

Starts a Postgres and a broker of its own, fills the topic, then starts the stream job and watches it. The first
quarter (start-up, JIT) is left out of all figures. The expected cells are made by the filler, not by the job.
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import psutil
import typer
from confluent_kafka import Producer
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from local.foreground import running_kafka, running_postgres
from local.jars import default_cache
from local.java import find_java
from local.kafka_topics import ensure_topic
from local.ports import free_port_base
from settings import CHECKOUT, Settings
from sql.warehouse import Warehouse

START = 1_795_000_200  # epoch seconds, a multiple of 10
EVENTS_PER_SECOND = 10_000  # of simulated time
SOURCES = 8
# One address block of each country, as the registries have it.
ADDRESSES = {
    "DE": "85.214.0.", "FR": "90.0.0.", "GB": "81.128.0.", "US": "8.8.8.", "JP": "133.11.0.",
    "BR": "200.147.0.", "IN": "117.192.0.", "NL": "145.53.0.", "SE": "78.64.0.", "AU": "1.128.0.",
}  # fmt: skip
PATHS = ["/home", "/products", "/about", "/contact", "/cart", "/checkout", *(f"/products/{n}" for n in range(40))]
STATUSES = [200] * 94 + [304, 301, 404, 404, 500, 503]
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)

Cell = tuple[int, str, str, int]  # bucket start, path, country, status class
Sums = tuple[int, int, int, int]  # hits, bytes, latency sum in microseconds, latency count
out = Console()


def records(events: int, seed: int) -> Iterator[tuple[bytes, bytes, Cell, int, int]]:
    """(key, value, cell, bytes, latency_us) of each event, written by hand rather than by the product."""
    random_ = random.Random(seed)
    countries = list(ADDRESSES)
    seqs = [0] * SOURCES
    for number in range(events):
        second, fraction = divmod(number, EVENTS_PER_SECOND)
        moment = START + second
        clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        country = countries[int(random_.random() ** 2 * len(countries))]
        path = PATHS[int(random_.random() ** 2 * len(PATHS))]
        status = STATUSES[int(random_.random() * len(STATUSES))]
        size = int(random_.random() * 50_000)
        latency_us = int(random_.random() * 900_000)
        source = number % SOURCES
        seqs[source] += 1
        value = (
            f'{{"ts":"{clock}.{fraction * 1000 // EVENTS_PER_SECOND:03d}Z","site":"bench",'
            f'"ip":"{ADDRESSES[country]}{int(random_.random() * 250)}","method":"GET",'
            f'"path":"{path}?utm_source=mail",'
            f'"status":{status},"bytes":{size},"latency_ms":{latency_us / 1000},'
            f'"referrer":"https://www.example.org/search","user_agent":"{AGENT}",'
            f'"source":"filler-{source}","seq":{seqs[source]}}}'
        )
        cell = (moment - moment % 10, path, country, status // 100)
        yield f"filler-{source}".encode(), value.encode(), cell, size, latency_us


def fill(settings: Settings, events: int, seed: int) -> dict[Cell, Sums]:
    """Put the events on the topic; returns the expected cells."""
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
    sums: dict[Cell, list[int]] = {}
    failed: Counter[str] = Counter()

    def settled(error: object, _: object) -> None:
        if error is not None:
            failed[str(error)] += 1

    stream = track(records(events, seed), "filling the topic", total=events, console=out)
    for number, (key, value, cell, size, latency_us) in enumerate(stream):
        # Spread evenly: the key would put eight sources on four partitions unevenly.
        while True:
            try:
                producer.produce(settings.topic, value, key, partition=number % SOURCES % 4, on_delivery=settled)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 1000 == 0:
            producer.poll(0)
        row = sums.setdefault(cell, [0, 0, 0, 0])
        row[0] += 1
        row[1] += size
        row[2] += latency_us
        row[3] += 1
    producer.flush()
    if failed:
        raise SystemExit(f"the topic could not be filled: {failed}")
    return {cell: (row[0], row[1], row[2], row[3]) for cell, row in sums.items()}


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


def watch(settings: Settings, events: int, watcher: Watcher, job: subprocess.Popen[bytes]) -> list[Snapshot]:
    """Snapshots at the first quarter and at the end."""
    marks: list[Snapshot] = []
    with Warehouse(settings.dsn("footfall_admin"), "footfall-bench") as warehouse, Progress(console=out) as progress:
        bar = progress.add_task("draining", total=events)
        while True:
            with warehouse.transaction() as cursor:
                cursor.execute("SELECT coalesce(sum(consumed), 0)::bigint AS counted FROM stream.ledger")
                counted = dict(cursor.fetchone() or {})["counted"]
            snapshot = watcher.snapshot(counted)
            progress.update(bar, completed=counted)
            if not marks and counted >= events / 4:
                marks.append(snapshot)
            if counted >= events:
                return [*marks, snapshot]
            if job.poll() is not None:
                raise SystemExit(f"the stream job ended with {job.returncode}; see {settings.logs}/bench.log")
            time.sleep(0.1)


def found_cells(settings: Settings) -> dict[Cell, Sums]:
    """The cells as they stand in Postgres."""
    query = """
        SELECT extract(epoch FROM bucket_start)::bigint AS bucket, path, country, status_class, hits, bytes_sent,
               latency_us_sum, latency_count
        FROM stream.traffic_bucket JOIN stream.page USING (page_id)
    """
    with Warehouse(settings.dsn("footfall_admin"), "footfall-bench") as warehouse, warehouse.transaction() as cursor:
        cursor.execute(query)
        return {
            (r["bucket"], r["path"], r["country"], r["status_class"]): (
                r["hits"], r["bytes_sent"], r["latency_us_sum"], r["latency_count"],
            )
            for r in map(dict, cursor.fetchall())
        }  # fmt: skip


def report(marks: list[Snapshot], watcher: Watcher, expected: dict[Cell, Sums], found: dict[Cell, Sums]) -> bool:
    """Print the figures; True when every cell is right."""
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
    wrong = sum(expected.get(cell) != found.get(cell) for cell in expected.keys() | found.keys())
    table.add_row("cells that differ from the truth", f"{wrong:,} of {len(expected.keys() | found.keys()):,}")
    out.print(table)
    return wrong == 0


def main(
    events: Annotated[int, typer.Option(min=1000, help="How many events to fill in and drain.")] = 4_000_000,
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
            expected = fill(settings, events, seed)
            given = {"FOOTFALL_HOME": str(settings.home), "FOOTFALL_PORT_BASE": str(settings.port_base)}
            with (settings.logs / "bench.log").open("wb") as log:
                job = subprocess.Popen(
                    [sys.executable, "-m", "spark_jobs.traffic_stream"],
                    env=os.environ | given, cwd=CHECKOUT, stdout=log, stderr=log,
                )  # fmt: skip
                try:
                    watcher = Watcher(job.pid, postgres.pid, broker.pid)
                    marks = watch(settings, events, watcher, job)
                finally:
                    job.terminate()
                    job.wait(timeout=60)
            right = report(marks, watcher, expected, found_cells(settings))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(0 if right else 1)


if __name__ == "__main__":
    typer.run(main)

"""What following a site costs beside the batches, and what the view of trends costs a reader.

    python -m benchmarks.trends --buckets 120

Starts a Postgres of its own and follows one site of 35 series: ten batches a bucket, as a trigger of one second makes
them. Figures are of the driver's thread: taking a batch in, judging a closed bucket with its transaction, and both
together per batch.
"""

from __future__ import annotations

import logging
import random
import shutil
import tempfile
import time
import warnings
from pathlib import Path
from typing import Annotated
from uuid import UUID

import numpy as np
import pyarrow as pa
import typer
from rich.console import Console
from rich.table import Table

from local.foreground import running_postgres
from local.ports import free_port_base
from settings import Settings
from spark_jobs.lease import take_lease
from spark_jobs.trend_detector import DetectorSettings
from spark_jobs.trend_follower import TrendFollower
from spark_jobs.trend_writer import TrendWriter
from sql.warehouse import Warehouse

TOPIC_ID = UUID(int=1)
START_S = 1_795_000_200
COUNTRIES = ["DE", "FR", "GB", "US", "JP", "BR", "IN", "NL", "SE", "AU", "ES", "IT"]
BATCHES = 10  # a bucket
Seconds = tuple[float, float]  # by the clock, and of this thread's CPU
out = Console()


def clocks() -> Seconds:
    return time.perf_counter(), time.thread_time()


def since(before: Seconds) -> Seconds:
    now = clocks()
    return now[0] - before[0], now[1] - before[1]


def cells(rng: np.random.Generator, bucket_s: int, hits: int, pages: int) -> pa.Table:
    """About so many hits of one second, as a committed batch hands them on."""
    page = np.minimum(rng.zipf(1.4, hits) - 1, pages - 1)
    keys = np.stack([page, rng.integers(0, len(COUNTRIES), hits), rng.choice([2, 2, 2, 2, 3, 4], hits)], axis=1)
    unique, counts = np.unique(keys, axis=0, return_counts=True)
    return pa.table(
        {
            "bucket_start": pa.array(np.full(len(unique), bucket_s)),
            "site": pa.array(["bench"] * len(unique)),
            "path": pa.array([f"/page/{n}" for n in unique[:, 0]]),
            "country": pa.array([COUNTRIES[n] for n in unique[:, 1]]),
            "status_class": pa.array(unique[:, 2]),
            "agent_class": pa.array(["human"] * len(unique)),
            "hits": pa.array(counts),
            "bytes_sent": pa.array(counts * 5000),
            "latency_us_sum": pa.array(counts * 20_000),
            "latency_count": pa.array(counts),
        }
    )


def main(
    buckets: Annotated[int, typer.Option(help="How many buckets to follow.")] = 120,
    rate: Annotated[int, typer.Option(help="Hits per second.")] = 2000,
    pages: Annotated[int, typer.Option(help="Pages of the site.")] = 300,
) -> None:
    """Follow a site on a Postgres of its own and print what it costs."""
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    logging.disable(logging.INFO)
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    folder.chmod(0o755)
    settings = Settings(home=folder / "home", port_base=free_port_base(random.Random()))
    try:
        with running_postgres(settings), Warehouse(settings.dsn("footfall_writer"), "bench") as warehouse:
            _follow(settings, warehouse, buckets, rate, pages)
    finally:
        shutil.rmtree(folder)


def _follow(settings: Settings, warehouse: Warehouse, buckets: int, rate: int, pages: int) -> None:
    rng = np.random.default_rng(1)
    lease = take_lease(warehouse, "bench", "footfall-stream-bench")
    warehouse.run("stream/register_topic", {"topic_id": str(TOPIC_ID), "cluster_id": "bench", "topic": "bench"})
    now_s = float(START_S)
    writer = TrendWriter(Warehouse(settings.dsn("footfall_writer"), "bench-trends"), TOPIC_ID, lease.epoch)
    follower = TrendFollower(writer, lambda: now_s, DetectorSettings(), 3.0)
    stored = BatchStore(warehouse)
    taking: list[Seconds] = []
    judging: list[Seconds] = []
    numbers: list[int] = []
    for bucket in range(buckets):
        start_s = START_S + 10 * bucket
        for second in range(BATCHES):
            now_s = float(start_s + second)
            batch = cells(rng, start_s, rate, pages)
            positions = stored.store(batch)
            numbers.append(batch.num_rows)
            began = clocks()
            follower.counted(batch, positions)
            follower.turn(start_s + 3.0)  # nothing is closed: the batch is only taken in
            taking.append(since(began))
        now_s = start_s + 14.0
        before = clocks()
        if follower.turn(now_s) and bucket > 2:
            judging.append(since(before))
    before = clocks()
    with Warehouse(settings.dsn("footfall_reader"), "bench-reader") as reader, reader.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM report.live_trend WHERE site = 'bench'")
    view, _ = since(before)
    before = clocks()
    TrendFollower(writer, lambda: now_s, DetectorSettings(), 3.0).turn(now_s)
    restore, _ = since(before)
    table = Table(title=f"{buckets} buckets, {rate:,} hits/s, {np.mean(numbers):,.0f} cells a batch, 35 series")
    for column in ("what", "mean ms", "p95 ms", "mean CPU ms"):
        table.add_column(column, justify="left" if column == "what" else "right")
    means = {}
    for what, found in (("take a batch in", taking), ("judge a closed bucket", judging)):
        wall, cpu = 1000 * np.array(found).T
        means[what] = np.array([wall.mean(), cpu.mean()])
        table.add_row(what, f"{wall.mean():.2f}", f"{np.percentile(wall, 95):.2f}", f"{cpu.mean():.2f}")
    both = means["take a batch in"] + means["judge a closed bucket"] / BATCHES
    table.add_row("both, per batch", f"{both[0]:.2f}", "", f"{both[1]:.2f}")
    table.add_row("read everything anew after a restart", f"{1000 * restore:.0f}", "", "")
    table.add_row("report.live_trend", f"{1000 * view:.0f}", "", "")
    out.print(table)


class BatchStore:
    """Puts cells into the buckets, so that what is explained and restored is there."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._offset = 0

    def store(self, batch: pa.Table) -> dict[int, int]:
        """Positions behind the batch."""
        with self._warehouse.transaction() as cursor:
            columns = {name: batch[name].to_pylist() for name in batch.column_names}
            cursor.execute(
                "INSERT INTO stream.page (site, path) SELECT DISTINCT 'bench', one FROM unnest(%(path)s) AS one"
                " WHERE NOT EXISTS (SELECT FROM stream.page AS known WHERE known.path = one)",
                columns,
            )
            cursor.execute(
                "INSERT INTO stream.traffic_bucket AS known (bucket_start, page_id, country, status_class,"
                " agent_class, hits, bytes_sent, latency_us_sum, latency_count)"
                " SELECT to_timestamp(b), page_id, c, s, 'human', h, n, l, h"
                " FROM unnest(%(bucket_start)s::bigint[], %(path)s, %(country)s, %(status_class)s::int[],"
                " %(hits)s::bigint[], %(bytes_sent)s::bigint[], %(latency_us_sum)s::bigint[])"
                " AS cell (b, path, c, s, h, n, l) JOIN stream.page USING (path)"
                " ON CONFLICT (bucket_start, page_id, country, status_class, agent_class) DO UPDATE SET"
                " hits = known.hits + excluded.hits, bytes_sent = known.bytes_sent + excluded.bytes_sent,"
                " latency_us_sum = known.latency_us_sum + excluded.latency_us_sum,"
                " latency_count = known.latency_count + excluded.latency_count",
                columns,
            )
            cursor.execute(
                "INSERT INTO stream.touched_hour SELECT DISTINCT 'bench', date_trunc('hour', to_timestamp(b),"
                " 'UTC'), 1 FROM unnest(%(bucket_start)s::bigint[]) AS b ON CONFLICT DO NOTHING",
                columns,
            )
            self._offset += batch.num_rows
            cursor.execute(
                "INSERT INTO stream.position VALUES (%(topic)s, 0, %(offset)s)"
                " ON CONFLICT (topic_id, kafka_partition) DO UPDATE SET next_offset = excluded.next_offset",
                {"topic": str(TOPIC_ID), "offset": self._offset},
            )
        return {0: self._offset}


if __name__ == "__main__":
    typer.run(main)

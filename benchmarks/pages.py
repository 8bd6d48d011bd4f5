"""How long the pages take over thirty days of data while the stream counts 2,000 lines a second.

    python -m benchmarks.pages --rate 2000

Fills thirty days of a site with 200 pages and 20 countries into a Postgres of its own, publishes and seals their
reports, brings up the rest of the stack around it (Airflow's api-server serves the pages), and asks like a browser
that refreshes: one request after the other, with the login's cookie. A second line of requests asks Airflow itself
meanwhile, to see whether its event loop waits.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from datasketches import update_theta_sketch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from expectations.run import validate_unsealed
from local.airflow import airflow_url, login_file
from local.foreground import running_postgres
from local.ports import free_port_base
from settings import CHECKOUT, Settings
from sql.daily_reports import publish_days
from sql.hourly_reports import HOURS_A_TRANSACTION, publish_hours
from sql.warehouse import Warehouse

out = Console()
SITE = "month"
DAYS = 30
HERE = Path(__file__).parent
SKETCHES = (
    "INSERT INTO stream.visitor_sketch (site, minute_start, key_id, agent_class, sketch) VALUES (%s, %s, %s, %s, %s)"
)
KEYS = """
    INSERT INTO stream.visitor_key (key_id, period_start, period_end)
    SELECT to_char(month, 'YYYY-MM'), month, month + interval '1 month'
    FROM generate_series(date_trunc('month', %(start)s::timestamptz), %(end)s::timestamptz, '1 month') AS month
    ON CONFLICT DO NOTHING
"""
STREAM = """
    SELECT records_per_second, lag_records, (SELECT count(*)::int FROM report.site) AS sites FROM report.stream_status
"""
HELD = "SELECT count(*)::int AS held FROM pg_stat_activity WHERE application_name = 'footfall-pages'"


@contextmanager
def new_settings() -> Iterator[Settings]:
    """Settings of a stack that does not run yet; nothing is left of its files afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    folder.chmod(0o755)
    try:
        yield Settings(home=folder / "home", port_base=free_port_base(random.Random()))
    finally:
        shutil.rmtree(folder)


@contextmanager
def running_stack(settings: Settings, rate: float) -> Iterator[None]:
    """The whole stack, whose generator sends so many lines a second."""
    surroundings = os.environ | {
        "FOOTFALL_HOME": str(settings.home),
        "FOOTFALL_PORT_BASE": str(settings.port_base),
    }

    def local(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "local", *words], env=surroundings, cwd=CHECKOUT, check=True)

    try:
        local("up", "--history-hours", "1", "--history-rate", "1", "--rate", str(rate))
        yield
    finally:
        local("down")


def fill(settings: Settings, start: datetime, end: datetime, detail_hour: datetime) -> None:
    """Thirty days of counted traffic, their reports and seals."""
    admin = Warehouse(settings.dsn("footfall_admin"), "footfall-bench", 900)
    hours = int((end - start) / timedelta(hours=1))
    with admin, admin.transaction() as cursor:
        cursor.execute(
            (HERE / "month_of_traffic.sql").read_text(encoding="utf-8"),
            {"site": SITE, "start": start, "end_": end, "detail_hour": detail_hour},
        )
        cursor.execute(KEYS, {"start": start, "end": end})
        for hour in track(range(hours), "sketches", console=out):
            moment = start + timedelta(hours=hour)
            for agent_class, visitors in (("human", 9_000), ("bot", 300), ("tool", 90)):
                sketch = update_theta_sketch(12)
                for visitor in range(visitors):
                    sketch.update(hour * 2_500 + visitor)  # a good part comes again in the next hours
                data = bytes(sketch.compact().serialize())
                cursor.execute(SKETCHES, (SITE, moment, f"{moment:%Y-%m}", agent_class, data))
    with Warehouse(settings.dsn("footfall_reporter"), "footfall-bench", 900) as reporter:
        now = datetime.now(UTC)
        # The first hour is checked in earnest, which also writes down what checks there are.
        published = publish_hours(reporter, now, start, start + timedelta(hours=1))
        validate_unsealed(reporter, "bench", now)
        for part in track(range(0, hours, HOURS_A_TRANSACTION), "publishing", console=out):
            first = start + timedelta(hours=part)
            published += publish_hours(reporter, now, first, first + timedelta(hours=HOURS_A_TRANSACTION))
        publish_days(reporter, now)
    with admin, admin.transaction() as cursor:
        cursor.execute((HERE / "month_of_seals.sql").read_text(encoding="utf-8"), {"site": SITE})
        cursor.execute("ANALYZE")
    out.print(f"{len(published)} hours published")


def wait_for_stream(settings: Settings, rate: float) -> None:
    """Return when the stream has caught up and counts about that many lines a second, or after three minutes."""
    until = time.monotonic() + 180
    reader = Warehouse(settings.dsn("footfall_reader"), "footfall-bench")
    with reader:
        while time.monotonic() < until:
            with reader.transaction() as cursor:
                cursor.execute(STREAM)
                seen = dict(cursor.fetchone() or {})
            counts, lags = seen.get("records_per_second") or 0, seen.get("lag_records")
            if 0.8 * rate < counts < 1.2 * rate and lags is not None and lags < 5 * rate and seen["sites"] == 2:
                break
            time.sleep(2)
    out.print("the stream at the start:", seen)


def addresses(start: datetime, end: datetime, detail_hour: datetime) -> dict[str, str]:
    """What is asked for, by its name."""

    def zulu(moment: datetime) -> str:
        return f"{moment:%Y-%m-%dT%H:%MZ}"

    hour, day = zulu(detail_hour), zulu(detail_hour.replace(hour=0))
    week = f"start={zulu(end - timedelta(days=7))}&end={zulu(end)}"
    month = f"start={zulu(start)}&end={zulu(end)}"
    return {
        "Live, 15 min": "/live?site=shop",
        "Live, 24 h": "/live?site=shop&range=24h",
        "Reports": f"/reports?site={SITE}",
        "report of an hour": f"/reports/hour?site={SITE}&start={hour}",
        "report of an hour, a page": f"/reports/hour?site={SITE}&start={hour}&page=/products/page-017",
        "report of a day": f"/reports/day?site={SITE}&start={day}",
        "report of 7 days": f"/reports/range?site={SITE}&{week}",
        "report of 30 days": f"/reports/range?site={SITE}&{month}",
        "Quality": f"/quality?site={SITE}",
        "a check": f"/quality/check?site={SITE}&suite=hourly_report&expectation=report_is_fresh",
        "Stream, 1 h": "/stream",
        "Stream, 7 days": "/stream?range=7d",
    }


def percentile(seconds: list[float], fraction: float) -> float:
    """Milliseconds: the value at rank floor(q (n - 1)) from the bottom, as the reports have it."""
    return 1000 * sorted(seconds)[int(fraction * (len(seconds) - 1))]


@contextmanager
def asking_airflow(client: httpx.Client) -> Iterator[list[float]]:
    """Seconds that Airflow took for its own version, asked every 50 ms for as long as the block lasts."""
    taken: list[float] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(0.05):
            began = time.perf_counter()
            client.get("/api/v2/version").raise_for_status()
            taken.append(time.perf_counter() - began)

    asker = threading.Thread(target=ask)
    asker.start()
    yield taken
    is_over.set()
    asker.join()


def measure(settings: Settings, wanted: dict[str, str], requests: int, pause_seconds: float) -> None:
    """Print times, sizes and connections."""
    url = airflow_url(settings)
    login = httpx.post(f"{url}/auth/token", json=_credentials(settings), trust_env=False).raise_for_status()
    options = {
        "base_url": url,
        "trust_env": False,
        "timeout": 30.0,
        "cookies": {"_token": login.json()["access_token"]},
    }
    table = Table(title=f"{requests} requests each, ms")
    for column in ("page", "median", "p95", "longest", "kB compressed", "with a failed block", "Airflow's own p95"):
        table.add_column(column, justify="left" if column == "page" else "right")
    with httpx.Client(**options) as client, httpx.Client(**options) as other:  # type: ignore[arg-type]
        with asking_airflow(other) as undisturbed:
            time.sleep(requests * pause_seconds)
        out.print(f"Airflow's own requests while no page is asked for: {percentile(undisturbed, 0.95):.0f} ms at p95")
        for name, path in wanted.items():
            taken = []
            failed = 0
            address = f"/footfall{path}"
            client.get(address, headers={"accept": "text/html"})
            with asking_airflow(other) as own:
                for _ in range(requests):
                    began = time.perf_counter()
                    answer = client.get(address, headers={"accept": "text/html", "hx-request": "true"})
                    taken.append(time.perf_counter() - began)
                    failed += answer.status_code != 200 or "could not be read" in answer.text
                    time.sleep(pause_seconds)
            size = answer.num_bytes_downloaded / 1000
            figures = (percentile(taken, 0.5), percentile(taken, 0.95), 1000 * max(taken))
            out.print(f"{name}: {figures[0]:.0f} ms, {figures[1]:.0f} ms at p95; load {os.getloadavg()[0]:.1f}")
            table.add_row(
                name,
                *(f"{value:.0f}" for value in figures),
                f"{size:.1f}",
                str(failed),
                f"{percentile(own, 0.95):.0f}",
            )
    out.print(table)
    with Warehouse(settings.dsn("footfall_admin"), "footfall-bench") as admin, admin.transaction() as cursor:
        cursor.execute(HELD)
        out.print("connections held by the pages:", dict(cursor.fetchone() or {})["held"])
        cursor.execute(STREAM)
        out.print("the stream at the end:", dict(cursor.fetchone() or {}))


def _credentials(settings: Settings) -> dict[str, str]:
    ((user, password),) = json.loads(login_file(settings).read_text(encoding="utf-8")).items()
    return {"username": user, "password": password}


def main(
    rate: Annotated[float, typer.Option(help="Live lines a second.")] = 2_000.0,
    requests: Annotated[int, typer.Option(min=20, help="Requests for each page.")] = 60,
    pause_seconds: Annotated[float, typer.Option(help="Between two of them.")] = 0.25,
) -> None:
    """Fill thirty days in, bring up a stack around them, ask for every page."""
    with new_settings() as settings:
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        start, detail_hour = end - timedelta(days=DAYS), end - timedelta(days=1)
        began = time.monotonic()
        with running_postgres(settings):
            fill(settings, start, end, detail_hour)
        out.print(f"filled in {time.monotonic() - began:.0f} s")
        with running_stack(settings, rate):
            wait_for_stream(settings, rate)
            measure(settings, addresses(start, end, detail_hour), requests, pause_seconds)


if __name__ == "__main__":
    typer.run(main)

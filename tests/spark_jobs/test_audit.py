"""The audit against a real broker, a real Postgres and the real stream job, on traffic that can be checked by eye."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from settings import CHECKOUT, Settings
from sql.daily_reports import publish_days, publish_visits
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.spark_jobs.conftest import NOON, Ask, count_all, environment, event, send

pytestmark = pytest.mark.services

DAY = datetime(2026, 11, 19, tzinfo=UTC)
LATER = datetime(2026, 11, 23, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Safari/604.1"


def run_audit(settings: Settings, start: datetime = DAY, end: datetime = DAY + timedelta(days=1)) -> tuple[int, str]:
    """Run the door as a process; its exit code and output."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "spark_jobs.audit", "--label", "test"),
            *("--start", start.isoformat(), "--end", end.isoformat()),
        ],
        env=environment(settings),
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, done.stdout


def publish(settings: Settings) -> None:
    """Publish all reports that are due."""
    with Warehouse(settings.dsn("footfall_reporter"), "test") as warehouse:
        publish_hours(warehouse, LATER)
        publish_days(warehouse, LATER)
        publish_visits(warehouse, LATER)


def traffic() -> list[tuple[bytes, bytes]]:
    """Twelve lines of two hours of the shop and one of the blog, from three visitors; one visit crosses midnight.

    Among the records: a line sent twice, one that came late, one that its shipper could not read, one that breaks the
    contract, and two that name no source.
    """
    midnight = int((DAY + timedelta(days=1) - NOON).total_seconds())
    lines = [
        event(1),
        event(2, second=5, path="/style.css", latency_ms=1.5),
        event(3, second=60, path="/about?utm_source=mail&q=secret", referrer="https://www.google.com/search"),
        event(4, second=70, path="/missing", status=404, latency_ms=None),
        event(5, second=80, ip="192.0.2.8", user_agent=PHONE, country=None, protocol="HTTP/2.0", host="shop.example"),
        event(6, second=3700, ip="192.0.2.8", user_agent=PHONE, status=503, latency_ms=900.0),
        event(7, second=3701, user_agent="curl/8.5.0", method="HEAD"),
        event(8, second=3702, path="/.env", user_agent="curl/8.5.0", status=404),
        event(9, second=midnight - 600),
        event(10, second=midnight + 600, path="/about"),
        event(11, second=30, site="blog", path="/post"),
        event(3, second=60, path="/about"),
        UNREADABLE,
        event(13).replace(b'"status":200', b'"status":"200"'),
        event(None, source=None, second=90),
        event(None, source=None, second=90),
        event(14, second=-3000, path="/late"),
    ]
    return [(b"web-1", line) for line in lines]


UNREADABLE = b'{"source":"web-1","seq":12,"error":"not in the log format","raw":"?","site":"shop"}'


@pytest.fixture
def reported(fresh_pipeline: Settings) -> Settings:
    """All of the traffic counted and reported."""
    send(fresh_pipeline, traffic())
    count_all(fresh_pipeline)
    publish(fresh_pipeline)
    return fresh_pipeline


def differences(ask: Ask) -> list[tuple[object, ...]]:
    """Differences of the newest audit."""
    found = ask(
        """SELECT report, key, figure, reported, recomputed FROM quality.audit_difference
           WHERE audit_id = (SELECT max(audit_id) FROM quality.audit) ORDER BY 1, 2, 3"""
    )
    return [tuple(row.values()) for row in found]


def test_what_was_counted_and_reported_agrees_in_every_cell(reported: Settings, ask: Ask) -> None:
    code, output = run_audit(reported)
    assert (code, differences(ask)) == (0, []), output
    (audit,) = ask("SELECT * FROM quality.audit")
    assert audit["status"] == "equal"
    assert audit["records_read"] == 17
    assert audit["notes"] == ""
    assert (audit["hours_checked"], audit["hours_unchecked"]) == (5, 0)  # shop 11, 12, 13, 23; blog 12
    assert (audit["visitors_error"], audit["visitors_error_bound"]) == (0, 0)
    assert 0 < audit["latency_error"] <= 0.01
    assert ask("SELECT verdict, count(*)::int AS n FROM quality.audit_hour GROUP BY 1") == [
        {"verdict": "equal", "n": 5}
    ]

"""The audit against a real broker, a real Postgres and the real stream job, on traffic that can be checked by eye."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from kafka import KafkaAdminClient, TopicPartition
from pyspark.sql import SparkSession

from local.kafka_topics import ensure_topic
from settings import CHECKOUT, Settings
from spark_jobs.agent_rules import RULES_VERSION
from spark_jobs.audit import run_audit
from spark_jobs.audit_phases import Phases
from sql.audit import AuditRunning, start_audit
from sql.daily_reports import publish_days, publish_visits
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.spark_jobs.conftest import Ask, count_all, environment, event, send

pytestmark = pytest.mark.services

DAY = datetime(2026, 11, 19, tzinfo=UTC)
NEXT_DAY = DAY + timedelta(days=1)
LATER = datetime(2026, 11, 23, tzinfo=UTC)
MIDNIGHT_S = 43_200  # seconds from noon
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Safari/604.1"
UNREADABLE = b'{"source":"web-1","seq":12,"error":"not in the log format","raw":"?","site":"shop"}'
BROKEN = event(13).replace(b'"status":200', b'"status":"200"')

# 20 records: a line sent twice (3), one its shipper could not read (12), one that breaks the contract and is sent
# again mended (13, which stays rejected), two that name no source, one that comes after those of later hours (14).
# 16 lines count: of the shop in the hours 11, 12, 13, 23 and 0 of the next day, of the blog in hour 12.
TRAFFIC = [
    event(1),
    event(2, second=5, path="/style.css", latency_ms=1.5),
    event(3, second=60, path="/about?utm_source=mail&q=secret", referrer="https://www.google.com/search"),
    event(4, second=70, path="/missing", status=404, latency_ms=None),
    event(5, second=80, ip="192.0.2.8", user_agent=PHONE, country=None, protocol="HTTP/2.0", host="shop.example"),
    event(6, second=3700, ip="192.0.2.8", user_agent=PHONE, status=503, latency_ms=900.0),
    event(7, second=3701, user_agent="curl/8.5.0", method="HEAD"),
    event(8, second=3702, path="/.env", user_agent="curl/8.5.0", status=404),
    event(9, second=MIDNIGHT_S - 600),
    event(10, second=MIDNIGHT_S + 600, path="/about"),
    event(11, second=30, site="blog", path="/post"),
    event(3, second=60, path="/about"),
    UNREADABLE,
    BROKEN,
    event(13),
    event(None, source=None, second=90),
    event(None, source=None, second=90),
    event(14, second=-3000, path="/late"),
    event(15, second=95, path="/rare"),
    event(16, second=96, path="/rarer"),
]

Audit = Callable[..., str]


def publish(settings: Settings) -> None:
    """Publish all reports that are due."""
    with Warehouse(settings.dsn("footfall_reporter"), "test") as warehouse:
        publish_hours(warehouse, LATER)
        publish_days(warehouse, LATER)
        publish_visits(warehouse, LATER)


@pytest.fixture
def counted(fresh_pipeline: Settings) -> Settings:
    """All of the traffic counted; four pages a day have a row of their own."""
    settings = fresh_pipeline.model_copy(update={"max_pages_per_day": 4})
    send(settings, [(b"web-1", line) for line in TRAFFIC])
    count_all(settings)
    return settings


@pytest.fixture
def reported(counted: Settings) -> Settings:
    """All of the traffic counted and reported."""
    publish(counted)
    return counted


@pytest.fixture
def audit(counted: Settings, spark: SparkSession) -> Audit:
    """Audits the day, in this process; returns the status. Plans are interpreted: compiling them takes longer."""
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")

    def run(settings: Settings = counted, end: datetime = NEXT_DAY) -> str:
        phases = Phases(time.monotonic)
        return run_audit(settings, DAY, end, "test", b"0123456789abcdef", lambda: nullcontext(spark), phases)[1]

    return run


def differences(ask: Ask) -> list[tuple[object, ...]]:
    """Differences of the newest audit."""
    found = ask(
        """SELECT report, key, figure, reported, recomputed FROM quality.audit_difference
           WHERE audit_id = (SELECT max(audit_id) FROM quality.audit) ORDER BY 1, 2, 3"""
    )
    return [tuple(row.values()) for row in found]


def unchecked(ask: Ask) -> list[tuple[str, int, str]]:
    """Site, hour of the day and reason of what the newest audit could not check."""
    found = ask(
        """SELECT site, extract(hour FROM hour_start)::int AS hour, reason FROM quality.audit_hour
           WHERE audit_id = (SELECT max(audit_id) FROM quality.audit) AND verdict = 'unchecked'
           ORDER BY hour_start, site"""
    )
    return [(row["site"], row["hour"], row["reason"]) for row in found]


def newest(ask: Ask) -> dict[str, object]:
    return ask("SELECT * FROM quality.audit ORDER BY audit_id DESC LIMIT 1")[0]


# One cell of each table: table, column, which row. A count in a histogram is three figures: see HISTOGRAM.
ALTERATIONS = [
    ("hourly_traffic", "bytes_sent", "site = 'blog'"),
    ("hourly_page", "hits", "path = '/about' AND hour_start = '2026-11-19 12:00Z'"),
    ("hourly_country", "hits", "country = ''"),
    ("hourly_status", "latency_us_sum", "status_class = 5"),
    ("hourly_dimension", "bytes_sent", "dimension = 'method' AND value = 'HEAD'"),
    ("hourly_visitor", "visitors", "agent_class = 'tool'"),
    ("hourly_latency", "counts[1]", "path = '/post'"),
    ("hourly_minute", "minute_hits[2]", "site = 'shop' AND hour_start = '2026-11-19 12:00Z'"),
    ("daily_traffic", "visitors", "site = 'shop' AND day_start = '2026-11-19Z'"),
    ("daily_visit", "page_views", "site = 'blog'"),
    ("daily_entry_page", "visits", "site = 'blog'"),
    ("daily_exit_page", "visits", "path = '/about'"),
]
HISTOGRAM = [
    ("hourly_latency", "latency_bin_square_sum"),
    ("hourly_latency", "latency_bin_sum"),
    ("hourly_latency", "latency_count"),
]
# Two people came at noon.
AT_NOON = "site = 'shop' AND hour_start = '2026-11-19 12:00Z' AND agent_class = 'human'"


def alter(ask: Ask, sign: str) -> None:
    for table, column, where in ALTERATIONS:
        change = f"UPDATE report.{table} SET {column} = {column} {sign} 1 WHERE {where} RETURNING 1"  # noqa: S608
        assert len(ask(change)) == 1, table


def test_every_cell_agrees_then_exactly_those_that_were_altered_differ_and_turn_their_hours_red(
    reported: Settings, audit: Audit, ask: Ask
) -> None:
    (run,) = ask("INSERT INTO quality.run (run_label) VALUES ('test') RETURNING run_id")
    ask(
        f"""INSERT INTO quality.hour_seal
            SELECT site, hour_start, revision, 'green', 'all hold', {run["run_id"]}, now() FROM report.hour_checked
            RETURNING 1"""  # noqa: S608
    )
    assert ask("SELECT hits::int FROM report.current_hourly_page WHERE path = '(other)' ORDER BY 1 DESC LIMIT 1") == [
        {"hits": 3}  # /missing, /rarer and /style.css at noon: four pages a day have a row of their own
    ]
    assert ask("SELECT agent_class, visits::int FROM report.current_daily_exit_page WHERE path = '(other)'") == [
        {"agent_class": "human", "visits": 1}  # it ended on /rarer
    ]
    # The visit over midnight is one, of the day in which it began, and the visit of nothing but 4xx is none.
    assert ask(
        "SELECT agent_class, visits::int, page_views::int, duration_seconds_sum::int AS seconds"
        " FROM report.current_daily_visit WHERE site = 'shop' AND day_start = '2026-11-19Z' ORDER BY 1"
    ) == [
        {"agent_class": "human", "visits": 5, "page_views": 10, "seconds": 1296},
        {"agent_class": "scanner", "visits": 1, "page_views": 0, "seconds": 1},
    ]
    assert (audit(), differences(ask)) == ("equal", [])
    first = newest(ask)
    assert (first["hours_checked"], first["hours_unchecked"], first["records_read"]) == (5, 0, 20)
    assert (first["visitors_error"], first["visitors_error_bound"], first["notes"]) == (0, 0, "")
    assert 0 < float(str(first["latency_error"])) <= 0.01

    alter(ask, "+")
    ask("UPDATE report.hourly_page SET p95_ms = p95_ms * 1.03 WHERE path = '/late' RETURNING 1")
    (sketch,) = ask(f"SELECT encode(sketch, 'hex') AS hex FROM report.hourly_visitor WHERE {AT_NOON}")  # noqa: S608
    ask(
        f"""UPDATE report.hourly_visitor  -- the second of two hashes becomes the first
            SET sketch = substring(sketch FOR length(sketch) - 8) || substring(sketch FROM length(sketch) - 15 FOR 8)
            WHERE {AT_NOON} RETURNING 1"""  # noqa: S608
    )
    assert audit() == "differs"
    assert [(report, figure) for report, _, figure, _, _ in differences(ask)] == sorted(
        [(table, column) for table, column, _ in ALTERATIONS if "[" not in column]
        + [*HISTOGRAM, ("hourly_minute", "hits"), ("hourly_page", "p95_ms"), ("hourly_visitor", "sketch_visitors")]
    )
    assert newest(ask)["cells_differing"] == 16
    assert ("hourly_visitor", "human", "sketch_visitors", "1", "2") in differences(ask)
    assert ("hourly_page", "/about", "hits", "2", "1") in differences(ask)
    red = ask("SELECT reason FROM quality.current_seal WHERE site = 'blog' AND seal = 'red'")
    assert red == [
        {
            "reason": f"audit {newest(ask)['audit_id']}: 6 cells differ "
            "(daily_entry_page 1, daily_visit 1, hourly_latency 3, hourly_traffic 1)"
        }
    ]
    assert ask("SELECT seal FROM report.hour_state WHERE site = 'blog'") == [{"seal": "red"}]
    assert ask("SELECT DISTINCT seal, reason FROM quality.hour_seal") == [{"seal": "green", "reason": "all hold"}]

    alter(ask, "-")
    ask(f"UPDATE report.hourly_visitor SET sketch = decode('{sketch['hex']}', 'hex') WHERE {AT_NOON} RETURNING 1")  # noqa: S608
    ask("UPDATE report.hourly_page SET p95_ms = p95_ms / 1.03 WHERE path = '/late' RETURNING 1")
    assert audit() == "equal"
    assert ask("SELECT DISTINCT seal, reason, audit_verdict FROM quality.current_seal WHERE site = 'blog'") == [
        {"seal": "green", "reason": "all hold", "audit_verdict": "equal"}
    ]


# What older rules made of the lines: who is human now was a bot, by another rule, with another browser.
BY_OLD_RULES = [
    "UPDATE stream.dimension_hour SET value = 'an old rule' WHERE dimension = 'agent_rule' AND value = 'browser'",
    "UPDATE stream.dimension_hour SET value = 'an old name' WHERE dimension = 'browser' AND value = 'Firefox'",
    "UPDATE stream.visitor_sketch SET agent_class = 'bot' WHERE agent_class = 'human'",
    "UPDATE stream.visit SET line_class = 'bot' WHERE line_class = 'human'",
]


def test_agents_that_an_older_version_of_the_rules_counted_are_left_out_and_the_audit_says_so(
    counted: Settings, audit: Audit, ask: Ask
) -> None:
    for change in BY_OLD_RULES:
        ask(f"{change} RETURNING 1")
    publish(counted)
    ask(f"UPDATE stream.rules_adoption SET rules_version = {RULES_VERSION + 1} RETURNING 1")  # noqa: S608
    # The job starts with this version of the rules. A late line for hour 13, and the first two of hour 15.
    send(counted, [(b"web-1", event(17, second=3710)), *[(b"web-1", event(n, second=10_800)) for n in (18, 19)]])
    count_all(counted)
    publish(counted)
    assert ask("SELECT cause, count(*)::int AS hours FROM report.hour_revision GROUP BY 1 ORDER BY 1") == [
        {"cause": "first report", "hours": 7},
        {"cause": "late data", "hours": 1},
    ]
    assert (audit(), differences(ask)) == ("equal", [])
    assert str(newest(ask)["notes"]).split("; ") == [
        "agents of 5 hours were not compared: another version of the agents' rules has counted lines of them",
        "blog 2026-11-19: another version of the rules has counted 1 visits, so its visits were not compared",
        "shop 2026-11-19: another version of the rules has counted 6 visits, so its visits were not compared",
    ]
    # What does not depend on agents is compared in all hours, and agents in those that this version alone counted.
    for hour in ("13:00", "15:00"):
        ask(
            f"""UPDATE report.hourly_dimension SET hits = hits + 1
                WHERE site = 'shop' AND hour_start = '2026-11-19 {hour}Z' AND (dimension = 'os' OR value = 'GET')
                RETURNING 1"""  # noqa: S608
        )
    assert audit() == "differs"
    assert [str(key).partition(":")[0] for _, key, _, _, _ in differences(ask)] == ["method", "method", "os"]


def test_hours_that_cannot_be_checked_are_named_with_the_reason(reported: Settings, audit: Audit, ask: Ask) -> None:
    stopped_by_a_signal(reported, ask)
    send(reported, [(b"web-1", event(17, second=3710))])
    count_all(reported)
    (partition,) = ask("SELECT kafka_partition AS n FROM stream.position WHERE next_offset > 0")
    admin = KafkaAdminClient(**reported.kafka_python_options("footfall_admin"))
    admin.delete_records({TopicPartition(reported.topic, partition["n"]): 1})
    assert audit() == "equal"
    gone = f"no longer in Kafka: partition {partition['n']} [0, "
    found = unchecked(ask)
    # One batch counted hours 11 to 23; the first offset is of noon, where the blog's only line stands, too.
    assert [(site, hour) for site, hour, _ in found] == [("blog", 12), ("shop", 12), ("shop", 13)]
    assert [reason.startswith(gone) for _, _, reason in found] == [True, True, False]
    assert found[2][2] == "late data waits for its revision"
    row = newest(ask)
    assert (row["hours_checked"], row["hours_unchecked"], row["offsets_gone"]) == (2, 3, 1)
    assert "not all hours could be checked, so the day was not" in str(row["notes"])

    # The topic is deleted and made anew: its offsets are others, whatever their numbers.
    admin.delete_topics([reported.topic])
    ensure_topic(reported.kafka_python_options("footfall_admin"), reported.topic)
    admin.close()
    assert audit() == "unchecked"
    assert newest(ask)["hours_checked"] == 0
    assert {reason.partition(":")[0] for _, _, reason in unchecked(ask)} == {
        "late data waits for its revision",
        "no longer in Kafka",
    }


def stopped_by_a_signal(settings: Settings, ask: Ask) -> None:
    """An audit that gets SIGTERM says so and leaves no line behind."""
    job = subprocess.Popen(
        [sys.executable, "-m", "spark_jobs.audit", "--start", "2026-11-19", "--end", "2026-11-20"],
        env=environment(settings),
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert job.stdout is not None
    words = next(line for line in job.stdout if "reading" in line or "could not run" in line)
    assert "records at most from Kafka" in words
    job.terminate()
    output, _ = job.communicate(timeout=60)
    assert job.returncode == 5, output
    assert (newest(ask)["status"], newest(ask)["error"]) == ("broken", "stopped by a signal")
    assert not (settings.home / "audit").exists()


def test_the_door_says_by_its_exit_code_what_came_of_it_and_one_audit_runs_at_a_time(
    fresh_pipeline: Settings, ask: Ask
) -> None:
    def door(start: str, end: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "spark_jobs.audit", "--start", start, "--end", end],
            env=environment(fresh_pipeline),
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    assert door("2026-11-19", "2026-11-20")[0] == 3  # nothing is reported
    assert newest(ask)["status"] == "unchecked"
    assert door("2026-11-20", "2026-11-19")[0] == 2
    with Warehouse(fresh_pipeline.dsn("footfall_reporter"), "test") as other:
        start_audit(other, "the other one", DAY, NEXT_DAY)
        code, output = door("2026-11-19", "2026-11-20")
        assert code == 4
        assert "another audit runs" in output
    with Warehouse(fresh_pipeline.dsn("footfall_reporter"), "test") as third:
        start_audit(third, "the next one", DAY, NEXT_DAY)
        with (
            Warehouse(fresh_pipeline.dsn("footfall_reporter"), "test") as fourth,
            pytest.raises(AuditRunning, match="another audit runs"),
        ):
            start_audit(fourth, "one too many", DAY, NEXT_DAY)
    assert ask("SELECT run_label, status, error FROM quality.audit ORDER BY audit_id DESC LIMIT 2") == [
        {"run_label": "the next one", "status": "running", "error": None},
        {"run_label": "the other one", "status": "broken", "error": "ended without a word"},
    ]

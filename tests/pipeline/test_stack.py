"""From one command to sealed reports, through real Kafka, Spark, Postgres and Airflow; and what it survives.

The tests of this module run in order on one stack: what one leaves behind is the next one's beginning.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pipeline.conftest import UP, Stack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

COUNTED = "SELECT coalesce(sum(hits), 0)::bigint FROM stream.traffic_bucket"
BROKEN_LEDGER = """
    SELECT count(*)::int
    FROM (SELECT lower(offsets) AS start,
                 lag(upper(offsets)) OVER (PARTITION BY topic_id, kafka_partition ORDER BY lower(offsets)) AS before
          FROM stream.ledger) AS ranges
    WHERE before <> start
"""
OPEN_STREAM = """
    SELECT pid, epoch::int AS epoch FROM stream.launch
    WHERE job = 'traffic_stream' AND ended_at IS NULL AND epoch IS NOT NULL
"""


def lines(first: int, last: int) -> str:
    """Lines of a combined log: one a minute from 09:00 on 19 November 2026, 100 bytes each."""
    return "".join(
        f'8.8.8.8 - - [19/Nov/2026:{9 + n // 60:02d}:{n % 60:02d}:00 +0000] "GET / HTTP/1.1" 200 100 "-" "curl/8"\n'
        for n in range(first, last)
    )


def test_the_stack_counts_within_thirty_seconds_and_status_finds_all_well(stack: Stack) -> None:
    counted = int(str(stack.one(COUNTED)))
    wait_until(lambda: int(str(stack.one(COUNTED))) > counted, 30, "live totals move")
    screen = stack.run("status")
    assert "all well" in screen
    for name in ("postgres", "kafka", "scheduler", "triggerer", "traffic_stream", "log_generator"):
        assert name in screen


def test_a_second_up_is_harmless(stack: Stack) -> None:
    (before,) = stack.ask(OPEN_STREAM)
    assert "Footfall is up" in stack.run(*UP)
    assert stack.ask(OPEN_STREAM) == [before]


def test_every_listener_is_on_loopback(stack: Stack) -> None:
    home = str(stack.settings.home)
    ours = [p for p in psutil.process_iter(["environ"]) if (p.info["environ"] or {}).get("FOOTFALL_HOME") == home]
    listening = [c for p in ours for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert listening
    assert {c.laddr.ip.removeprefix("::ffff:") for c in listening} <= {"127.0.0.1", "::1"}


def test_no_password_is_in_any_process_list_entry(stack: Stack) -> None:
    secrets = [
        words
        for path in stack.settings.secrets.rglob("*")
        if path.is_file()
        for words in [path.read_text().strip().rsplit(":", 1)[-1].strip('"} ')]
        if len(words) >= 12
    ]
    assert len(secrets) >= 8
    commands = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands for secret in secrets if secret in command]


def test_an_imported_log_is_counted_reported_and_sealed(stack: Stack, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(lines(0, 120) + "no log line\n" + lines(120, 150))
    said = stack.run("import", "--site", "mine", "--", str(log))
    assert "150" in said
    assert "line 121" in said
    hours = stack.ask(
        """SELECT extract(hour FROM hour_start)::int AS hour, hits::int, bytes_sent::int AS bytes, revision
           FROM report.current_hourly_traffic WHERE site = 'mine' ORDER BY 1"""
    )
    assert hours == [
        {"hour": 9, "hits": 60, "bytes": 6000, "revision": 1},
        {"hour": 10, "hits": 60, "bytes": 6000, "revision": 1},
        {"hour": 11, "hits": 30, "bytes": 3000, "revision": 1},
    ]
    seals = stack.ask("SELECT seal, count(*)::int AS n FROM quality.current_seal WHERE site = 'mine' GROUP BY 1")
    assert sum(row["n"] for row in seals if row["seal"] in ("green", "amber")) == 3, seals


def test_a_longer_compressed_copy_adds_only_its_new_lines(stack: Stack, tmp_path: Path) -> None:
    log = tmp_path / "renamed.gz"
    log.write_bytes(gzip.compress((lines(0, 120) + "no log line\n" + lines(120, 200)).encode()))
    stack.run("import", "--site", "mine", "--", str(log))
    assert stack.ask(
        """SELECT extract(hour FROM hour_start)::int AS hour, hits::int, revision
           FROM report.current_hourly_traffic WHERE site = 'mine' ORDER BY 1"""
    ) == [
        {"hour": 9, "hits": 60, "revision": 1},
        {"hour": 10, "hits": 60, "revision": 1},
        {"hour": 11, "hits": 60, "revision": 2},
        {"hour": 12, "hits": 20, "revision": 1},
    ]


def test_the_real_log_is_counted_to_the_byte(stack: Stack, access_log: Path) -> None:
    said = stack.run("import", "--site", "real", "--", str(access_log))
    assert "8,899" in said
    assert stack.ask(
        """SELECT sum(hits)::int AS hits, sum(bytes_sent)::bigint AS bytes, count(*)::int AS hours
           FROM report.current_hourly_traffic WHERE site = 'real'"""
    ) == [{"hits": 9_999, "bytes": 2_747_282_505, "hours": 84}]
    assert stack.ask(
        "SELECT count(*)::int AS hours FROM quality.current_seal WHERE site = 'real' AND seal IN ('green', 'amber')"
    ) == [{"hours": 84}]


def test_a_killed_stream_job_is_running_again_within_a_minute(stack: Stack) -> None:
    (before,) = stack.ask(OPEN_STREAM)
    os.killpg(before["pid"], signal.SIGKILL)

    def is_back() -> bool:
        found = [launch for launch in stack.ask(OPEN_STREAM) if launch["pid"] != before["pid"]]
        return bool(found) and stack.one("SELECT state FROM stream.lease") in ("counting", "idle")

    print("running again after", wait_until(is_back, 60, "the stream job is running again"), "s")


@pytest.mark.parametrize("name", ["scheduler", "triggerer"])
def test_without_a_part_of_airflow_the_stream_goes_on_and_no_second_one_starts(stack: Stack, name: str) -> None:
    (before,) = stack.ask(OPEN_STREAM)
    home = str(stack.settings.home)
    victims = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("FOOTFALL_HOME") == home
        and name in " ".join(process.info["cmdline"] or [])
        and "airflow" in " ".join(process.info["cmdline"] or [])
    ]
    assert victims
    for process in victims:
        process.kill()
    counted = int(str(stack.one(COUNTED)))
    wait_until(lambda: int(str(stack.one(COUNTED))) > counted + 200, 60, "counting goes on")
    wait_until(lambda: "all well" in _status(stack), 120, "Airflow is well again")
    assert stack.ask(OPEN_STREAM) == [before]


def _status(stack: Stack) -> str:
    try:
        return stack.run("status")
    except AssertionError as error:
        return str(error)


def test_upkeep_in_airflow_changes_no_published_number(stack: Stack) -> None:
    published = "SELECT * FROM report.hourly_traffic ORDER BY site, hour_start, revision"
    before = stack.ask(published)
    assert before
    stack.run_dag("maintenance", {})
    after = stack.ask(published)
    assert [row for row in before if row not in after] == []


def test_down_loses_nothing_and_up_goes_on_where_it_was(stack: Stack) -> None:
    stack.run("down")
    home = str(stack.settings.home)
    left = [p for p in psutil.process_iter(["environ"]) if (p.info["environ"] or {}).get("FOOTFALL_HOME") == home]
    assert [p for p in left if p.pid != os.getpid()] == []
    stack.run(*UP)
    assert stack.one(BROKEN_LEDGER) == 0
    assert stack.ask(
        "SELECT bool_and(consumed = accepted + rejected + duplicate) AS whole, count(*) > 0 AS any FROM stream.ledger"
    ) == [{"whole": True, "any": True}]


def test_every_cell_of_the_reports_equals_what_the_generator_says_it_sent(stack: Stack, tmp_path: Path) -> None:
    """48 hours with 1 % late, 0.5 % duplicated and 0.2 % malformed events, against the generator's own inventory."""
    stack.generate(
        tmp_path,
        *("--site", "proof", "--seed", "7", "--start", "2026-11-12T00:00:00Z", "--rate", "0"),
        *("--history-hours", "48", "--history-rate", "0.5"),
        *("--late-share", "0.01", "--duplicate-share", "0.005", "--malformed-share", "0.002"),
    )
    inventory = json.loads((tmp_path / "inventory.json").read_text())
    assert inventory["complete"]
    assert inventory["injected"]["late"] > 500
    assert inventory["injected"]["duplicate"] > 200
    assert inventory["injected"]["malformed"] > 100

    def is_counted() -> bool:
        rows = stack.ask("SELECT source, upper(counted) - 1 AS last FROM stream.source_range")
        last = {row["source"]: row["last"] for row in rows}
        return all(last.get(source) == seq for source, seq in inventory["sources"].items())

    wait_until(is_counted, 120, "every line is counted")
    stack.report("2026-11-09T00:00:00Z", "2026-11-12T01:00:00Z")
    measures = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
    expected_hours = {hour["hour_start"][:13]: hour for hour in inventory["hours"] if hour["hits"]}
    assert len(expected_hours) >= 48
    for view, dimension in (("traffic", None), ("page", "path"), ("country", "country")):
        found = {
            (f"{row['hour_start']:%Y-%m-%dT%H}", row[dimension] if dimension else None): {
                name: int(row[name]) for name in measures
            }
            for row in stack.ask(f"SELECT * FROM report.current_hourly_{view} WHERE site = 'proof'")  # noqa: S608
        }
        expected = {
            (hour_start, name): {measure: cell[measure] for measure in measures}
            for hour_start, hour in expected_hours.items()
            for name, cell in (_cells(hour, view) if dimension else {None: hour}).items()
        }
        assert found == expected
    found_statuses = {
        (f"{row['hour_start']:%Y-%m-%dT%H}", str(row["status_class"])): (int(row["hits"]), int(row["bytes_sent"]))
        for row in stack.ask("SELECT * FROM report.current_hourly_status WHERE site = 'proof'")
    }
    assert found_statuses == {
        (hour_start, name): (cell["hits"], cell["bytes_sent"])
        for hour_start, hour in expected_hours.items()
        for name, cell in hour["status_classes"].items()
    }


def _cells(hour: dict[str, Any], view: str) -> dict[str, Any]:
    return dict(hour["pages" if view == "page" else "countries"])

"""What grows stays in bounds: logs of ended jobs, output of running ones, samples of rejected records."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plugins.job_log import expire_logs, last_lines, shorten_log
from plugins.upkeep import expire_task_logs
from sql.launches import expire_rejected_samples
from sql.warehouse import Warehouse

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)


def written(path: Path, days_ago: float, text: str = "x\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    at = (NOON - timedelta(days=days_ago)).timestamp()
    os.utime(path, (at, at))
    return path


def test_only_old_logs_of_ended_jobs_are_deleted(tmp_path: Path) -> None:
    old = written(tmp_path / "traffic_stream-1.log", 15)
    old_rest = written(tmp_path / "traffic_stream-1.log.1", 15)
    young = written(tmp_path / "traffic_stream-2.log", 13)
    running = written(tmp_path / "log_generator-3.log", 15)
    foreign = written(tmp_path / "postgres.log", 99)
    before = NOON - timedelta(days=14)
    deleted = expire_logs(tmp_path, ["traffic_stream", "log_generator"], [running], before)
    assert deleted == [old, old_rest]
    assert young.exists()
    assert running.exists()
    assert foreign.exists()


def test_old_task_logs_go_with_their_empty_folders_and_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    outside = written(tmp_path / "outside" / "kept.log", 99)
    written(folder / "dag_id=a" / "run_id=1" / "attempt=1.log", 31)
    young = written(folder / "dag_id=a" / "run_id=2" / "attempt=1.log", 29)
    (folder / "latest").symlink_to(outside.parent)
    at = (NOON - timedelta(days=31)).timestamp()
    os.utime(folder / "dag_id=a" / "run_id=1", (at, at))
    assert expire_task_logs(folder, NOON - timedelta(days=30)) == 1
    assert young.exists()
    assert outside.exists()


def test_a_log_that_outgrew_its_limit_is_emptied_while_its_job_goes_on_writing(tmp_path: Path) -> None:
    log = tmp_path / "traffic_stream-1.log"
    script = (
        "import sys, time\nfor n in range(2000):\n    print('line', n, flush=True)\ntime.sleep(1)\n"
        "print('after', flush=True)"
    )
    with log.open("ab") as output:
        job = subprocess.Popen([sys.executable, "-c", script], stdout=output)
    while "line 1999" not in last_lines(log, 1):
        time.sleep(0.05)
    assert shorten_log(log, limit_bytes=2000)
    job.wait(10)
    assert log.read_text(encoding="utf-8") == "after\n"
    assert last_lines(log.with_name("traffic_stream-1.log.1"), 1) == ["line 1999"]
    assert not shorten_log(log, limit_bytes=2000)


def test_control_bytes_in_a_log_are_shown_not_sent_to_the_reader(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_bytes(b"fine\n\x1b[31mred\x07 \xff\xe2\x80\xae\n")
    assert last_lines(log, 2) == ["fine", "\\x1b[31mred\\x07 \ufffd\\u202e"]


def test_a_missing_or_empty_log_is_said_so(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.log", 3) == [f"(no log at {tmp_path / 'none.log'})"]
    (tmp_path / "empty.log").touch()
    assert last_lines(tmp_path / "empty.log", 3) == ["(the log is empty)"]


@pytest.mark.services
def test_samples_of_rejected_records_stay_for_seven_days(warehouse: Warehouse) -> None:
    with warehouse.transaction() as cursor:
        cursor.execute(
            "INSERT INTO stream.topic VALUES ('00000000-0000-0000-0000-000000000001', 'c', 'web.access', now())"
        )
        for offset, days in enumerate((8, 7, 6)):
            cursor.execute(
                "INSERT INTO stream.rejected_record VALUES "
                "('00000000-0000-0000-0000-000000000001', 0, %s, %s, 'why', NULL, NULL, 'sample')",
                (offset, NOON - timedelta(days=days)),
            )
    assert expire_rejected_samples(warehouse, NOON, days=7) == 1
    assert expire_rejected_samples(warehouse, NOON, days=7) == 0

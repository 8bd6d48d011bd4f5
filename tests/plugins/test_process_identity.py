"""A process is signalled only when id, start time and token agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from plugins.process_identity import end_process, find_process
from sql.launches import Launch
from sql.warehouse import Warehouse
from tests.plugins.conftest import Start, eventually, has_epoch

pytestmark = pytest.mark.services


def test_a_stranger_with_our_process_id_is_never_touched(start: Start, stranger: psutil.Process) -> None:
    ours = start()
    reused = replace(ours, pid=stranger.pid, process_started_at=datetime.fromtimestamp(stranger.create_time(), UTC))
    assert find_process(reused) is None
    assert end_process(reused, patience_seconds=1) == "was gone"
    assert stranger.is_running()


def test_a_process_that_started_at_another_time_is_not_ours(start: Start) -> None:
    ours = start()
    assert ours.process_started_at is not None
    earlier = replace(ours, process_started_at=ours.process_started_at - timedelta(seconds=60))
    assert find_process(ours) is not None
    assert find_process(earlier) is None


def test_a_process_with_another_token_is_not_ours(start: Start) -> None:
    ours, other = start(), start()
    assert find_process(replace(ours, launch_id=other.launch_id)) is None


def test_a_process_ends_on_sigterm(start: Start) -> None:
    ours = start()
    assert end_process(ours, patience_seconds=5) == "ended on SIGTERM"
    assert find_process(ours) is None


def test_a_process_that_ignores_sigterm_is_killed(warehouse: Warehouse, start: Start) -> None:
    deaf = start("--mode", "deaf")
    assert eventually(lambda: has_epoch(warehouse, deaf))
    assert end_process(deaf, patience_seconds=0.5) == "killed"
    assert find_process(deaf) is None


def test_a_stopped_process_is_killed(start: Start) -> None:
    ours = start()
    process = find_process(ours)
    assert process is not None
    process.suspend()
    # Of two pending signals the kernel delivers the smaller number first, which is SIGTERM.
    assert eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    assert end_process(ours, patience_seconds=0.5) == "killed"


def test_an_ended_process_is_gone(start: Start) -> None:
    ours: Launch = start("--mode", "crash")
    assert eventually(lambda: find_process(ours) is None)
    assert end_process(ours, patience_seconds=1) == "was gone"

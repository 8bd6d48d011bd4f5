"""A launch is written down before its process exists, and the process outlives who launched it."""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

from plugins.airflow_command import command_environment
from plugins.job_log import last_lines
from plugins.launcher import Surroundings, job_environment, launch_detached, seems_alive
from plugins.process_identity import find_process
from sql.launches import open_launches, read_launch, record_launch
from sql.warehouse import Warehouse
from tests.plugins.conftest import Start, eventually, has_epoch

pytestmark = pytest.mark.services


def test_a_launched_process_has_its_own_session_and_writes_to_its_own_private_log(
    warehouse: Warehouse, start: Start
) -> None:
    launch = start()
    assert launch.pid is not None
    assert os.getsid(launch.pid) == launch.pid
    assert os.getsid(launch.pid) != os.getsid(0)
    assert eventually(lambda: "detached job in mode obey" in last_lines(Path(launch.log_path), 5))
    assert Path(launch.log_path).stat().st_mode & 0o777 == 0o600
    assert eventually(lambda: has_epoch(warehouse, launch))


def test_launcher_and_process_note_the_same_identity(warehouse: Warehouse, start: Start) -> None:
    launch = start()
    assert eventually(lambda: has_epoch(warehouse, launch))
    noted = read_launch(warehouse, launch.launch_id)
    assert noted is not None
    assert (noted.pid, noted.process_started_at) == (launch.pid, launch.process_started_at)
    assert find_process(noted) is not None


def test_a_command_that_cannot_be_started_leaves_a_launch_that_says_why(
    warehouse: Warehouse, surroundings: Surroundings
) -> None:
    launch_id = str(uuid.uuid4())
    with pytest.raises(FileNotFoundError):
        launch_detached(warehouse, "traffic_stream", launch_id, ["/nowhere/python", launch_id], surroundings)
    launch = read_launch(warehouse, launch_id)
    assert launch is not None
    assert launch.end_reason is not None
    assert "could not be started" in launch.end_reason


def test_a_command_without_its_launch_id_is_refused_before_anything_is_written(
    warehouse: Warehouse, surroundings: Surroundings
) -> None:
    with pytest.raises(ValueError, match="does not carry its id"):
        launch_detached(warehouse, "traffic_stream", str(uuid.uuid4()), ["true"], surroundings)
    assert open_launches(warehouse, "traffic_stream") == []


def test_words_of_a_command_reach_no_shell(warehouse: Warehouse, surroundings: Surroundings, tmp_path: Path) -> None:
    launch_id = str(uuid.uuid4())
    hostile = ["; touch x", "$(touch x)", "`touch x`", "{{ 7*7 }}", "' \" |", "-rf"]
    show = [sys.executable, "-c", "import sys; print(*map(repr, sys.argv[1:]), sep='\\n')"]
    launch = launch_detached(warehouse, "traffic_stream", launch_id, [*show, launch_id, *hostile], surroundings)
    assert eventually(lambda: len(last_lines(Path(launch.log_path), 20)) == 1 + len(hostile))
    assert last_lines(Path(launch.log_path), len(hostile)) == [repr(word) for word in hostile]
    assert list(surroundings.working_folder.glob("x")) == []


def test_airflows_settings_are_not_passed_on_but_ours_are() -> None:
    environment = {
        "AIRFLOW_HOME": "a",
        "AIRFLOW__CORE__FERNET_KEY": "b",
        "_AIRFLOW_X": "c",
        "FOOTFALL_HOME": "d",
        "PATH": "e",
    }
    assert job_environment(environment) == {"FOOTFALL_HOME": "d", "PATH": "e"}


def test_airflows_commands_get_its_home_but_not_the_blocked_database_address() -> None:
    environment = {
        "AIRFLOW_HOME": "a",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "airflow-db-not-allowed:///",
        "AIRFLOW__CORE__SQL_ALCHEMY_CONN": "airflow-db-not-allowed:///",
        "PATH": "e",
    }
    assert command_environment(environment) == {"AIRFLOW_HOME": "a", "PATH": "e"}


def test_a_launch_whose_process_never_came_counts_as_dead_after_half_a_minute(warehouse: Warehouse) -> None:
    launch_id = str(uuid.uuid4())
    record_launch(warehouse, launch_id, "traffic_stream", "here", "/tmp/none.log")
    assert seems_alive(_aged(warehouse, launch_id, 5), "here")
    assert not seems_alive(_aged(warehouse, launch_id, 31), "here")


def test_on_another_host_only_a_fresh_heartbeat_means_alive(warehouse: Warehouse, start: Start) -> None:
    launch = start()
    assert seems_alive(launch, "another host", heartbeat_age_seconds=2)
    assert not seems_alive(launch, "another host", heartbeat_age_seconds=31)
    assert not seems_alive(launch, "another host", heartbeat_age_seconds=None)


def test_a_killed_process_that_nobody_waited_for_is_not_alive(warehouse: Warehouse, start: Start) -> None:
    launch = start()
    assert launch.pid is not None
    psutil.Process(launch.pid).kill()
    time.sleep(0.3)
    assert not seems_alive(launch, launch.host)


def _aged(warehouse: Warehouse, launch_id: str, seconds: float):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    launch = read_launch(warehouse, launch_id)
    assert launch is not None
    return replace(launch, age_seconds=seconds)

"""What holds for every DAG, and that the bag loads fast and without errors."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import CronPartitionTimetable
from airflow.sdk.exceptions import ParamValidationError

from settings import CHECKOUT

DAG_IDS = [
    "anomaly_alert",
    "audit",
    "daily_traffic_report",
    "hourly_traffic_report",
    "log_generator",
    "log_import",
    "maintenance",
    "report_quality",
    "stream_control",
    "traffic_forecast",
    "traffic_stream",
]
BY_HAND = {"log_generator", "log_import", "stream_control"}
FILES = sorted((CHECKOUT / "dags").glob("*.py"))

LOAD = """
import json, sys, time
import airflow
from airflow.dag_processing.dagbag import DagBag
import airflow.sdk, airflow.triggers.base
since = time.perf_counter()
bag = DagBag(sys.argv[1])
print(json.dumps({"seconds": time.perf_counter() - since, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="session")
def fresh_load() -> dict[str, Any]:
    """The bag loaded in a process of its own: how long it took, which modules it brought."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(CHECKOUT / "dags")],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_bag_loads_without_errors_and_holds_the_public_ids(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert sorted(bag.dags) == DAG_IDS


def test_the_whole_bag_is_parsed_within_two_seconds(fresh_load: dict[str, Any]) -> None:
    assert fresh_load["seconds"] < 2


@pytest.mark.parametrize("library", ["pyspark", "great_expectations", "pandas", "numpy", "scipy", "kafka"])
def test_parsing_does_not_import_what_only_tasks_need(fresh_load: dict[str, Any], library: str) -> None:
    assert library not in fresh_load["modules"]


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_dag_tells_purpose_when_parameters_and_what_to_do_when_it_is_red(bag: DagBag, dag_id: str) -> None:
    doc = bag.dags[dag_id].doc_md
    assert doc is not None
    parameters = "**Parameters.**"
    for heading in ("**Purpose.**", "**When.**", parameters, "**When it is red.**"):
        assert heading in doc
    for name in bag.dags[dag_id].params:
        assert f"`{name}`" in doc or "See the form" in doc, name


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_dag_has_tags_and_its_tasks_an_owner(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert dag.tags
    assert {task.owner for task in dag.tasks} == {"footfall"}


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_parameter_has_a_type_and_a_description(bag: DagBag, dag_id: str) -> None:
    params = bag.dags[dag_id].params
    for name in params:
        param = params.get_param(name)
        assert param.description, name
        assert "type" in param.schema, name


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_nothing_runs_by_accident(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert (dag.schedule is None) == (dag_id in BY_HAND)
    assert dag.catchup is False
    assert dag.max_active_runs <= 4


def test_the_stream_has_one_run_at_a_time(bag: DagBag) -> None:
    schedule: Any = bag.dags["traffic_stream"].schedule
    assert schedule == "@continuous"
    assert bag.dags["traffic_stream"].max_active_runs == 1


def test_no_time_limit_of_airflow_ends_a_watch(bag: DagBag) -> None:
    # Airflow would take its own limit for a person's stop, and so stop the stream job.
    (task,) = bag.dags["traffic_stream"].tasks
    assert (task.execution_timeout, bag.dags["traffic_stream"].dagrun_timeout) == (None, None)


def test_the_hourly_report_emits_the_asset_that_quality_waits_for(bag: DagBag) -> None:
    (task,) = bag.dags["hourly_traffic_report"].tasks
    assert [asset.name for asset in task.outlets] == ["report.hourly_traffic"]
    schedule: Any = bag.dags["report_quality"].schedule
    assert [asset.name for asset in schedule.asset_condition.objects] == ["report.hourly_traffic"]
    # Assets of a partitioned run would start no DAG that is not partitioned.
    assert not isinstance(bag.dags["hourly_traffic_report"].timetable, CronPartitionTimetable)


def test_alerts_begin_with_an_event_of_the_watcher_and_not_with_the_clock(bag: DagBag) -> None:
    schedule: Any = bag.dags["anomaly_alert"].schedule
    (asset,) = schedule if isinstance(schedule, list) else schedule.asset_condition.objects
    (watcher,) = asset.watchers
    assert (asset.name, type(watcher.trigger).__name__) == ("report.anomaly", "AnomalyTrigger")


@pytest.mark.parametrize(
    ("dag_id", "params"),
    [
        ("stream_control", {"action": "; touch x"}),
        ("stream_control", {"action": "{{ 7*7 }}"}),
        ("log_generator", {"seed": "1; touch x"}),
        ("log_generator", {"site": "$(touch x)"}),
        ("log_generator", {"late_share": 0.9}),
        ("log_generator", {"rate": "--help"}),
        ("log_generator", {"incidents": "surge:+5m:10m"}),
        ("log_generator", {"incidents": ["--help"]}),
        ("log_generator", {"incidents": ["surge:+5m:10m\n--state:/x"]}),
        ("log_generator", {"incidents_per_day": 25}),
        ("log_import", {"path": "--help"}),
        ("log_import", {"path": "-"}),
        ("log_import", {"path": "/x", "site": "a b"}),
        ("traffic_stream", {"watch_minutes": 0}),
    ],
)
def test_hostile_parameters_are_refused_by_their_type(bag: DagBag, dag_id: str, params: dict[str, Any]) -> None:
    form = bag.dags[dag_id].params
    with pytest.raises(ParamValidationError):
        for name, value in params.items():
            form.get_param(name).__copy__().resolve(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_a_table_of_contents(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 110
    assert not [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)], "no helpers"
    assert ast.get_docstring(tree)
    assert "BashOperator" not in text
    assert "shell=True" not in text


def test_dags_is_a_folder_that_is_only_scanned() -> None:
    assert not (CHECKOUT / "dags" / "__init__.py").exists()

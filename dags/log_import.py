"""## Imports real access logs

**Purpose.** Ships a log file, or every file of a folder, to the topic, waits until the ledger has counted each line
exactly once or listed it as rejected, and has the touched hours reported.

**When.** By hand. `make import` does the same with a progress bar.

**Parameters.** `path`: file or folder on the machine Airflow runs on, plain or .gz. `site`: which site the lines
belong to. `format`: how lines are read; *auto* recognises the Apache/nginx combined and common formats; otherwise
*json* or an Apache LogFormat string.

**When it is red.** `ship`: the log names the file, the line or the broker that was the trouble. Clear the task to go
on: lines that were counted are never counted twice. `counted` waiting for long: the stream job is not running, see
`traffic_stream`. `report_hours`: see the run of `hourly_traffic_report` it links to.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, task

from plugins.counted import SourcesCountedOperator

with DAG(
    dag_id="log_import",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=2,
    doc_md=__doc__,
    tags=["producers"],
    default_args={"owner": "footfall", "retries": 1, "retry_delay": timedelta(seconds=15)},
    params={
        "path": Param(type="string", pattern="^/", maxLength=4096, description="Log file or folder, absolute path."),
        "site": Param("default", type="string", pattern="^[A-Za-z0-9._:-]{1,64}$", description="Which site."),
        "format": Param(
            "auto",
            type="string",
            minLength=1,
            maxLength=1024,
            description="auto, combined, common, json or an Apache LogFormat string.",
        ),
    },
) as dag:

    @task
    def ship(**context: Any) -> dict[str, Any]:
        """Lines by source, and the range of the touched hours."""
        from plugins.log_import import ship_logs

        params = context["params"]
        return ship_logs(params["path"], params["site"], params["format"])

    shipped = ship()
    SourcesCountedOperator(task_id="counted", shipped=shipped) >> TriggerDagRunOperator(
        task_id="report_hours",
        trigger_dag_id="hourly_traffic_report",
        conf={
            "start": "{{ ti.xcom_pull(task_ids='ship')['start'] }}",
            "end": "{{ ti.xcom_pull(task_ids='ship')['end'] }}",
        },
        wait_for_completion=True,
        deferrable=True,
        poke_interval=5,
        fail_when_dag_is_paused=True,
    )

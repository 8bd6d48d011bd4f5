"""## Seals the reports

**Purpose.** Validates every report revision that has no seal yet with Great Expectations and seals its hour green,
amber (a warning failed), red (a critical expectation failed) or unchecked (the check itself broke). The results are
rows in `quality.run`, `quality.result` and `quality.hour_seal`.

**When.** Whenever `hourly_traffic_report` has published, and daily at 03:15 UTC for what was left.

**Parameters.** None.

**When it is red.** The check broke, not the numbers: reports stay published and their hours show as unchecked. Read
the log, clear the task. A red *seal* does not turn this DAG red: look at `quality.result` for what failed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, CronTriggerTimetable, task

with DAG(
    dag_id="report_quality",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("15 3 * * *", timezone="UTC"), assets=[Asset("report.hourly_traffic")]
    ),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["quality"],
    default_args={"owner": "footfall", "retries": 1, "retry_delay": timedelta(minutes=1)},
) as dag:

    @task
    def validate(**context: Any) -> None:
        """One quality run over all unsealed revisions."""
        from plugins.report_runs import seal_reports

        seal_reports(context["dag_run"].run_id, context["dag_run"].run_after)

    validate()

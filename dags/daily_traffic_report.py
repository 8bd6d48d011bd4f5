"""## Publishes the daily reports

**Purpose.** Reports every closed UTC day whose hourly reports changed, in `report.daily_traffic`: a union of its
hours, with revisions like theirs.

**When.** Daily at 00:20 UTC, after the day's last hour was reported; later revisions of an hour are taken up by the
next run.

**Parameters.** `start`, `end`: half-open range of days (UTC) to look at instead of all. Running a range again is
harmless.

**When it is red.** The reports before stay as they are. Read the task's log, mend the cause, clear the task, or wait
for the next run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task

with DAG(
    dag_id="daily_traffic_report",
    # A run on the 2nd at 00:20 covers [1st 00:00, 2nd 00:20).
    schedule=CronTriggerTimetable("20 0 * * *", timezone="UTC", interval=timedelta(days=1, minutes=20)),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=2,
    doc_md=__doc__,
    tags=["reports"],
    default_args={"owner": "footfall", "retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "start": Param(
            None, type=["null", "string"], format="date", description="First day (UTC); empty = no bound."
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date",
            description="End of the range (UTC), not included; empty = no bound.",
        ),
    },
) as dag:

    @task
    def publish_days(**context: Any) -> int:
        """Number of revisions published."""
        from plugins.report_runs import publish_due_days

        return publish_due_days(context["dag_run"].run_after, context["params"]["start"], context["params"]["end"])

    publish_days()

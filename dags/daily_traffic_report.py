"""## Publishes the daily reports

**Purpose.** Reports every closed UTC day whose hourly reports changed, in `report.daily_traffic`: sums of its hours,
and unions of their visitors and latencies. Reports the visits that began on each day, in `report.daily_visit`,
`daily_entry_page` and `daily_exit_page`. All with revisions like those of the hours.

**When.** Daily at 00:40 and 01:40 UTC. At 00:40 the day's last hour is reported, and so is a day whose visits have
ended. A day of which somebody went on after midnight is reported at 01:40 with what there is, before the audit; the
next day's runs make a revision of what came after that.

**Parameters.** `start`, `end`: half-open range of days (UTC) to look at instead of all. Running a range again is
harmless.

**When it is red.** The reports before stay as they are, and the two tasks do not depend on each other. Read the red
task's log, mend the cause, clear the task, or wait for the next run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task

with DAG(
    dag_id="daily_traffic_report",
    # A run on the 2nd at 00:40 covers [1st 00:00, 2nd 00:40).
    schedule=CronTriggerTimetable("40 0,1 * * *", timezone="UTC", interval=timedelta(days=1, minutes=40)),
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

    @task
    def publish_visits(**context: Any) -> int:
        """Number of revisions published."""
        from plugins.report_runs import publish_due_visits

        return publish_due_visits(context["dag_run"].run_after, context["params"]["start"], context["params"]["end"])

    [publish_days(), publish_visits()]

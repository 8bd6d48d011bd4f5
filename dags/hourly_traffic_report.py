"""## Publishes the hourly reports

**Purpose.** Reports every closed hour that has no report yet or was added to since (late data): first report or next
revision, in `report.hourly_traffic`, `hourly_page`, `hourly_country`, `hourly_status`, `hourly_dimension`,
`hourly_visitor` and `hourly_latency`. An hour also gets a revision when a rule gives another agent class than it did.
An hour closes five minutes after its end. Emits the asset `report.hourly_traffic`, on which `report_quality` seals
the new revisions.

**When.** Hourly at minute 5 for the hour before, with whatever else is due; missed hours need no catch-up.

**Parameters.** `start`, `end`: half-open range of hours (UTC) to look at instead of all. Running a range again is
harmless: an unchanged hour changes nothing, and two runs at once publish each revision once.

**When it is red.** The reports before stay as they are. Read the task's log, mend the cause (most often Postgres),
and clear the task, or wait: the next run makes up for it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, task

with DAG(
    dag_id="hourly_traffic_report",
    # A run at 11:05 covers [10:00, 11:05): the hour and the five minutes in which it may still change. A partitioned
    # timetable would name the hour, too, but its assets would never start a DAG that is not partitioned.
    schedule=CronTriggerTimetable("5 * * * *", timezone="UTC", interval=timedelta(hours=1, minutes=5)),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
    doc_md=__doc__,
    tags=["reports"],
    default_args={"owner": "footfall", "retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="First hour to look at (RFC 3339, UTC); empty = no bound.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="End of the range, not included (RFC 3339, UTC); empty = no bound.",
        ),
    },
) as dag:

    @task(outlets=[Asset("report.hourly_traffic")])
    def publish_hours(**context: Any) -> int:
        """Number of revisions published. What is closed is decided by when the run was due, not by the clock."""
        from plugins.report_runs import publish_due_hours

        return publish_due_hours(context["dag_run"].run_after, context["params"]["start"], context["params"]["end"])

    publish_hours()

"""## Proves the reports by a second path

**Purpose.** Reads the records of reported hours from Kafka again, exactly those the ledger holds, computes every
figure of their reports another way (Spark SQL over single lines, no sketch, no histogram), and compares cell by cell.
The outcome is a row in `quality.audit`, each figure that differs one in `quality.audit_difference`, and an hour with
a difference is sealed red. What it proves and what not: docs/audit.md.

**When.** Daily at 02:10 UTC for the day before, and by hand for any period whose records Kafka still has (48 hours by
default). One at a time. `make audit` does the same on the command line.

**Parameters.** `start`, `end`: half-open range of hours (UTC) to audit; empty = the day before.

**When it is red.** The audit could not run: the task's log says why (most often Kafka or Postgres was away, or
another audit ran). Clear the task; it changes no report. *Skipped*: no hour of the period could be checked, the log
says why. Differences leave this DAG green and turn *seals* red: see `quality.audit_difference`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param

from plugins.audit_job import AuditOperator

with DAG(
    dag_id="audit",
    schedule=CronTriggerTimetable("10 2 * * *", timezone="UTC", interval=timedelta(days=1, hours=2, minutes=10)),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["quality"],
    default_args={"owner": "footfall", "retries": 2, "retry_delay": timedelta(minutes=10)},
    params={
        "start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="First hour to audit (RFC 3339, UTC); empty = the day before, from its midnight.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="End of the period, not included (RFC 3339, UTC); empty = the last midnight.",
        ),
    },
) as dag:
    AuditOperator(task_id="compare")

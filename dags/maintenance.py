"""## Keeps what grows in bounds

**Purpose.** Keeps each kind of data as long as docs/privacy.md says: deletes samples of rejected records (their
numbers stay), keys of visitor hashes, visits and sketches behind old reports; unites the sketches of hours that ended
three days ago; sums up old 10-second buckets by the hour; deletes the bands of buckets older than
`FOOTFALL_TREND_DAYS`, Airflow's own records and task logs older than 30 days, and the output files of ended jobs
older than 14 days; shortens the output of running jobs beyond 64 MiB. No published number changes.

**When.** Daily at 04:30 UTC.

**Parameters.** None; the days are settings (`FOOTFALL_BUCKETS_DAYS`, `FOOTFALL_VISITS_DAYS`, `FOOTFALL_SKETCH_DAYS`,
`FOOTFALL_VISITOR_KEY_DAYS`, `FOOTFALL_REJECTED_SAMPLE_DAYS`).

**When it is red.** Nothing is lost: the tasks do not depend on each other, and the next day's run catches up. Read
the log of the red task; clear it to try again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task

with DAG(
    dag_id="maintenance",
    schedule=CronTriggerTimetable("30 4 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["operations"],
    default_args={"owner": "footfall", "retries": 1, "retry_delay": timedelta(minutes=5)},
) as dag:

    @task
    def expire_rejected_samples(**context: Any) -> int:
        """Number of samples deleted."""
        from plugins.upkeep import expire_rejected_samples

        return expire_rejected_samples(context["dag_run"].run_after)

    @task
    def delete_visitor_keys(**context: Any) -> list[str]:
        """Names of the keys deleted."""
        from plugins.upkeep import delete_visitor_keys

        return delete_visitor_keys(context["dag_run"].run_after)

    @task
    def expire_details(**context: Any) -> dict[str, int]:
        """Buckets, visits and sketches behind old reports."""
        from plugins.upkeep import expire_details

        return expire_details(context["dag_run"].run_after)

    @task
    def expire_bands(**context: Any) -> int:
        """Number of buckets whose bands were deleted; incidents keep theirs."""
        from plugins.upkeep import expire_bands

        return expire_bands(context["dag_run"].run_after)

    @task
    def clean_airflow_records(**context: Any) -> None:
        """`airflow db clean`; the last scheduled run of each DAG always stays."""
        from plugins.upkeep import clean_airflow_records

        clean_airflow_records(context["dag_run"].run_after - timedelta(days=30))

    @task
    def tidy_logs(**context: Any) -> None:
        """Output files of jobs, and task logs."""
        from plugins.upkeep import tidy_logs

        tidy_logs(context["dag_run"].run_after)

    @task
    def compact_sketches(**context: Any) -> int:
        """By how many sketches there are fewer; no figure changes."""
        from plugins.upkeep import compact_sketches

        return compact_sketches(context["dag_run"].run_after - timedelta(days=3))

    [
        delete_visitor_keys(),
        compact_sketches() >> expire_details(),
        expire_rejected_samples(),
        expire_bands(),
        clean_airflow_records(),
        tidy_logs(),
    ]

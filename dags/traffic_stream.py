"""## Keeps the stream job running

**Purpose.** Makes sure that exactly one stream job counts the topic into Postgres, and watches it. The job lives
on its own: neither Airflow's death nor a restart of it stops the job or starts a second one.

**When.** All the time: each run watches for `watch_minutes`, then the next one takes over, so the grid reads as an
uptime record. Green: alive for the whole window. Red: the job died, stalled, or could not count. Skipped: it was
wished stopped.

**Parameters.** `watch_minutes`: length of the window.

**Stop.** With the DAG `stream_control`. Marking, clearing or failing a running `stream_job` task stops the job, too,
and it stays stopped until `stream_control` says start. Pausing this DAG leaves the job alone, but unwatched.

**When it is red.** The next run has launched the job again already. The task's log ends with the job's last words and
the last lines of its output (`logs/traffic_stream-<launch>.log` in the state folder). After more than five failures
in ten minutes launches wait, up to five minutes each, and `make status` says "degraded, backing off" with the reason.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from plugins.stream_job import StreamJobOperator

with DAG(
    dag_id="traffic_stream",
    schedule="@continuous",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["stream"],
    default_args={"owner": "footfall", "retries": 2, "retry_delay": timedelta(seconds=5)},
    params={
        "watch_minutes": Param(
            15, type="integer", minimum=1, maximum=24 * 60, description="Length of a run's watch window, in minutes."
        )
    },
) as dag:
    StreamJobOperator(task_id="stream_job")

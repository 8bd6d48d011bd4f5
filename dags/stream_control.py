"""## Stops, starts or restarts the stream job

**Purpose.** Steers the stream job gracefully: it finishes its batch, notes its position and ends. Nothing is lost:
what arrives meanwhile waits in Kafka and is counted after the start.

**When.** By hand.

**Parameters.** `action`: *stop* wishes it stopped and waits (after two minutes it is ended by signal), *start* wishes
it running and makes sure that `traffic_stream` is not paused, *restart* does both.

**When it is red.** The log says what could not be reached. A stop that failed is still wished: the job ends by itself
as soon as it can read that.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, Param, task

with DAG(
    dag_id="stream_control",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["stream"],
    default_args={"owner": "footfall", "retries": 0},
    params={
        "action": Param(
            "restart", type="string", enum=["stop", "start", "restart"], description="What the stream job shall do."
        )
    },
) as dag:

    @task
    def stop(**context: Any) -> str:
        """How the job ended."""
        from plugins.stream_steering import stop_if_asked

        return stop_if_asked(context["params"]["action"])

    @task
    def start(**context: Any) -> None:
        """The DAG traffic_stream launches the job within seconds."""
        from plugins.stream_steering import start_if_asked

        start_if_asked(context["params"]["action"])

    stop() >> start()

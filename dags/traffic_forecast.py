"""## Forecasts the next 24 hours

**Purpose.** Forecasts hits, bytes, errors, latency, the 20 largest pages and the 10 largest countries of every live
site by hour, with a 95 % band, by least squares over up to four weeks of published hours. Each forecast is kept as it
was made (`report.forecast`); `report.forecast_score` holds it against what came, and against the plain rule "as a
week ago".

**When.** Hourly at minute 10, after the hour's report. A site needs 48 hours of history, and traffic in the last day.

**Parameters.** None.

**When it is red.** The forecasts before stay. Read the log, mend the cause, clear the task, or wait: the next run
makes newer ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task

with DAG(
    dag_id="traffic_forecast",
    schedule=CronTriggerTimetable("10 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["trends"],
    default_args={"owner": "footfall", "retries": 2, "retry_delay": timedelta(seconds=30)},
) as dag:

    @task
    def forecast(**context: Any) -> int:
        """Number of series forecast."""
        from plugins.forecast_runs import make_forecasts

        return make_forecasts(context["dag_run"].run_after)

    forecast()

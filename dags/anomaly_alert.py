"""## Tells of anomalies

**Purpose.** Sends one alert when an incident of a live site opens, one when it is over, and one when late lines show
that it was none: what was seen, expected, and which page, country, status or agent class made the difference
(`report.anomaly`). Alerts go to the Airflow connection `footfall_alerts` (SMTP, Slack or a webhook), or without it to
the log of this task. `report.alert` holds what was sent.

**When.** As soon as an incident changes: an asset watcher in the triggerer sees it within seconds. By hand: tells
what is still untold.

**Parameters.** None.

**When it is red.** An alert could not be sent; the log says why. Mend the connection and clear the task: what surely
failed is sent then. An alert whose sender died half-way is not sent again; it shows in `report.alert` without
`sent_at`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from airflow.sdk import DAG, Asset, AssetWatcher, Context, task

from plugins.anomaly_trigger import AnomalyTrigger

with DAG(
    dag_id="anomaly_alert",
    schedule=[Asset("report.anomaly", watchers=[AssetWatcher(name="anomaly_change", trigger=AnomalyTrigger())])],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["trends"],
    default_args={"owner": "footfall", "retries": 3, "retry_delay": timedelta(seconds=20)},
) as dag:

    @task
    def send(**context: Any) -> int:
        """Number of alerts sent."""
        from plugins.anomaly_alerts import send_alerts

        return send_alerts(cast(Context, context), context["dag_run"].run_id)

    send()

"""What ``anomaly_alert`` does: takes each change of an incident on, then tells it; no change is told twice."""

from __future__ import annotations

import logging

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from plugins.alert_channels import channel, notifier
from plugins.alert_text import alert_text
from plugins.anomaly_trigger import alert_warehouse
from settings import Settings
from sql.warehouse import Row, Warehouse

log = logging.getLogger(__name__)


def send_alerts(context: Context, run_id: str) -> int:
    """Tell everything that is untold; returns the number of alerts.

    An alert is taken on (committed) before it is sent. A sender that dies in between leaves it taken on and not
    sent: nobody knows then whether it went out, and nobody sends it again. What surely failed is tried again by the
    same run's next try. Raises AirflowException when an alert could not be sent.
    """
    settings = Settings()
    sent, failures = 0, []
    with alert_warehouse(settings) as warehouse:
        for anomaly in warehouse.rows("trends/unsent_alerts", {"run_id": run_id}):
            failure = _send(warehouse, anomaly, context, run_id, settings.alert_connection)
            if failure is None:
                continue
            if failure:
                failures.append(f"incident {anomaly['anomaly_id']} {anomaly['state']}: {failure}")
            else:
                sent += 1
    log.info("%d alerts sent", sent)
    if failures:
        raise AirflowException("; ".join(failures))
    return sent


def _send(warehouse: Warehouse, anomaly: Row, context: Context, run_id: str, connection_id: str) -> str | None:
    """Why it failed, empty when it was sent, None when another run has it."""
    key = {"anomaly_id": anomaly["anomaly_id"], "state": anomaly["state"]}
    claim = key | {"run_id": run_id, "channel": channel(connection_id)}
    if not warehouse.rows("trends/claim_alert", claim):
        return None
    failure = ""
    try:
        notifier(connection_id, alert_text(anomaly)).notify(context)
    except AirflowFailException as error:
        failure = str(error)
    except Exception as error:
        log.exception("an alert could not be sent")
        failure = f"{type(error).__name__}: {error}"
    warehouse.run("trends/finish_alert", key | {"failure": failure[:500] or None})
    return failure

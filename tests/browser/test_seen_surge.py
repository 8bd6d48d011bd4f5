"""A surge on the running stack: found, explained, shown and told once, in time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from sql.warehouse import Row, Warehouse
from tests.browser.conftest import Open
from tests.pipeline.conftest import Stack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

HEADS = "SELECT * FROM report.anomaly WHERE site = 'watched' AND head_id IS NULL ORDER BY anomaly_id"


def alert_runs(stack: Stack) -> list[Row]:
    """Runs of ``anomaly_alert`` in Airflow's own database."""
    with Warehouse(stack.settings.dsn("airflow"), "footfall-test") as airflow, airflow.transaction() as cursor:
        cursor.execute("SELECT run_id, state, run_type FROM dag_run WHERE dag_id = 'anomaly_alert'")
        return [dict(row) for row in cursor.fetchall()]


def alert_sent(stack: Stack, state: str) -> bool:
    sent = """
        SELECT 1 FROM report.alert AS t JOIN report.anomaly AS a USING (anomaly_id)
        WHERE a.site = 'watched' AND t.state = %(state)s AND t.sent_at IS NOT NULL
    """
    return bool(stack.ask(sent, state=state))


def test_an_injected_surge_is_told_once_within_forty_seconds_and_names_its_page(
    stack: Stack, watched: Path, open_page: Open
) -> None:
    wait_until(lambda: bool(stack.ask(HEADS)), 420, "the surge opens an incident")
    (incident,) = stack.ask(HEADS)
    wait_until(lambda: alert_sent(stack, "open"), 30, "it is told")
    page = open_page("/footfall/live?site=watched")
    expect(page.locator(".anomalies")).to_contain_text("Surge in ", timeout=15_000)
    # While the site still has its usual hits: their end would be an incident of its own.
    wait_until(lambda: alert_sent(stack, "closed"), 240, "its end is told")
    heads = stack.ask(HEADS)
    (planned,) = json.loads((watched / "inventory.json").read_text())["incidents"]
    began = datetime.fromisoformat(planned["start"])
    found_after = (incident["noticed_at"] - began.astimezone(UTC)).total_seconds()
    alerts = stack.ask(
        "SELECT dag_run_id, state, channel, sent_at FROM report.alert WHERE anomaly_id = %(n)s ORDER BY claimed_at",
        n=incident["anomaly_id"],
    )
    print(f"found {found_after:.1f} s after its first event, told {alerts[0]['sent_at'] - began} after it")
    assert 0 < found_after <= 40
    assert incident["direction"] == "above"
    named = [incident["series_name"]] if incident["series_kind"] == "page" else []
    named += [part["value"] for part in incident["contributors"] if part["dimension"] == "page"]
    assert named[0] == "/products"
    assert incident["contributors"][0]["value"] == "/products"
    assert [(alert["state"], alert["channel"]) for alert in alerts] == [("open", "log"), ("closed", "log")]
    runs = {run["run_id"]: run for run in alert_runs(stack)}
    assert {run["run_type"] for run in runs.values()} == {"asset_triggered"}
    told = stack.ask("SELECT count(*)::int AS n, count(DISTINCT dag_run_id)::int AS runs FROM report.alert")
    assert len(runs) == told[0]["runs"]
    assert len(heads) == 1, "one incident is one row"

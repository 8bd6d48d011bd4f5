"""Each change of an incident is told once: claimed in a real database, sent to a real web server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException

from plugins.alert_channels import notifier
from plugins.alert_text import AlertText, alert_text, recompute_query
from plugins.anomaly_alerts import send_alerts
from plugins.anomaly_trigger import AnomalyTrigger
from settings import Settings
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import execute, select

pytestmark = pytest.mark.services

PART = {"dimension": "page", "value": "/x<'{{ 7*7 }}", "observed": 412.0, "before": 12.0, "share": 0.91}


class Receiver:
    """A web server that keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.answer = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.answer)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    one = Receiver()
    url = f"http://127.0.0.1:{one.server.server_port}/hook"
    monkeypatch.setenv("AIRFLOW_CONN_FOOTFALL_ALERTS", json.dumps({"conn_type": "http", "host": url}))
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def admin(stack: Settings) -> Iterator[Warehouse]:
    with Warehouse(stack.dsn("footfall_admin"), "test-admin") as warehouse:
        yield warehouse


def incident(admin: Warehouse, head_id: int | None = None, age: timedelta = timedelta(0)) -> int:
    """A new open incident; returns its number."""
    opened = datetime.now(UTC).replace(microsecond=0) - age
    (row,) = execute(
        admin,
        "INSERT INTO stream.anomaly (site, series_kind, series_name, hour_start, started_at, opened_at, noticed_at,"
        " window_seconds, state, direction, severity, observed, expected, band_low, band_high, peak, contributors,"
        " head_id) VALUES ('shop', 'page', %(name)s, date_trunc('hour', %(opened)s, 'UTC'), %(started)s, %(opened)s,"
        " %(opened)s, 10, 'open', 'above', 'critical', 412, 80, 52, 113, 430, %(parts)s, %(head)s)"
        " RETURNING anomaly_id",
        {
            "name": f"/x{head_id or ''}{age.total_seconds():.0f}",
            "opened": opened,
            "started": opened - timedelta(seconds=20),
            "parts": json.dumps([PART]),
            "head": head_id,
        },
    )
    return int(row["anomaly_id"])


def test_each_change_of_an_incident_is_told_once_with_all_that_a_reader_needs(
    admin: Warehouse, receiver: Receiver
) -> None:
    number = incident(admin)
    incident(admin, head_id=number)
    incident(admin, age=timedelta(days=2))
    assert send_alerts({}, "run-1") == 1
    assert send_alerts({}, "run-2") == 0
    (told,) = receiver.received
    for words in (
        "412 hits",
        "expected 80",
        "band 52 to 113",
        "critical",
        "91% of the difference: page /x&lt;'{{ 7*7 }}",
    ):
        assert words in told["text"], words
    execute(
        admin, "UPDATE stream.anomaly SET state = 'closed', closed_at = now() WHERE anomaly_id = %(n)s", {"n": number}
    )
    assert send_alerts({}, "run-3") == 1
    assert "back in its band" in receiver.received[1]["subject"]
    assert select(admin, "SELECT anomaly_id, state, dag_run_id, channel, sent_at IS NULL AS untold FROM report.alert"
                         " ORDER BY claimed_at") == [
        (number, "open", "run-1", "http", False), (number, "closed", "run-3", "http", False)
    ]  # fmt: skip


def test_what_surely_failed_is_tried_again_by_its_run_and_by_no_other(admin: Warehouse, receiver: Receiver) -> None:
    incident(admin)
    receiver.answer = 500
    with pytest.raises(AirflowException, match="500"):
        send_alerts({}, "run-1")
    receiver.answer = 200
    assert send_alerts({}, "run-2") == 0
    assert send_alerts({}, "run-1") == 1
    assert select(admin, "SELECT failure, sent_at IS NULL AS untold FROM report.alert") == [(None, False)]


def test_an_alert_whose_sender_died_is_not_sent_again(admin: Warehouse, receiver: Receiver) -> None:
    number = incident(admin)
    execute(
        admin,
        "INSERT INTO report.alert (anomaly_id, state, dag_run_id, channel) VALUES (%(n)s, 'open', 'run-1', 'http')",
        {"n": number},
    )
    assert send_alerts({}, "run-1") == 0
    assert receiver.received == []


def test_the_watcher_fires_once_for_a_change_and_again_for_the_next(admin: Warehouse, receiver: Receiver) -> None:
    async def watch() -> list[Any]:
        events = AnomalyTrigger().run()
        found = []
        number = await asyncio.to_thread(incident, admin)
        found.append((await asyncio.wait_for(anext(events), 10)).payload)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(5)
        assert not waiting.done(), "told twice"
        await asyncio.to_thread(send_alerts, {}, "run-1")
        await asyncio.to_thread(execute, admin, "UPDATE stream.anomaly SET state = 'dissolved', dissolved_at = now()")
        found.append((await asyncio.wait_for(waiting, 10)).payload)
        assert number
        return found

    first, second = asyncio.run(watch())
    assert [one["state"] for one in first] == ["open"]
    assert [one["state"] for one in second] == ["dissolved"]


def test_words_of_log_lines_are_no_templates_no_markup_and_no_sql(
    monkeypatch: pytest.MonkeyPatch, admin: Warehouse, stack: Settings
) -> None:
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "extra": {"from_email": "a@example.org", "to": "b@example.org"}}
    monkeypatch.setenv("AIRFLOW_CONN_FOOTFALL_ALERTS", json.dumps(smtp))
    mail: Any = notifier("footfall_alerts", AlertText("two\nlines", "<b>{{ 7*7 }}</b>"))
    assert (mail.subject, mail.html_content) == ("two lines", "<pre>&lt;b&gt;{{ 7*7 }}&lt;/b&gt;</pre>")
    number = incident(admin)
    (row,) = execute(admin, "SELECT * FROM report.anomaly")
    query = recompute_query(number)
    assert query in alert_text(row).body
    assert not set("`$\"\\'") & set(query)
    with Warehouse(stack.dsn("footfall_reader"), "test-reader") as reader:
        (counted,) = execute(reader, query)
    assert (counted["counted_now"], counted["observed"]) == (0.0, 412.0)  # no such site is counted here


def test_a_connection_that_cannot_carry_alerts_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, words in (("ssh", "cannot go to a ssh"), ("slackwebhook", "providers-slack"), ("smtp", "from_email")):
        monkeypatch.setenv("AIRFLOW_CONN_FOOTFALL_ALERTS", json.dumps({"conn_type": kind, "host": "127.0.0.1"}))
        with pytest.raises(AirflowException, match=words):
            notifier("footfall_alerts", AlertText("subject", "body"))

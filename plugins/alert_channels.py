"""Where alerts go: the notifier for an Airflow connection, and a log line when there is none.

| connection type       | sent by                                                                              |
|-----------------------|--------------------------------------------------------------------------------------|
| (no such connection)  | the task's log                                                                       |
| smtp                  | Airflow's SmtpNotifier; extra: {"from_email": ..., "to": ...}                        |
| slackwebhook          | Airflow's SlackWebhookNotifier, when apache-airflow-providers-slack is installed     |
| http, https, generic  | a POST of JSON to the connection's URL; Slack's and its likes' webhooks take it, too |
"""

from __future__ import annotations

import html
from typing import Any

import httpx
from airflow.sdk import BaseNotifier, Connection, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from plugins.alert_text import AlertText

LOG = "log"
_WAIT_SECONDS = 15.0


class LogNotifier(BaseNotifier):
    """Says the alert in the task's log."""

    def __init__(self, text: AlertText) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Context) -> None:
        self.log.warning("%s\n%s", self.text.subject, self.text.body)


class WebhookNotifier(BaseNotifier):
    """Posts {"text", "subject"} to a URL. ``text`` has &, < and > escaped, as chats want it; ``subject`` is plain."""

    def __init__(self, url: str, token: str | None, text: AlertText) -> None:
        super().__init__()
        self.url = url
        self.token = token
        self.text = text

    def notify(self, context: Context) -> None:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        message = {
            "text": html.escape(f"{self.text.subject}\n{self.text.body}", quote=False),
            "subject": self.text.subject,
        }
        httpx.post(self.url, json=message, headers=headers, timeout=_WAIT_SECONDS).raise_for_status()


def channel(connection_id: str) -> str:
    """Type of the connection that alerts go to, or ``log``."""
    connection = _connection(connection_id)
    return LOG if connection is None else str(connection.conn_type)


def notifier(connection_id: str, text: AlertText) -> BaseNotifier:
    """The notifier of one alert. AirflowFailException says what is missing.

    Call its ``notify``, not the notifier itself: that would take the text, which holds words from log lines, for a
    Jinja template.
    """
    connection = _connection(connection_id)
    if connection is None:
        return LogNotifier(text)
    if connection.conn_type == "smtp":
        return _smtp(connection_id, connection, text)
    if connection.conn_type == "slackwebhook":
        return _slack(connection_id, text)
    if connection.conn_type in ("http", "https", "generic"):
        return WebhookNotifier(_url(connection), connection.password, text)
    raise AirflowFailException(f"connection {connection_id}: alerts cannot go to a {connection.conn_type}")


def _connection(connection_id: str) -> Connection | None:
    try:
        connection: Connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
    return connection


def _smtp(connection_id: str, connection: Connection, text: AlertText) -> BaseNotifier:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    extra: dict[str, Any] = connection.extra_dejson
    if "to" not in extra or "from_email" not in extra:
        raise AirflowFailException(f'connection {connection_id}: its extra needs "from_email" and "to"')
    return SmtpNotifier(
        to=extra["to"],
        from_email=extra["from_email"],
        subject=" ".join(text.subject.split()),
        html_content=f"<pre>{html.escape(text.body)}</pre>",
        smtp_conn_id=connection_id,
    )


def _slack(connection_id: str, text: AlertText) -> BaseNotifier:
    try:
        from airflow.providers.slack.notifications.slack_webhook import (  # type: ignore[import-not-found]
            SlackWebhookNotifier,
        )
    except ModuleNotFoundError as error:
        raise AirflowFailException(
            f"connection {connection_id}: a slackwebhook needs the package apache-airflow-providers-slack; "
            "an http connection with the webhook's URL needs nothing"
        ) from error
    said = html.escape(f"{text.subject}\n{text.body}", quote=False)
    notifier: BaseNotifier = SlackWebhookNotifier(slack_webhook_conn_id=connection_id, text=said)
    return notifier


def _url(connection: Connection) -> str:
    host = connection.host or ""
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    if connection.port and "://" not in host:
        url += f":{connection.port}"
    return url + str(connection.extra_dejson.get("endpoint", ""))

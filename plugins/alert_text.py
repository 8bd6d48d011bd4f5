"""What an alert says: seen, expected, why, and the query that lets everybody make the judgement again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sql.warehouse import statement

_UNITS = {
    "hits": "hits",
    "bytes_sent": "bytes",
    "client_errors": "answers 4xx",
    "server_errors": "answers 5xx",
    "mean_latency_us": "µs mean latency",
    "page": "hits",
    "country": "hits",
}


@dataclass(frozen=True)
class AlertText:
    """Plain text; names in it come from log lines, so a channel with markup must escape it."""

    subject: str
    body: str


def alert_text(anomaly: Mapping[str, Any]) -> AlertText:
    """anomaly: a row of ``report.anomaly`` in the state that is told."""
    kind, name = anomaly["series_kind"], anomaly["series_name"]
    what = f"{kind} {name or '(unknown)'}" if kind in ("page", "country") else kind
    state = {
        "open": f"{anomaly['direction']} its band ({anomaly['severity']})",
        "closed": "back in its band",
        "dissolved": "no anomaly after all: late lines explain it",
    }[anomaly["state"]]
    opened = anomaly["opened_at"]
    span = timedelta(seconds=anomaly["window_seconds"])
    unit = _UNITS[kind]
    lines = [
        f"{anomaly['site']}: {what} is {state}.",
        f"Observed {_number(anomaly['observed'])} {unit} from {_moment(opened - span)} to {_moment(opened)}, "
        f"expected {_number(anomaly['expected'])}, band {_number(anomaly['band_low'])} to "
        f"{_number(anomaly['band_high'])}.",
        f"Incident {anomaly['anomaly_id']} began at {_moment(anomaly['started_at'])}; "
        f"{'largest' if anomaly['direction'] == 'above' else 'smallest'} 10 s: {_number(anomaly['peak'])} {unit}"
        + (f"; over at {_moment(anomaly['closed_at'])}." if anomaly["closed_at"] else "."),
    ]
    for part in anomaly["contributors"]:
        lines.append(
            f"{part['share']:.0%} of the difference: {part['dimension']} {part['value'] or '(unknown)'}, "
            f"{_number(part['observed'])} after {_number(part['before'])}"
        )
    query = recompute_query(anomaly["anomaly_id"])
    lines += ["To make the judgement again:", f'make sql Q="{query}"']
    return AlertText(f"Footfall: {anomaly['site']}: {what} is {state}", "\n".join(lines))


def recompute_query(anomaly_id: int) -> str:
    """The query of ``sql/trends/recompute_anomaly.sql`` for one incident, on one line."""
    text = statement("trends/recompute_anomaly")
    words = " ".join(line.strip() for line in text.splitlines() if not line.startswith("--"))
    return words % {"anomaly_id": int(anomaly_id)}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

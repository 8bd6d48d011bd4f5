"""From rows to what the page Live says: names, values, lists that add up. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.pages.charts import chart_data
from plugins.pages.countries import country_name, size_class
from plugins.pages.formats import rate
from sql.warehouse import Row

AGENTS = {
    "human": "People",
    "bot": "Declared bots",
    "tool": "Tools, scripts",
    "scanner": "Scanners",
    "unknown": "Unknown",
}
STATUSES = {1: "informational", 2: "answered", 3: "redirected", 4: "client error", 5: "server error"}


def anomaly_name(anomaly: Row) -> str:
    """Surge in hits, Drop in hits of /home"""
    kinds = {
        "hits": "hits",
        "bytes_sent": "data sent",
        "client_errors": "client errors",
        "server_errors": "server errors",
        "mean_latency_us": "latency",
        "page": "hits",
        "country": "hits",
    }
    what = kinds.get(anomaly["series_kind"], anomaly["series_kind"])
    of = ""
    if anomaly["series_kind"] == "page":
        of = f" of {anomaly['series_name']}"
    elif anomaly["series_kind"] == "country":
        of = f" from {country_name(anomaly['series_name'])}"
    return f"{'Surge' if anomaly['direction'] == 'above' else 'Drop'} in {what}{of}"


def anomaly_value(anomaly: Row, value: float) -> str:
    """A value of an anomaly's window, per second; latencies in ms a line."""
    if anomaly["series_kind"] == "mean_latency_us":
        return f"{value / 1000:,.0f} ms"
    per_second = value / anomaly["window_seconds"]
    return f"{rate(per_second)}/s" if anomaly["series_kind"] != "bytes_sent" else f"{rate(per_second / 1000)} kB/s"


def odd_pages(anomalies: Sequence[Row]) -> set[str]:
    """Pages that an open anomaly is of, or names among what explains it."""
    found = set()
    for anomaly in anomalies:
        if anomaly["state"] != "open":
            continue
        if anomaly["series_kind"] == "page":
            found.add(anomaly["series_name"])
        found |= {part["value"] for part in anomaly["contributors"] or () if part["dimension"] == "page"}
    return found


def map_data(countries: Sequence[Row]) -> str:
    """Data of the map: the rows of the table, with their class."""
    rows = [
        {
            "id": row["country"],
            "name": country_name(row["country"]),
            "hits": row["hits"],
            "size": size_class(row["hits"]),
        }
        for row in countries
        if row["country"] and row["hits"]
    ]
    return chart_data({"countries": rows})


def top_and_rest(rows: Sequence[Row], most: int) -> tuple[list[Row], int, int]:
    """The first rows, and how many others with how many hits, so that the column adds up."""
    rest = [row for row in rows[most:] if row["hits"]]
    return list(rows[:most]), len(rest), sum(row["hits"] for row in rest)


def page_lines(steps: Sequence[Row]) -> dict[str, list[int | None]]:
    """Hits of each page over time, the oldest first; None where nobody could count. steps: of ``live_page_lines``."""
    lines: dict[str, list[int | None]] = {}
    for step in steps:
        lines.setdefault(step["path"], []).append(step["hits"] if step["is_known"] else None)
    return lines


def line_path(values: Sequence[float | None]) -> str:
    """A sparkline as an SVG path: 0 at 19, the largest value at 1; it breaks where a value is unknown."""
    top = max((value for value in values if value is not None), default=0) or 1
    parts, is_open = [], False
    for place, value in enumerate(values):
        if value is not None:
            parts.append(f"{'L' if is_open else 'M'}{place} {19 - 18 * value / top:.1f}")
        is_open = value is not None
    return "".join(parts)

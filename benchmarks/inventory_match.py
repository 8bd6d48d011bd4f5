"""The published reports of a month, held against what the log generator says of it (docs/generator.md).

The inventory is the generator's own knowledge: neither the stream's nor the audit's code has a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sql.warehouse import Row, Warehouse

MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
OF_STATUS = ("hits", "bytes_sent", "latency_us_sum", "latency_count")
PERCENTILES = ("p50", "p90", "p95", "p99")
OF_VISITS = ("visits", "bounces", "page_views", "duration_seconds_sum")
_DIMENSIONS = """
    SELECT hour_start, dimension, value, hits, bytes_sent, client_errors, server_errors
    FROM report.current_hourly_dimension WHERE dimension = ANY (%(names)s)
    UNION ALL
    SELECT hour_start, 'agent_class', agent_class, sum(hits)::bigint, sum(bytes_sent)::bigint,
           sum(client_errors)::bigint, sum(server_errors)::bigint
    FROM report.current_hourly_dimension WHERE dimension = 'agent_rule' GROUP BY hour_start, agent_class
"""
_MONTHS = """
    SELECT m.month_start, t.hits, t.visitors, t.visitors_bound
    FROM (SELECT DISTINCT site, date_trunc('month', hour_start, 'UTC') AS month_start FROM report.hour_checked) AS m
    CROSS JOIN LATERAL report.traffic_measure(m.site, m.month_start, m.month_start + interval '1 month') AS t
"""
Inventory = Mapping[str, Any]
Cells = dict[tuple[Any, ...], Any]
Ask = Callable[..., list[Row]]


@dataclass
class Matched:
    """Figures of one kind: how many there are, and how many are not what the inventory says."""

    cells: int = 0
    wrong: int = 0

    def add(self, published: Cells, expected: Cells) -> Matched:
        keys = published.keys() | expected.keys()
        self.cells += len(keys)
        self.wrong += sum(published.get(key) != expected.get(key) for key in keys)
        return self


@dataclass
class Estimates:
    """Numbers of visitors at one grain. Wrong: not exact though without a bound, or beyond twice the bound."""

    figures: int = 0
    exact: int = 0
    beyond_bound: int = 0
    wrong: int = 0
    worst: str = ""

    def add(self, published: Mapping[Any, Row], expected: Mapping[Any, int]) -> Estimates:
        largest = -1.0
        for start in published.keys() | expected.keys():
            row, true = published.get(start), expected.get(start)
            self.figures += 1
            if row is None or true is None or row["visitors"] is None:
                self.wrong += 1
                continue
            error, bound = abs(row["visitors"] - true), row["visitors_bound"]
            self.exact += bound == 0
            self.beyond_bound += bound > 0 and error > bound
            self.wrong += error > 2 * bound
            if error / max(bound, 1) > largest:
                largest = error / max(bound, 1)
                self.worst = f"{row['visitors']:,} of {true:,}, bound {bound:,}"
        return self


def match(warehouse: Warehouse, inventory: Inventory) -> tuple[dict[str, Matched], dict[str, Estimates]]:
    """Compare everything that both know; by kind of figure. Raises ValueError when the inventory is not whole."""
    if not (inventory["complete"] and inventory["ended"]):
        raise ValueError("the generator's inventory is not complete")

    def ask(query: str, **parameters: Any) -> list[Row]:
        with warehouse.transaction() as cursor:
            cursor.execute(query, parameters)
            return [dict(row) for row in cursor.fetchall()]

    hours = {_time(hour["hour_start"]): hour for hour in inventory["hours"] if hour["hits"]}
    days = {_time(day["day_start"]): day for day in inventory["days"]}
    matched = {
        "hours": Matched().add(
            _published(ask("SELECT * FROM report.current_hourly_traffic"), ("hour_start",), MEASURES),
            {(start, name): hour[name] for start, hour in hours.items() for name in MEASURES},
        )
    }
    for of, key, part, measures in (
        ("page", "path", "pages", MEASURES),
        ("country", "country", "countries", MEASURES),
        ("status", "status_class", "status_classes", OF_STATUS),
    ):
        rows = ask(f"SELECT * FROM report.current_hourly_{of}")  # noqa: S608
        matched[f"hours by {of}"] = Matched().add(
            _published(rows, ("hour_start", key), measures),
            {
                (start, name, measure): cell[measure]
                for start, hour in hours.items()
                for name, cell in hour[part].items()
                for measure in measures
            },
        )
    matched["percentiles of hours and pages, beyond 1 %"] = _percentiles(ask, hours)
    names = list(next(iter(hours.values()))["dimensions"])
    matched["hours by other dimensions"] = Matched().add(
        _published(ask(_DIMENSIONS, names=names), ("hour_start", "dimension", "value"), MEASURES[:4]),
        {
            (start, name, value, measure): cell[measure]
            for start, hour in hours.items()
            for name in names
            for value, cell in hour["dimensions"][name].items()
            for measure in MEASURES[:4]
        },
    )
    matched["visits of days"] = _visits(ask, days)
    months = {datetime.fromisoformat(f"{one['month']}-01T00:00Z"): one["visitors"] for one in inventory["months"]}
    estimates = {
        "hour": Estimates().add(
            {row["hour_start"]: row for row in ask("SELECT * FROM report.current_hourly_traffic")},
            {start: hour["visitors"] for start, hour in hours.items()},
        ),
        "hour and agent class": Estimates().add(
            {
                (row["hour_start"], row["agent_class"]): row
                for row in ask("SELECT * FROM report.current_hourly_visitor")
            },
            {
                (start, kind): number
                for start, hour in hours.items()
                for kind, number in hour["visitors_by_class"].items()
            },
        ),
        "day": Estimates().add(
            {row["day_start"]: row for row in ask("SELECT * FROM report.current_daily_traffic")},
            {start: day["visitors"] for start, day in days.items()},
        ),
        "month": Estimates().add({row["month_start"]: row for row in ask(_MONTHS)}, months),
    }
    return matched, estimates


def _published(rows: list[Row], keys: tuple[str, ...], measures: tuple[str, ...]) -> Cells:
    def key(value: Any) -> Any:
        return value if isinstance(value, datetime) else str(value)

    return {(*(key(row[name]) for name in keys), measure): row[measure] for row in rows for measure in measures}


def _percentiles(ask: Ask, hours: Mapping[datetime, Any]) -> Matched:
    found = Matched()
    names = (*(f"{name}_ms" for name in PERCENTILES), "max_ms")
    published = _published(ask("SELECT * FROM report.current_hourly_traffic"), ("hour_start",), names)
    published |= _published(ask("SELECT * FROM report.current_hourly_page"), ("hour_start", "path"), names)
    exact: Cells = {}
    for start, hour in hours.items():
        exact |= {(start, f"{name}_ms"): us / 1000 for name, us in hour["latency_us"].items()}
        for path, places in hour["page_latency_us"].items():
            exact |= {(start, path, f"{name}_ms"): us / 1000 for name, us in places.items()}
    for key in published.keys() | exact.keys():
        said, true = published.get(key), exact.get(key)
        near = said == true or (
            said is not None and true is not None and key[-1] != "max_ms" and abs(said - true) <= 0.01 * true + 1e-9
        )
        found.cells += 1
        found.wrong += not near
    return found


def _visits(ask: Ask, days: Mapping[datetime, Any]) -> Matched:
    def measures(of: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name in OF_VISITS:
            yield name, of["duration_ms_sum"] / 1000 if name == "duration_seconds_sum" else of[name]

    found = Matched()
    published = _published(ask("SELECT * FROM report.current_daily_visit"), ("day_start", "agent_class"), OF_VISITS)
    found.add(
        {key: float(value) for key, value in published.items()},
        {
            (start, kind, name): float(value)
            for start, day in days.items()
            for kind, of in day["visits_by_class"].items()
            for name, value in measures(of)
        },
    )
    for of in ("entry", "exit"):
        query = f"""SELECT day_start, path, sum(visits)::bigint AS visits
                    FROM report.current_daily_{of}_page GROUP BY 1, 2"""  # noqa: S608
        found.add(
            _published(ask(query), ("day_start", "path"), ("visits",)),
            {
                (start, path, "visits"): number
                for start, day in days.items()
                for path, number in day[f"{of}_pages"].items()
            },
        )
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)

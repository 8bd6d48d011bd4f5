"""Puts small traffic into the stream's tables as one batch of the stream job would: counts, ledger, dirty hours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from datasketches import compact_theta_sketch, theta_union, update_theta_sketch

from settings import Settings
from sql.warehouse import Cursor, Warehouse

TOPIC_ID = "00000000-0000-0000-0000-000000000001"


def at(text: str) -> datetime:
    """A UTC time of 1 June 2026, ``HH:MM:SS``, or any ISO time that names its day."""
    return datetime.fromisoformat(text if "-" in text else f"2026-06-01T{text}").replace(tzinfo=UTC)


# Dimensions of which every line has a value, and the value a cell has unless told otherwise.
EVERY_LINE = {
    "agent_rule": "a browser",
    "browser": "Firefox",
    "os": "Linux",
    "device": "Other",
    "referrer_class": "none",
    "referrer": "",
    "method": "GET",
    "protocol": "HTTP/1.1",
    "host": "shop.example",
}


@dataclass(frozen=True)
class Cell:
    """Lines of one 10 s bucket; 100 bytes and 2 ms each, all of visitor 1, unless told otherwise.

    ``visitors`` are numbers of visitors (lines answered 4xx have none); ``key_id`` None = the key of the month;
    ``dimensions`` replace or add to those every line has.
    """

    bucket_start: str
    path: str = "/home"
    country: str = "DE"
    status_class: int = 2
    hits: int = 1
    site: str = "shop"
    agent_class: str = "human"
    latency_us: int | None = 2000
    visitors: Iterable[int] = (1,)
    key_id: str | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)


def latency_bin(latency_us: int) -> int:
    """Bin of a latency: DDSketch's mapping with relative error 0.01; -1 for 0."""
    return -1 if latency_us == 0 else math.ceil(math.log(latency_us) / math.log(1.01 / 0.99))


def sketch_of(visitors: Iterable[int]) -> bytes:
    """Compact theta sketch of numbers, exact up to 4,096 of them."""
    sketch = update_theta_sketch(12)
    for visitor in visitors:
        sketch.update(visitor)
    return bytes(sketch.compact().serialize())


class CountedTraffic:
    """Writer of batches (role footfall_writer) into a database of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.warehouse = Warehouse(settings.dsn("footfall_writer"), "test-writer")
        self.next_offset = 0
        self.execute(
            "INSERT INTO stream.topic (topic_id, cluster_id, topic) VALUES (%(topic)s, 'test', 'web.access')",
            {"topic": TOPIC_ID},
        )

    def execute(self, text: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run SQL; rows it returns, if any."""
        return execute(self.warehouse, text, parameters)

    def batch(self, *cells: Cell, gap: int = 0) -> int:
        """Count the cells in one transaction; returns its ledger id. gap: offsets left out before it."""
        with self.warehouse.transaction() as cursor:
            hits = sum(cell.hits for cell in cells)
            from_offset = self.next_offset + gap
            until = from_offset + hits
            cursor.execute(
                "INSERT INTO stream.ledger (topic_id, kafka_partition, offsets, consumed, accepted, rejected,"
                " duplicate, unsourced, epoch)"
                " VALUES (%s, 0, int8range(%s, %s), %s, %s, 0, 0, 0, 1) RETURNING ledger_id",
                (TOPIC_ID, from_offset, until, hits, hits),
            )
            ledger_id = int(cursor.fetchall()[0]["ledger_id"])  # type: ignore[call-overload]
            cursor.execute(
                "INSERT INTO stream.position VALUES (%s, 0, %s) ON CONFLICT (topic_id, kafka_partition)"
                " DO UPDATE SET next_offset = excluded.next_offset",
                (TOPIC_ID, until),
            )
            cursor.execute("UPDATE stream.lease SET caught_up_to = now()")
            for cell in cells:
                start = at(cell.bucket_start)
                cursor.execute(
                    "INSERT INTO stream.page (site, path) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (cell.site, cell.path),
                )
                latency_count = 0 if cell.latency_us is None else cell.hits
                cursor.execute(
                    "INSERT INTO stream.traffic_bucket AS known (bucket_start, page_id, country, status_class,"
                    " agent_class, hits, bytes_sent, latency_us_sum, latency_count)"
                    " SELECT %s, page_id, %s, %s, %s, %s, %s, %s, %s FROM stream.page WHERE (site, path) = (%s, %s)"
                    " ON CONFLICT (bucket_start, page_id, country, status_class, agent_class) DO UPDATE"
                    " SET hits = known.hits + excluded.hits, bytes_sent = known.bytes_sent + excluded.bytes_sent,"
                    " latency_us_sum = known.latency_us_sum + excluded.latency_us_sum,"
                    " latency_count = known.latency_count + excluded.latency_count",
                    (
                        start,
                        cell.country,
                        cell.status_class,
                        cell.agent_class,
                        cell.hits,
                        100 * cell.hits,
                        latency_count * (cell.latency_us or 0),
                        latency_count,
                        cell.site,
                        cell.path,
                    ),
                )
                _add_to_site(cursor, cell, start, latency_count)
                if cell.latency_us is not None:
                    _add_latency(cursor, cell, start, cell.latency_us)
                if cell.status_class != 4:
                    _add_visitors(cursor, cell, start)
                _add_dimensions(cursor, cell, start)
                cursor.execute(
                    "INSERT INTO stream.touched_hour VALUES (%s, %s, %s) ON CONFLICT (site, hour_start)"
                    " DO UPDATE SET last_ledger_id = excluded.last_ledger_id",
                    (cell.site, start.replace(minute=0, second=0), ledger_id),
                )
        self.next_offset = until
        return ledger_id

    def visit(
        self, started_at: str, ended_at: str, *, visitor: int = 1, site: str = "shop", agent_class: str = "human",
        hits: int = 1, page_views: int = 1, client_errors: int = 0, entry: str = "/home", exit_: str = "/home",
    ) -> None:  # fmt: skip
        """Put one visit, or replace the one that began then."""
        start, end = at(started_at), at(ended_at)
        _know_key(self.execute, month_key(start))
        edges = {"entry_path": entry, "entry_at": start, "exit_path": exit_, "exit_at": end}
        self.execute(
            "DELETE FROM stream.visit WHERE (site, key_id, visitor, started_at)"
            " = (%(site)s, %(key_id)s, %(visitor)s, %(started_at)s);"
            "INSERT INTO stream.visit (site, key_id, visitor, started_at, ended_at, hits, page_views, client_errors,"
            " line_class, entry_path, entry_at, exit_path, exit_at) VALUES (%(site)s, %(key_id)s, %(visitor)s,"
            " %(started_at)s, %(ended_at)s, %(hits)s, %(page_views)s, %(client_errors)s, %(agent_class)s,"
            " %(entry_path)s, %(entry_at)s, %(exit_path)s, %(exit_at)s)",
            {
                "site": site, "key_id": month_key(start), "visitor": visitor, "started_at": start, "ended_at": end,
                "hits": hits, "page_views": page_views, "client_errors": client_errors, "agent_class": agent_class,
            }
            | (edges if page_views else dict.fromkeys(edges)),
        )  # fmt: skip


def month_key(moment: datetime) -> str:
    """The visitor key of a moment's month."""
    return f"{moment:%Y-%m}"


def _know_key(execute: Any, key_id: str) -> None:
    month = datetime.fromisoformat(f"{key_id[:7]}-01T00:00:00+00:00")
    execute(
        "INSERT INTO stream.visitor_key (key_id, period_start, period_end)"
        " VALUES (%(key)s, %(start)s, %(start)s + interval '31 days') ON CONFLICT DO NOTHING",
        {"key": key_id, "start": month},
    )


def _add_to_site(cursor: Cursor, cell: Cell, start: datetime, latency_count: int) -> None:
    cursor.execute(
        "INSERT INTO stream.site_bucket AS known VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (site, bucket_start) DO UPDATE SET hits = known.hits + excluded.hits,"
        " bytes_sent = known.bytes_sent + excluded.bytes_sent,"
        " client_errors = known.client_errors + excluded.client_errors,"
        " server_errors = known.server_errors + excluded.server_errors,"
        " latency_us_sum = known.latency_us_sum + excluded.latency_us_sum,"
        " latency_count = known.latency_count + excluded.latency_count",
        (
            cell.site,
            start,
            cell.hits,
            100 * cell.hits,
            cell.hits * (cell.status_class == 4),
            cell.hits * (cell.status_class == 5),
            latency_count * (cell.latency_us or 0),
            latency_count,
        ),
    )


def _add_latency(cursor: Cursor, cell: Cell, start: datetime, latency_us: int) -> None:
    where = {"start": start, "site": cell.site, "path": cell.path}
    cursor.execute(
        "SELECT b.bins, b.counts, b.latency_us_max FROM stream.latency_bin AS b JOIN stream.page AS p USING (page_id)"
        " WHERE (p.site, p.path, b.bucket_start) = (%(site)s, %(path)s, %(start)s)",
        where,
    )
    counts: dict[int, int] = {}
    largest = latency_us
    for row in cursor.fetchall():
        known: Any = row
        counts = dict(zip(known["bins"], known["counts"], strict=True))
        largest = max(largest, known["latency_us_max"])
    place = latency_bin(latency_us)
    counts[place] = counts.get(place, 0) + cell.hits
    cursor.execute(
        "INSERT INTO stream.latency_bin SELECT %(start)s, page_id, %(bins)s, %(counts)s, %(largest)s FROM stream.page"
        " WHERE (site, path) = (%(site)s, %(path)s) ON CONFLICT (bucket_start, page_id) DO UPDATE"
        " SET bins = excluded.bins, counts = excluded.counts, latency_us_max = excluded.latency_us_max",
        where | {"bins": sorted(counts), "counts": [counts[place] for place in sorted(counts)], "largest": largest},
    )


def _add_visitors(cursor: Cursor, cell: Cell, start: datetime) -> None:
    key_id = cell.key_id or month_key(start)
    _know_key(cursor.execute, key_id)
    place = (cell.site, start.replace(second=0), key_id, cell.agent_class)
    union = theta_union(12)
    union.update(compact_theta_sketch.deserialize(sketch_of(cell.visitors)))
    cursor.execute(
        "SELECT sketch FROM stream.visitor_sketch WHERE (site, minute_start, key_id, agent_class) = (%s, %s, %s, %s)",
        place,
    )
    for row in cursor.fetchall():
        known: Any = row
        union.update(compact_theta_sketch.deserialize(bytes(known["sketch"])))
    cursor.execute(
        "INSERT INTO stream.visitor_sketch VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (site, minute_start, key_id, agent_class) DO UPDATE SET sketch = excluded.sketch",
        (*place, union.get_result().serialize()),
    )


def _add_dimensions(cursor: Cursor, cell: Cell, start: datetime) -> None:
    cursor.execute(
        "INSERT INTO stream.agent_rule VALUES ('a browser', 'human', 1) ON CONFLICT DO NOTHING",
    )
    status = {"status": f"{cell.status_class}00"}
    for dimension, value in (EVERY_LINE | status | dict(cell.dimensions)).items():
        cursor.execute(
            "INSERT INTO stream.dimension_hour AS known VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (site, hour_start, dimension, value) DO UPDATE SET hits = known.hits + excluded.hits,"
            " bytes_sent = known.bytes_sent + excluded.bytes_sent,"
            " client_errors = known.client_errors + excluded.client_errors,"
            " server_errors = known.server_errors + excluded.server_errors",
            (
                cell.site,
                start.replace(minute=0, second=0),
                dimension,
                value,
                cell.hits,
                100 * cell.hits,
                cell.hits if cell.status_class == 4 else 0,
                cell.hits if cell.status_class == 5 else 0,
            ),
        )


def execute(warehouse: Warehouse, text: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run SQL of a test; rows it returns, if any."""
    with warehouse.transaction() as cursor:
        cursor.execute(text, parameters)
        return [dict(row) for row in cursor.fetchall()] if cursor.description else []


def select(warehouse: Warehouse, text: str) -> list[tuple[Any, ...]]:
    """Rows of a query as tuples."""
    return [tuple(row.values()) for row in execute(warehouse, text)]

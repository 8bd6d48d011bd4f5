"""Puts small traffic into the stream's tables as one batch of the stream job would: buckets, ledger, dirty hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from settings import Settings
from sql.warehouse import Warehouse

TOPIC_ID = "00000000-0000-0000-0000-000000000001"


def at(text: str) -> datetime:
    """A UTC time of 1 June 2026, ``HH:MM:SS``, or any ISO time that names its day."""
    return datetime.fromisoformat(text if "-" in text else f"2026-06-01T{text}").replace(tzinfo=UTC)


@dataclass(frozen=True)
class Cell:
    """Hits of one 10 s bucket; 100 bytes and 2 ms a hit unless told otherwise."""

    bucket_start: str
    path: str = "/home"
    country: str = "DE"
    status_class: int = 2
    hits: int = 1
    site: str = "shop"
    agent_class: str = "human"


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
                        2000 * cell.hits,
                        cell.hits,
                        cell.site,
                        cell.path,
                    ),
                )
                cursor.execute(
                    "INSERT INTO stream.touched_hour VALUES (%s, %s, %s) ON CONFLICT (site, hour_start)"
                    " DO UPDATE SET last_ledger_id = excluded.last_ledger_id",
                    (cell.site, start.replace(minute=0, second=0), ledger_id),
                )
        self.next_offset = until
        return ledger_id


def execute(warehouse: Warehouse, text: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run SQL of a test; rows it returns, if any."""
    with warehouse.transaction() as cursor:
        cursor.execute(text, parameters)
        return [dict(row) for row in cursor.fetchall()] if cursor.description else []


def select(warehouse: Warehouse, text: str) -> list[tuple[Any, ...]]:
    """Rows of a query as tuples."""
    return [tuple(row.values()) for row in execute(warehouse, text)]

"""Reads lines back from Kafka for one page at a time, beside the event loop and beside the database's threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from sql.warehouse import Row

if TYPE_CHECKING:
    from spark_jobs.evidence_search import Evidence

MOST_LINES = 50
SEARCH_SECONDS = 5.0
PATIENCE_SECONDS = 8.0


@dataclass(frozen=True)
class Lines:
    """What was found, or why nothing could be."""

    found: Evidence | None
    failed: str | None = None


class LineReader:
    """One thread: a second page waits for the first one's search, and for no longer than its own patience."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="footfall-lines")

    async def lines(self, site: str, hour: datetime, path: str, status: int | None, rows: Sequence[Row]) -> Lines:
        """The first lines of a cell of an hour's report; rows: of ``report_ranges``."""
        future = self._thread.submit(self._search, site, hour, path, status, rows)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE_SECONDS)
        except TimeoutError:
            return Lines(None, f"Kafka gave no answer within {PATIENCE_SECONDS:.0f} s")

    def _search(self, site: str, hour: datetime, path: str, status: int | None, rows: Sequence[Row]) -> Lines:
        # Here, not above: the rules for agents take a second to load, and the api-server starts without them.
        from spark_jobs.evidence import Wanted
        from spark_jobs.evidence_search import search
        from spark_jobs.kafka_topic import KafkaError, TopicMissing

        until = time.monotonic() + SEARCH_SECONDS

        def is_enough(found: Evidence) -> bool:
            return len(found.events) >= MOST_LINES or time.monotonic() > until

        try:
            wanted = Wanted(site, hour, path or None, status)
            return Lines(search(self._settings, wanted, rows, MOST_LINES, is_enough))
        except TopicMissing:
            return Lines(None, "Kafka has no such topic any more: the records are gone, the counts stay")
        except KafkaError as error:
            return Lines(None, f"Kafka gave no answer: {type(error).__name__}")

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

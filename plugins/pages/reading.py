"""Reads the database for the pages: at most four connections, nothing on the event loop, nobody waits over 3 s.

Each thread has a connection of its own. One thread is kept for the small question how the stream is, so that slow
blocks never make a page believe that the database is down.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sql.warehouse import POSTGRES_AWAY, DatabaseError, Row, Warehouse, WarehouseRefused

STATEMENT_SECONDS = 3.0
STATE_SECONDS = 2.5
CONNECT_SECONDS = 2
BLOCK_CONNECTIONS = 3
MOST_KEPT = 200
MOST_ROWS_KEPT = 500  # of an answer; what is longer is for a file, and asked for once
OLDEST_KEPT = 3  # times its freshness: then nobody gets the old answer any more

Result = TypeVar("Result")
Read = Callable[[Warehouse], Result]


@dataclass(frozen=True)
class Query:
    """A file below ``sql/pages`` and its parameters: what a block reads, and what its SQL link shows."""

    name: str
    parameters: Mapping[str, Any]
    # Seconds for which an answer serves everybody; later ones get it once more while a new one is fetched.
    fresh_seconds: float = 0.0

    @property
    def key(self) -> tuple[object, ...]:
        return (self.name, *sorted(self.parameters.items()))


@dataclass(frozen=True)
class Block:
    """What a query answered: its rows, or why there are none."""

    query: Query
    rows: list[Row]
    failed: str | None = None

    @property
    def row(self) -> Row:
        """The only row; of a failed block an empty one."""
        return self.rows[0] if self.rows else {}


class DatabaseAway(Exception):
    """The database gives no answer; ``since``: its last answer, or the first try when there was none."""

    def __init__(self, since: datetime, tried_at: datetime, reason: str) -> None:
        super().__init__(reason)
        self.since, self.tried_at, self.reason = since, tried_at, reason


class _Lane:
    """Threads with a connection each."""

    def __init__(self, dsn: str, threads: int, name: str) -> None:
        self._dsn = f"{dsn} connect_timeout={CONNECT_SECONDS}"
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._local = threading.local()
        self._opened: list[Warehouse] = []

    def submit(self, read: Read[Result]) -> Future[Result]:
        return self._threads.submit(lambda: read(self._warehouse()))

    def _warehouse(self) -> Warehouse:
        if not hasattr(self._local, "warehouse"):
            self._local.warehouse = Warehouse(self._dsn, "footfall-pages", STATEMENT_SECONDS)
            self._opened.append(self._local.warehouse)
        warehouse: Warehouse = self._local.warehouse
        return warehouse

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for warehouse in self._opened:
            warehouse.close()


class Reader:
    """Asks the database as ``footfall_reader``; ``clock`` gives the present time in UTC."""

    def __init__(self, dsn: str, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._state = _Lane(dsn, 1, "footfall-state")
        self._blocks = _Lane(dsn, BLOCK_CONNECTIONS, "footfall-block")
        self._last_answer: datetime | None = None
        self._kept: OrderedDict[tuple[object, ...], tuple[float, Block]] = OrderedDict()
        self._asking: dict[tuple[object, ...], asyncio.Task[Block]] = {}

    async def state(self, query: Query) -> Block:
        """The small question that every page asks first; raises DatabaseAway when there is no answer in time."""
        asked_at = self._clock()
        self._last_answer = self._last_answer or asked_at
        try:
            found = await self._ask(self._state, query, STATE_SECONDS)
        except TimeoutError:
            raise self._away(f"no answer within {STATE_SECONDS} s") from None
        except (*POSTGRES_AWAY, WarehouseRefused) as error:
            raise self._away(_short(error)) from error
        self._last_answer = self._clock()
        return found

    async def blocks(self, queries: Mapping[str, Query]) -> dict[str, Block]:
        """All of them, side by side; one that fails says so in its block and leaves the others alone."""
        return dict(zip(queries, await asyncio.gather(*map(self._block, queries.values())), strict=True))

    async def run(self, read: Read[Result]) -> Result:
        """Anything else that takes time, on a thread that has a connection."""
        return await asyncio.wrap_future(self._blocks.submit(read))

    async def _block(self, query: Query) -> Block:
        if not query.fresh_seconds:
            return await self._read(query)
        asked_at, kept = self._kept.get(query.key, (0.0, None))
        age = time.monotonic() - asked_at
        if kept is not None and age < query.fresh_seconds:
            return kept
        task = self._asking.get(query.key)
        if task is None:
            task = self._asking[query.key] = asyncio.create_task(self._renew(query))
        if kept is not None and age < OLDEST_KEPT * query.fresh_seconds:
            return kept
        return await asyncio.shield(task)

    async def _renew(self, query: Query) -> Block:
        asked_at = time.monotonic()
        try:
            found = await self._read(query)
        finally:
            del self._asking[query.key]
        if found.failed is None and len(found.rows) <= MOST_ROWS_KEPT:
            self._kept[query.key] = (asked_at, found)
            self._kept.move_to_end(query.key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    async def _read(self, query: Query) -> Block:
        try:
            return await self._ask(self._blocks, query, STATEMENT_SECONDS)
        except TimeoutError:
            return Block(query, [], "query took longer than 3 s")
        except ValueError as error:  # a parameter that no text of Postgres's can hold
            return Block(query, [], _short(error))
        except DatabaseError as error:
            is_late = getattr(error, "pgcode", None) == "57014"
            return Block(query, [], "query took longer than 3 s" if is_late else _short(error))
        except (*POSTGRES_AWAY, WarehouseRefused) as error:
            raise self._away(_short(error)) from error

    async def _ask(self, lane: _Lane, query: Query, seconds: float) -> Block:
        future = lane.submit(lambda warehouse: warehouse.rows(f"pages/{query.name}", query.parameters))
        return Block(query, await asyncio.wait_for(asyncio.wrap_future(future), seconds))

    def _away(self, reason: str) -> DatabaseAway:
        now = self._clock()
        return DatabaseAway(self._last_answer or now, now, reason)

    def close(self) -> None:
        self._state.close()
        self._blocks.close()


def _short(error: Exception) -> str:
    """The first line of what Postgres says, without the server's address."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line.rpartition(" failed: ")[2]

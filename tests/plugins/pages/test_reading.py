"""The pages' way to the database: few connections, nobody waits over 3 s, and it heals by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sql.warehouse
from plugins.pages.app import create_app
from plugins.pages.reading import DatabaseAway, Query, Reader
from settings import Settings
from tests.plugins.pages.conftest import NOW, browser_of
from tests.sql.conftest import admin as admin
from tests.sql.counted_traffic import execute

pytestmark = pytest.mark.services

STATE = Query("stream_state", {})


@pytest.fixture
def statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of statements of this test's own."""
    monkeypatch.setattr(sql.warehouse, "ROOM", tmp_path)
    sql.warehouse.statement.cache_clear()
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "stream_state.sql").write_text("SELECT 1 AS one")
    (tmp_path / "pages" / "slow.sql").write_text("SELECT pg_sleep(%(seconds)s)")
    (tmp_path / "pages" / "counted.sql").write_text("SELECT nextval('counted') AS n")
    yield tmp_path
    sql.warehouse.statement.cache_clear()


@pytest.fixture
def reader(postgres_server: Settings) -> Iterator[Reader]:
    made = Reader(postgres_server.dsn("footfall_reader"), lambda: NOW)
    yield made
    made.close()


def test_a_slow_block_fails_alone_and_after_three_seconds(statements: Path, reader: Reader) -> None:
    began = time.monotonic()
    blocks = asyncio.run(reader.blocks({"slow": Query("slow", {"seconds": 20}), "other": STATE}))
    assert 2.5 < time.monotonic() - began < 4
    assert blocks["slow"].failed == "query took longer than 3 s"
    assert blocks["other"].rows == [{"one": 1}]


def test_slow_blocks_do_not_hold_up_the_question_how_the_stream_is(statements: Path, reader: Reader) -> None:
    async def ask() -> float:
        slow = [asyncio.create_task(reader.blocks({"slow": Query("slow", {"seconds": 2})})) for _ in range(6)]
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await reader.state(STATE)
        waited = time.monotonic() - began
        await asyncio.gather(*slow)
        return waited

    assert asyncio.run(ask()) < 1


def test_however_many_ask_at_once_there_are_at_most_four_connections(
    statements: Path, reader: Reader, postgres_server: Settings
) -> None:
    async def ask() -> int:
        many = [asyncio.create_task(reader.blocks({"slow": Query("slow", {"seconds": 0.2})})) for _ in range(20)]
        await reader.state(STATE)
        await asyncio.sleep(0.3)
        with sql.warehouse.Warehouse(postgres_server.dsn("footfall_admin"), "test") as admin:
            held = execute(
                admin, "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'footfall-pages'"
            )
        await asyncio.gather(*many)
        return int(held[0]["n"])

    assert asyncio.run(ask()) <= 4


def test_the_event_loop_goes_on_while_a_query_runs(statements: Path, reader: Reader) -> None:
    async def ask() -> int:
        ticks = 0
        slow = asyncio.create_task(reader.blocks({"slow": Query("slow", {"seconds": 1})}))
        while not slow.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert asyncio.run(ask()) > 40


def test_an_answer_serves_everybody_for_its_time(statements: Path, reader: Reader) -> None:
    kept = Query("kept", {}, fresh_seconds=60)
    (statements / "pages" / "kept.sql").write_text("SELECT clock_timestamp() AS moment")

    async def ask() -> list[object]:
        answers = await asyncio.gather(*(reader.blocks({"kept": kept}) for _ in range(8)))
        return [answer["kept"].row["moment"] for answer in answers]

    assert len(set(asyncio.run(ask()))) == 1


@pytest.mark.parametrize("port", ["1"])
def test_without_a_server_the_page_says_so_at_once_and_shows_no_figure(
    postgres_server: Settings, token: Callable[[str], str], port: str
) -> None:
    away = postgres_server.model_copy(update={"postgres_dsn": f"host=127.0.0.1 port={port} dbname=footfall"})
    app = create_app(away, clock=lambda: NOW)
    began = time.monotonic()
    answer = browser_of(app, token)("viewer").get("/footfall/stream")
    assert time.monotonic() - began < 3
    assert answer.status_code == 503
    assert "The database has not answered since" in answer.text
    assert "Last try" in answer.text
    assert "onnection refused" in answer.text
    assert "127.0.0.1" not in answer.text
    assert "figures" not in answer.text.split("<main")[1]
    app.state.reader.close()


def test_a_server_that_hangs_is_noticed_in_time(statements: Path, reader: Reader) -> None:
    (statements / "pages" / "stream_state.sql").write_text("SELECT pg_sleep(20)")
    sql.warehouse.statement.cache_clear()
    began = time.monotonic()
    with pytest.raises(DatabaseAway, match=r"no answer within 2.5 s"):
        asyncio.run(reader.state(STATE))
    assert time.monotonic() - began < 3


def test_the_last_answer_is_remembered_and_a_broken_connection_heals(
    statements: Path, postgres_server: Settings, admin: sql.warehouse.Warehouse
) -> None:
    times = iter(datetime(2026, 11, 19, 11, 44, second, tzinfo=UTC) for second in range(60))
    reader = Reader(postgres_server.dsn("footfall_reader"), lambda: next(times))
    asyncio.run(reader.state(STATE))  # asked at :00, answered at :01
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'footfall-pages'"
    execute(admin, cut)
    with pytest.raises(DatabaseAway) as away:
        asyncio.run(reader.state(STATE))
    assert away.value.since == datetime(2026, 11, 19, 11, 44, 1, tzinfo=UTC)
    assert asyncio.run(reader.state(STATE)).rows == [{"one": 1}]
    reader.close()

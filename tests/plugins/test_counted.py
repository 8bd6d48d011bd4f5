"""Waiting for the ledger: small ranges in stream.source_range, answers out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from plugins.counted import CountedTrigger, SourcesCountedOperator
from settings import Settings
from sql.launches import counted_sources
from sql.warehouse import Warehouse

pytestmark = pytest.mark.services


def count(warehouse: Warehouse, source: str, ranges: str) -> None:
    with warehouse.transaction() as cursor:
        cursor.execute(
            "INSERT INTO stream.source_range (source, site, counted) VALUES (%s, 'shop', %s) "
            "ON CONFLICT (source) DO UPDATE SET counted = excluded.counted",
            (source, ranges),
        )


def answers(warehouse: Warehouse, lines: dict[str, int]) -> list[tuple[str, int, bool, bool]]:
    found = counted_sources(warehouse, lines)
    return [(one.source, one.highest_line, one.complete, one.reached) for one in found]


def test_a_source_is_complete_when_every_line_is_counted_and_reached_when_its_last_one_is(
    warehouse: Warehouse,
) -> None:
    count(warehouse, "all", "{[1,11)}")
    count(warehouse, "gap", "{[1,4),[5,11)}")
    count(warehouse, "behind", "{[1,10)}")
    lines = {"all": 10, "gap": 10, "behind": 10, "unmet": 10}
    assert answers(warehouse, lines) == [
        ("all", 10, True, True),
        ("behind", 9, False, False),
        ("gap", 10, False, True),
        ("unmet", 0, False, False),
    ]


def test_the_trigger_fires_when_the_last_missing_line_is_counted(warehouse: Warehouse) -> None:
    count(warehouse, "log", "{[1,4)}")

    async def wait() -> dict[str, Any]:
        first = asyncio.ensure_future(anext(CountedTrigger({"log": 4}, every_line=True).run()))
        await asyncio.sleep(1)
        assert not first.done()
        count(warehouse, "log", "{[1,5)}")
        return dict((await asyncio.wait_for(first, 10)).payload)

    assert asyncio.run(wait())["verdict"] == "counted"


def test_an_import_waits_for_every_line_and_without_lines_for_nothing(stack: Settings) -> None:
    shipped = {"lines": {"log": 4, "empty": 0}, "start": "2015-05-17T10:00:00+00:00"}
    with pytest.raises(TaskDeferred) as deferred:
        SourcesCountedOperator(task_id="counted", shipped=shipped).execute({})
    assert deferred.value.trigger.serialize()[1] == {"lines": {"log": 4}, "every_line": True}
    with pytest.raises(AirflowSkipException):
        SourcesCountedOperator(task_id="counted", shipped={"lines": {}}).execute({})

"""A block whose statement fails says so in its place; whichever it is, the page stands."""

from __future__ import annotations

import pytest

import sql.warehouse
from expectations.run import validate_unsealed
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import admin as admin
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at

pytestmark = pytest.mark.services

AS_OF = at("2026-06-09T00:00:00")
CHECK = "site=shop&suite=hourly_report&expectation=no_null"
PAGES = [
    "/footfall/live?site=shop",
    "/footfall/reports?site=shop&until=2026-06-02&day=2026-06-01",
    "/footfall/reports/hour?site=shop&start=2026-06-01T10:00Z",
    "/footfall/reports/hour?site=shop&start=2026-06-01T10:00Z&page=/home",
    "/footfall/reports/range?site=shop&start=2026-06-01T08:00Z&end=2026-06-01T12:00Z",
    "/footfall/quality?site=shop",
    f"/footfall/quality/check?{CHECK}",
    "/footfall/stream",
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stands_whichever_of_its_blocks_fails(
    page: str, traffic: CountedTraffic, reporter: Warehouse, filled: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    if "quality" in page:
        validate_unsealed(reporter, "a run", AS_OF)
    viewer, whole = filled("viewer"), sql.warehouse.statement
    read: set[str] = set()

    def noting(name: str) -> str:
        read.add(name)
        return whole(name)

    monkeypatch.setattr(sql.warehouse, "statement", noting)
    viewer.get(page)
    failing = sorted(name for name in read if name.startswith("pages/") and name != "pages/stream_state")
    assert failing
    answers = {}
    for broken in failing:
        monkeypatch.setattr(
            sql.warehouse, "statement", lambda name, broken=broken: "SELECT 1/0" if name == broken else whole(name)
        )
        answers[broken] = viewer.get(page).status_code
    assert answers == dict.fromkeys(failing, 200)

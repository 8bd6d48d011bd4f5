"""The page about trends: its SQL runs for a reader, and its band is the one that alerts are decided by."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest

from settings import CHECKOUT, Settings
from spark_jobs.trend_bands import count_band
from spark_jobs.trend_judge import Rules
from sql.warehouse import Warehouse

PAGE = (CHECKOUT / "docs" / "trends.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def rows(settings: Settings, query: str) -> list[dict[str, str]]:
    out = io.StringIO()
    with Warehouse(settings.dsn("footfall_reader"), "test") as warehouse:
        warehouse.query_csv(query, out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


@pytest.mark.services
@pytest.mark.parametrize("query", BLOCKS, ids=["the alert", "its line", "its band"])
def test_a_query_of_the_page_runs_for_a_reader(fresh_database: Settings, query: str) -> None:
    assert len(rows(fresh_database, query)) <= 1


@pytest.mark.services
def test_the_band_added_up_in_sql_is_the_band_of_the_detector(fresh_database: Settings) -> None:
    (found,) = rows(fresh_database, BLOCKS[-1])
    variance = 1.3 * 500 * (1 + 1 / 15) + (0.08 * 500) ** 2
    low, high = count_band(np.array(500.0), np.array(variance), Rules().tails[0])
    assert [float(found["band_low"]), float(found["band_high"])] == [float(low), float(high)]


def test_the_pages_table_of_chances_and_spreads_is_what_the_rules_say() -> None:
    rules = Rules()
    chances = [1 / int(found.replace(",", "")) for found in re.findall(r"\| 1 in ([\d,]+) \|", PAGE)]
    assert chances == pytest.approx(rules.tails)
    spreads = (rules.spread_hits, rules.spread_errors, rules.spread_parts, rules.spread_latency)
    table = re.findall(r"\| 1 in [\d,]+ \| (.+) \|", PAGE)
    for window, line in enumerate(table):
        cells = [float(cell.split(" %")[0]) / 100 for cell in line.split(" | ")]
        assert cells == pytest.approx([spread[window] for spread in spreads])

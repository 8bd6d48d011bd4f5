"""A report as files: whole, filtered as it is seen, of its moment, and telling what it is."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from plugins.pages.page_reports import offset_changes, own_hours
from plugins.pages.quality_rows import last_days
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at, select

AS_OF = at("2026-06-09T00:00:00")
ADDRESS = "/footfall/reports/hour{}?site=shop&start=2026-06-01T10:00Z"
FORMULA = "=cmd|'/c calc'!A1"


@pytest.fixture
def hour(traffic: CountedTraffic, reporter: Warehouse) -> str:
    """Two revisions of an hour; the moment of the first one, as a parameter."""
    pages = (Cell("10:00:00", f"/page{number}", hits=2) for number in range(12))
    traffic.batch(Cell("10:00:00", "/home", "US", hits=40), Cell("10:00:00", "/home", "", hits=1), *pages)
    publish_hours(reporter, AS_OF)
    traffic.batch(Cell("10:10:00", "/late", dimensions={"referrer": FORMULA}, hits=7))
    publish_hours(reporter, AS_OF)
    (first,) = select(reporter, "SELECT made_at FROM report.hour_revision WHERE revision = 1")
    return f"&as_known_at={first[0].isoformat().replace('+', '%2B')}"


@pytest.mark.services
def test_json_holds_the_whole_report_as_named_lists(hour: str, filled: Client) -> None:
    viewer = filled("viewer")
    made = viewer.get(ADDRESS.format("/json"))
    assert made.headers["content-disposition"] == 'attachment; filename="footfall-hour-2026-06-01T1000Z.json"'
    parts = made.json()
    assert parts["report"][0] | {"as_known_at": "", "made_at": ""} == {
        "site": "shop", "kind": "hour", "from_time": "2026-06-01T10:00:00Z", "until_time": "2026-06-01T11:00:00Z",
        "hours": 1, "as_known_at": "", "made_at": "", "revision": 2, "seal": "unchecked", "missing": None,
        "filtered": None,
    }  # fmt: skip
    assert parts["figures"][0]["hits"] == 72
    assert len(parts["pages"]) == 14  # more than the page shows
    assert parts["pages"][0] == {"path": "/home", "hits": 41, "previous_hits": 0}
    assert {row["country"]: row["hits"] for row in parts["countries"]} == {"US": 40, "DE": 31, "": 1}
    assert [row["revision"] for row in parts["revisions"]] == [2, 1]
    assert {
        "ledger",
        "sources",
        "referrers",
        "status_classes",
        "statuses",
        "agents",
        "browsers",
        "steps",
    } <= parts.keys()
    then = viewer.get(ADDRESS.format("/json") + hour).json()
    assert then["figures"][0]["hits"] == 65 and [row["revision"] for row in then["revisions"]] == [1]
    filtered = viewer.get(ADDRESS.format("/json") + "&country=US").json()
    assert filtered["pages"] == [{"value": "/home", "hits": 40}]
    assert filtered["report"][0]["filter_country"] == "US"


@pytest.mark.services
def test_csv_has_one_line_for_each_value_and_no_formula(hour: str, filled: Client) -> None:
    text = filled("viewer").get(ADDRESS.format("/csv")).text
    rows = list(csv.DictReader(text.splitlines()))
    values = {(row["part"], row["name"], row["column"]): row["value"] for row in rows}
    assert len(values) == len(rows)
    assert values["figures", "", "hits"] == "72"
    assert values["pages", "/late", "hits"] == "7"
    assert values["revisions", "2026-06-01T10:00:00Z 2", "hits_delta"] == "7"
    assert values["report", "", "from_time"] == "2026-06-01T10:00:00Z"
    assert values["referrers", f"'{FORMULA}", "hits"] == "7"
    assert FORMULA in text and f",{FORMULA}" not in text and f'"{FORMULA}' not in text


@pytest.mark.services
def test_the_html_file_tells_its_revision_moment_year_and_address_and_has_no_words_for_clicking(
    hour: str, filled: Client
) -> None:
    made = filled("viewer").get(ADDRESS.format("/file") + "&page=/late").text
    words = " ".join(re.sub(r"<[^>]+>", " ", made.split("<body>")[1]).split())
    year = datetime.now(UTC).year
    assert re.search(rf"revision 2 , as known at \d+ \w+ {year} \d\d:\d\d:\d\d made \d+ \w+ {year} ", words)
    header = made.split('<header class="bar">')[1].split("</header>")[0]
    (address,) = re.findall(r"<code>(.+?)</code>", header)
    assert address.startswith("http://airflow.test:8080/footfall/reports/hour?site=shop&amp;start=2026-06-01T10:00Z")
    assert re.search(rf"as_known_at={year}-[\dT:.-]+Z$", address)
    assert "Reports / 1 Jun 2026 /" in words
    for dead in ("Clear filters", "×", "click", "SQL shows", "Show ", "Try again", "Copy link"):
        assert dead not in words, dead
    shown = filled("viewer").get(address.replace("&amp;", "&").removeprefix("http://airflow.test:8080"))
    assert shown.status_code == 200 and "r2" in shown.text
    then = filled("viewer").get(ADDRESS.format("/file") + hour).text
    assert "revision <b>1</b>" in then


@pytest.mark.services
def test_a_title_has_the_date_of_the_readers_zone_and_names_the_utc_day_where_it_is_another(
    traffic: CountedTraffic, filled: Client
) -> None:
    viewer = filled("viewer")
    viewer.cookies.set("footfall_zone", "Europe/Berlin")
    page = viewer.get("/footfall/reports/hour?site=shop&start=2026-06-01T22:00Z").text
    title = " ".join(re.sub(r"<[^>]+>", " ", page.split('<div class="title">')[1].split("</h1>")[0]).split())
    assert title == "Reports / 2 Jun / 00:00 – 01:00, 22:00 – 23:00 UTC of 1 Jun"


def test_the_readers_clock_has_minutes_where_the_zone_has_them() -> None:
    midnight = at("2026-06-01T00:00:00")
    assert own_hours(midnight, ZoneInfo("Asia/Kolkata"))[:2] == ["05:30", "06:30"]
    assert own_hours(midnight, ZoneInfo("Europe/Berlin"))[:2] == ["02", "03"]
    berlin = ZoneInfo("Europe/Berlin")
    assert offset_changes(last_days(at("2026-10-28T00:00:00"), 14), berlin)  # put back on 25 October
    assert not offset_changes(last_days(at("2026-10-28T00:00:00") + timedelta(days=30), 14), berlin)

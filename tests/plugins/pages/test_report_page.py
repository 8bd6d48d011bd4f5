"""A report under one revision and another, and where its links lead."""

from __future__ import annotations

import re

import pytest

from plugins.pages.revision_columns import compared_revision, revision_columns
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at, select

AS_OF = at("2026-06-09T00:00:00")
HOUR = "/footfall/reports/hour?site=shop&start=2026-06-01T10:00Z"
REVISIONS = [{"revision": number} for number in (7, 6, 5, 4, 3, 2, 1)]


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_revision_is_compared_with_the_first_one_unless_another_is_named() -> None:
    newest, first = REVISIONS[0], REVISIONS[-1]
    assert compared_revision(REVISIONS, newest, "") == first
    assert compared_revision(REVISIONS, newest, "r4") == {"revision": 4}
    assert compared_revision(REVISIONS, newest, "r7") is None
    assert compared_revision(REVISIONS, newest, "r8") is None
    assert compared_revision([first], first, "") is None
    assert compared_revision([], None, "r1") is None


def test_at_most_four_revisions_stand_side_by_side_and_those_two_always() -> None:
    def columns(shown: int, against: int) -> list[int]:
        return [row["revision"] for row in revision_columns(REVISIONS, {"revision": shown}, {"revision": against})]

    assert columns(7, 1) == [1, 5, 6, 7]
    assert columns(3, 2) == [1, 2, 3, 7]
    assert revision_columns([], None, None) == []


@pytest.mark.services
def test_late_lines_show_what_moved_between_the_revisions(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", "/home", hits=30), Cell("10:00:00", "/same", "US", hits=5))
    publish_hours(reporter, AS_OF)
    traffic.batch(Cell("10:10:00", "/home", "US", 4, hits=7))
    publish_hours(reporter, AS_OF)
    viewer = filled("viewer")
    page = viewer.get(HOUR).text
    assert "r2 − r1" in page
    assert "Hits 35 42 +7" in words(page)
    assert "r2 +7 hits: late data" in words(page)
    moved = words(page.split('id="moved"')[1].split("</section>")[0])
    assert "/home 30 37 +7" in moved and "/same" not in moved
    assert "United States 5 12 +7" in moved
    assert "4xx 0 7 +7" in moved

    first = words(viewer.get(f"{HOUR}&as_known_at=2000-01-01T00:00Z").text)
    assert "Nothing was known then." in first
    assert "r1 − r2" in viewer.get(f"{HOUR}&compare=r2&as_known_at={made_at(reporter, 1)}").text
    assert viewer.get(f"{HOUR}&compare=1").status_code == 422


def made_at(reporter: Warehouse, revision: int) -> str:
    rows = select(reporter, "SELECT revision, made_at FROM report.hour_revision")
    return str(dict(rows)[revision].isoformat()).replace("+", "%2B")


@pytest.mark.services
def test_an_error_status_leads_to_its_lines_and_an_answered_one_to_its_class(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(
        Cell("10:00:00", "/missing", "DE", 4, hits=3, dimensions={"status": "404"}),
        Cell("10:00:00", "/home", hits=9, dimensions={"status": "200"}),
    )
    publish_hours(reporter, AS_OF)
    page = filled("viewer").get(HOUR).text
    links = dict(re.findall(r'<th scope="row"><a href="([^"]+)"><bdi title="(\d{3})"', page))
    by_status = {status: link.replace("&amp;", "&") for link, status in links.items()}
    assert by_status["404"] == "/footfall/lines?site=shop&start=2026-06-01T10%3A00Z&status=404"
    assert by_status["200"].endswith("&status_class=2")
    assert "lines?" not in filled("viewer").get(HOUR.replace("/hour", "/hour/file")).text


@pytest.mark.services
def test_lists_of_a_filtered_report_hold_only_what_matches(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(
        Cell("10:00:00", "/home", hits=40),
        Cell("10:00:10", "/home", "US", hits=3, agent_class="bot"),
        Cell("10:00:20", "/gone", "US", 4, hits=2),
        Cell("10:00:20", "/home", "", hits=1),
    )
    publish_hours(reporter, AS_OF)

    def lists(filters: str) -> dict[str, str]:
        tables = re.findall(
            r'<caption class="unseen">([^<]+)</caption>(.*?)</tbody>',
            filled("viewer").get(f"{HOUR}{filters}").text,
            re.S,
        )
        return {title: words(text.split("<tbody>")[1]) for title, text in tables if "<tbody>" in text}

    american = lists("&country=US")
    assert american["Pages"] == "/home 3 60.0 % /gone 2 40.0 %"
    assert american["Countries"] == "United States 5 100.0 %"
    assert american["Status classes"].startswith("2xx") and "4xx" in american["Status classes"]
    assert lists("&country=US&status_class=4")["Pages"] == "/gone 2 100.0 %"
    assert lists("&page=/gone")["Countries"] == "United States 2 100.0 %"
    assert lists("&country=-")["Pages"] == "/home 1 100.0 %"
    assert lists("&agent_class=bot")["Countries"] == "United States 3 100.0 %"


@pytest.mark.services
def test_kept_answers_end_with_the_next_report_and_those_of_a_past_moment_stay(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    day = "/footfall/reports/day?site=shop&start=2026-06-01T00:00Z"
    viewer = filled("viewer")

    def hits(address: str) -> str:
        found = re.search(r"<span>Hits</span>.*?<dd><b>(\d+)</b>", viewer.get(address).text, re.S)
        return found[1] if found else "none"

    assert "Nothing is known of this range" in viewer.get(day).text
    traffic.batch(Cell("10:00:00", hits=30))
    publish_hours(reporter, AS_OF)
    assert hits(day) == hits(day) == "30"
    first = made_at(reporter, 1)
    traffic.batch(Cell("10:10:00", hits=7))
    publish_hours(reporter, AS_OF)
    assert hits(day) == hits(f"{day}&as_known_at=2100-01-01T00:00Z") == "37"
    assert hits(f"{day}&as_known_at={first}") == "30"


@pytest.mark.services
def test_weeks_and_months_are_listed_beside_the_one_before(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    # 31 May 2026 is a Sunday, 1 June a Monday: two weeks and two months.
    traffic.batch(Cell("2026-05-31T23:00:00", hits=40), Cell("2026-06-01T00:00:00", hits=50))
    publish_hours(reporter, AS_OF)
    page = words(filled("viewer").get("/footfall/reports?site=shop&until=2026-06-09").text)
    assert "1 Jun – 7 Jun 50 +25 %" in page
    assert "June 2026 50 +25 %" in page
    assert "May 2026 40" in page

"""A report under one revision and another, and where its links lead."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest

from plugins.pages.report_range import Kind, asked_range
from plugins.pages.revision_columns import compared_revision, revision_columns
from plugins.pages.times import Clock
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


CLOCK = Clock(at("2026-06-09T00:00:00"), ZoneInfo("Europe/Lisbon"))


@pytest.mark.parametrize(
    ("kind", "start", "end", "words"),
    [
        ("hour", "2026-06-01T10:00", None, "10:00 – 11:00"),  # Lisbon is an hour ahead of UTC in June
        ("day", "2026-06-01T00:00", None, "31 May"),
        ("range", "2026-06-08T00:00", "2026-06-15T00:00", "1 Jun – 7 Jun"),
        ("range", "2026-06-01T06:00", "2026-06-01T12:00", "1 Jun 00:00 – 1 Jun 06:00"),
    ],
)
def test_the_period_before_is_named(kind: Kind, start: str, end: str | None, words: str) -> None:
    asked = asked_range(kind, at(start), at(end) if end else None, "now")
    assert asked.before_words(CLOCK) == words


def test_only_what_was_over_at_the_moment_shown_is_compared() -> None:
    day = at("2026-06-01T00:00:00")
    now = asked_range("day", day, None, "now")
    assert not now.is_whole(at("2026-06-02T00:04:59"))  # its last hour has no report yet
    assert now.is_whole(at("2026-06-02T00:05:00"))
    assert not asked_range("day", day, None, "2026-06-01T18:00Z").is_whole(at("2026-06-09T00:00:00"))


@pytest.mark.services
def test_top_lists_show_a_change_only_where_it_means_something_and_add_up(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    before = {"/home": 100, "/cart": 400, "/few": 19}
    now = {"/home": 110, "/cart": 500, "/few": 40, "/new": 30, **{f"/other{n}": 2 for n in range(6)}}
    traffic.batch(*(Cell("09:00:00", path, hits=hits) for path, hits in before.items()))
    traffic.batch(*(Cell("10:00:00", path, hits=hits) for path, hits in now.items()))
    traffic.batch(Cell("10:00:00", "/home", "", hits=5))
    publish_hours(reporter, AS_OF)
    page = filled("viewer").get(HOUR).text
    block = page.split("<h2>Pages</h2>")[1].split("</section>")[0]
    assert '<th scope="col" class="n">vs 09:00 – 10:00</th>' in block
    rows = {row.split()[0]: row for row in map(words, re.findall(r"<tr><th.*?</tr>", block))}
    assert rows["/cart"].endswith("▲ +25 %") and "<b>▲ +25" in block  # 100 more: beyond 2 * sqrt(900) = 60
    assert rows["/home"].endswith("▲ +15 %") and "<b>▲ +15" not in block  # 15 more: within 2 * sqrt(215) = 29
    assert rows["/few"].endswith("few") and rows["/new"].endswith("new")
    assert words(block.split("2 others")[1]).startswith("4 ")
    shares = [float(share) for share in re.findall(r"([\d.]+)\u202f%</td>", block)]
    assert sum(shares) == pytest.approx(100, abs=0.3)
    countries = words(page.split("<h2>Countries</h2>")[1].split("</section>")[0])
    assert "Germany 692 99.3" in countries and countries.endswith("unknown 5 0.7 % few")
    early = words(filled("viewer").get(HOUR.replace("T10", "T09")).text)
    assert "No change is shown: 08:00 – 09:00 has no report." in early

"""A report under one revision and another, and where its links lead."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from plugins.pages.report_range import Kind, asked_range, field_value
from plugins.pages.revision_columns import compared_revision, revision_columns
from plugins.pages.revision_layers import bars_summary, layers, step_bars
from plugins.pages.times import Clock
from sql.daily_reports import publish_days
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import admin as admin
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

AS_OF = at("2026-06-09T00:00:00")
DAY = "/footfall/reports/day?site=shop&start=2026-06-01T00:00Z"
HOUR = "/footfall/reports/hour?site=shop&start=2026-06-01T10:00Z"
REVISIONS = [{"revision": number, "made_at": at(f"10:0{number}:00")} for number in (7, 6, 5, 4, 3, 2, 1)]


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_revision_is_compared_with_the_first_one_unless_another_is_named() -> None:
    newest, first = REVISIONS[0], REVISIONS[-1]
    assert compared_revision(REVISIONS, newest, None) == first
    assert compared_revision(REVISIONS, newest, 4) == REVISIONS[3]
    assert compared_revision(REVISIONS, newest, at("10:05:30")) == REVISIONS[2]  # what was known then
    assert compared_revision(REVISIONS, newest, 7) is None
    assert compared_revision(REVISIONS, newest, 8) is None
    assert compared_revision([first], first, None) is None
    assert compared_revision([], None, 1) is None


def test_a_field_of_whole_seconds_names_a_moment_at_which_it_was_known() -> None:
    assert field_value(at("10:00:00") + timedelta(microseconds=1)) == "2026-06-01T10:00:01"
    assert field_value(at("10:00:00")) == "2026-06-01T10:00:00"


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
    bars = chart_of(page)
    assert len(bars) == 60 and bars[0] == {"hits": 35, "known_at_r1": 35, "added_by_r2": 0, "added_later": 0}
    assert bars[10] == {"hits": 7, "known_at_r1": 0, "added_by_r2": 7, "added_later": 0}
    assert "7 hits were added after the first publication, in 1 bar" in page
    then = chart_of(viewer.get(f"{HOUR}&as_known_at={made_at(reporter, 1)}").text)
    assert [bar["hits"] for bar in then if bar["hits"]] == [35]
    moved = words(page.split('id="moved"')[1].split("</section>")[0])
    assert "/home 30 37 +7" in moved and "/same" not in moved
    assert "United States 5 12 +7" in moved
    assert "4xx 0 7 +7" in moved

    first = words(viewer.get(f"{HOUR}&as_known_at=2000-01-01T00:00Z").text)
    assert "Nothing was known then." in first
    assert "r1 − r2" in viewer.get(f"{HOUR}&compare=r2&as_known_at={made_at(reporter, 1)}").text
    assert viewer.get(f"{HOUR}&compare=1").status_code == 422
    assert "There is no revision 9 here to compare with." in viewer.get(f"{HOUR}&compare=r9").text
    assert "here to compare with" not in viewer.get(f"{HOUR}&compare=r1").text
    future = viewer.get(f"{HOUR}&as_known_at=2199-01-01T00:00Z")
    assert future.status_code == 422 and "lies in the future" in future.text


@pytest.mark.services
@pytest.mark.parametrize("kind", ["hour", "range"])
def test_a_report_never_changes_under_the_readers_eyes_but_says_that_a_newer_one_is_there(
    kind: str, traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=30))
    publish_hours(reporter, AS_OF)
    viewer = filled("viewer")
    address = HOUR if kind == "hour" else HOUR.replace("/hour", "/range") + "&end=2026-06-01T12:00Z"
    opened = viewer.get(address).text
    (again,) = re.findall(r'hx-get="([^"]+)"', opened)
    traffic.batch(Cell("10:10:00", hits=7))
    publish_hours(reporter, AS_OF)
    refreshed = viewer.get(again.replace("&amp;", "&"), headers={"hx-request": "true"}).text
    assert "<b>30</b>" in refreshed and "<b>37</b>" not in refreshed
    (newer,) = re.findall(r'id="newer">(.*?)</p>', refreshed)
    said = "Revision 2 is there, made" if kind == "hour" else "Newer reports of its hours are there, the last made"
    assert words(newer).startswith(said) and words(newer).endswith("Show it")
    shown = viewer.get(re.findall(r'href="([^"]+)">Show it', newer)[0].replace("&amp;", "&")).text
    assert "<b>37</b>" in shown and "seen=" not in shown.split("hx-get")[0] and 'id="newer"' not in shown
    assert "seen=" not in re.sub(r'hx-get="[^"]+"', "", refreshed)  # no link keeps the reader there


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
    assert by_status["404"] == "/footfall/lines?site=shop&start=2026-06-01T10:00Z&status=404"
    assert by_status["200"].endswith("&status_class=2")
    assert "lines?" not in filled("viewer").get(HOUR.replace("/hour", "/hour/file")).text


@pytest.mark.services
def test_filters_that_do_not_hold_for_lines_are_named_there_and_kept_on_the_way_back(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", "/missing", "DE", 4, hits=3, dimensions={"status": "404"}))
    publish_hours(reporter, AS_OF)
    viewer = filled("viewer")
    page = viewer.get(f"{HOUR}&country=DE&agent_class=human&status_class=4").text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/footfall/lines[^"]+)"', page)]
    assert len(links) == 2  # the filter words' and the 404's
    for link in links:
        assert link.endswith("&country=DE&agent_class=human")
        lines = viewer.get(link).text
        assert "of every country and agent class: lines are not filtered by those" in words(lines)
        (back,) = re.findall(r'href="(/footfall/reports/hour[^"]+)"', lines)
        assert back.endswith("&amp;country=DE&amp;agent_class=human")


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
    assert lists("&page=/home")["Countries"] == "Germany 40 90.9 % United States 3 6.8 % unknown 1 2.3 %"
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

    assert "No line of this day has been counted." in viewer.get(day).text
    traffic.batch(Cell("10:00:00", hits=30))
    publish_hours(reporter, AS_OF)
    assert hits(day) == hits(day) == "30"
    first = made_at(reporter, 1)
    traffic.batch(Cell("10:10:00", hits=7))
    publish_hours(reporter, AS_OF)
    assert hits(day) == hits(f"{day}&as_known_at={datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}") == "37"
    assert hits(f"{day}&as_known_at={first}") == "30"


@pytest.mark.services
def test_weeks_and_months_are_listed_beside_the_one_before_only_where_all_hours_of_both_have_a_report(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    # 31 May 2026 is a Sunday, 1 June a Monday: two weeks and two months.
    traffic.batch(
        Cell("2026-05-31T23:00:00", hits=40, visitors=range(7)),
        Cell("2026-06-01T00:00:00", hits=50, visitors=range(3)),
        Cell("2026-06-01T01:00:00", hits=10, visitors=range(2, 5)),
    )
    publish_hours(reporter, AS_OF)
    page = words(filled("viewer").get("/footfall/reports?site=shop&until=2026-06-09").text)
    assert "1 Jun – 7 Jun 2 of 168 hours 60 hours missing 5 exact" in page  # a union: 0 to 4, not 3 + 3
    assert "25 May – 31 May 1 of 168 hours 40 hours missing 7 exact" in page
    assert "June 2026 2 of 720 hours 60 hours missing 5 exact" in page
    assert "May 2026 1 of 744 hours 40 hours missing 7 exact" in page


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


def test_layers_add_up_to_the_hits_and_what_is_taken_back_leaves_the_newest_first() -> None:
    assert layers({1: 100}) == [100, 0, 0]
    assert layers({1: 100, 2: 7, 3: 2, 4: 1}) == [100, 7, 3]
    assert layers({1: 100, 2: 7, 3: -10}) == [97, 0, 0]
    assert layers({1: 100, 2: -5, 3: 2}) == [95, 0, 2]


def test_a_chart_says_how_much_was_added_after_the_first_publication() -> None:
    rows = [
        {"step_start": at("10:00:00"), "revision": 1, "hits_added": 50},
        {"step_start": at("10:00:00"), "revision": 2, "hits_added": 6},
        {"step_start": at("11:00:00"), "revision": 1, "hits_added": 70},
    ]
    bars = step_bars(rows, timedelta(hours=1))
    assert [(bar["hits"], bar["known_at_r1"], bar["added_by_r2"]) for bar in bars] == [(56, 50, 6), (70, 70, 0)]
    said = bars_summary("Hits per hour", bars)
    assert said == "Hits per hour: 2 bars, most 70; 6 hits were added after the first publication, in 1 bar."


@pytest.mark.services
def test_minutes_stay_as_they_were_published_and_what_came_after_the_10_second_totals_were_gone_is_said(
    admin: Warehouse, traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=30), Cell("10:59:50", hits=5))
    publish_hours(reporter, AS_OF)
    execute(admin, "DELETE FROM stream.site_bucket")
    viewer = filled("viewer")
    page = viewer.get(HOUR).text
    assert [bar["hits"] for bar in chart_of(page)] == [30, *[0] * 58, 5] and "The bars add up" not in page
    traffic.batch(Cell("10:10:00", hits=7))
    publish_hours(reporter, AS_OF)
    page = viewer.get(HOUR).text
    assert [bar["hits"] for bar in chart_of(page)] == [30, *[0] * 58, 5]
    assert "The bars add up to 35 of 42 hits" in page
    # Without the first revision's minutes nobody can say what the second one added.
    execute(
        admin,
        "DELETE FROM report.hourly_minute; INSERT INTO report.hourly_minute (site, hour_start, revision, minute_hits)"
        " SELECT site, hour_start, 2, array_fill(42, ARRAY[60]) FROM report.hourly_traffic WHERE revision = 2",
    )
    asked = "site=shop&from_time=2026-06-01T10:00Z&until_time=2026-06-01T11:00Z&known_at=infinity"
    assert viewer.get(f"/footfall/sql/report_minutes/json?{asked}").json() == []


@pytest.mark.services
def test_a_day_stands_beside_its_earlier_revision_and_a_range_beside_what_was_known_then(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=30), Cell("11:00:00", "/same", "US", hits=5))
    publish_hours(reporter, AS_OF)
    publish_days(reporter, AS_OF)
    traffic.batch(Cell("10:10:00", "/home", "US", 4, hits=7, visitors=(1, 2)))
    publish_hours(reporter, AS_OF)
    viewer = filled("viewer")
    day, span = DAY, DAY.replace("/day", "/range") + "&end=2026-06-02T00:00Z"
    before = words(viewer.get(day).text)
    assert "Hours have changed since revision 1 of the day" in before
    publish_days(reporter, AS_OF)
    page = viewer.get(day).text
    assert "r2 − r1" in page and "Hits 35 42 +7" in words(page)
    moved = words(page.split('id="moved"')[1].split("</section>")[0])
    assert "/home 30 37 +7" in moved and "/same" not in moved and "4xx 0 7 +7" in moved
    assert chart_of(page)[0] == {"hits": 37, "known_at_r1": 30, "added_by_r2": 7, "added_later": 0}
    assert chart_of(page)[1] == {"hits": 5, "known_at_r1": 5, "added_by_r2": 0, "added_later": 0}
    first = select(reporter, "SELECT made_at FROM report.daily_traffic WHERE revision = 1")[0][0].isoformat()
    then = viewer.get(f"{day}&as_known_at={first.replace('+', '%2B')}").text
    assert "Hits 35 42" in words(then) and "<b>35</b>" in then
    assert chart_of(then)[0]["hits"] == 30

    page = viewer.get(span).text
    table = words(page.split("Figures as known at two moments")[1].split("</table>")[0])
    assert "Hours 2 2 0 Hits 35 42 +7" in table and "4xx 0 7 +7" in table
    assert "/home 30 37 +7" in words(page.split('id="moved"')[1])
    nothing = words(viewer.get(f"{span}&compare=2000-01-01T00:00Z").text)
    assert "Hours 0 2 +2 Hits 0 42 +42" in nothing
    assert viewer.get(f"{span}&compare=yesterday").status_code == 422


def chart_of(page: str) -> list[dict[str, int]]:
    """Hits and layers of the bars over time."""
    data = page.split('id="canvas-hits_by_time"')[1].split('class="chart-data">')[1].split("</script>")[0]
    return [{key: bar[key] for key in bar if not key.startswith("step")} for bar in json.loads(data)["steps"]]

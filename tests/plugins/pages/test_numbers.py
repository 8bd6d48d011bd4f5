"""Every number on a page is what its SQL link gives, and the SQL is right on small tables."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from settings import CHECKOUT, Settings
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import admin as admin
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services

STATEMENTS = sorted((CHECKOUT / "sql" / "pages").glob("*.sql"))
# A value for every parameter there is.
SAMPLES = {
    "site": "shop", "hours": 1, "step_seconds": 20, "most": 5, "minutes": 15, "alpha_steps": 110,
    "suite": "hourly_report", "expectation": "no_null", "severity": "", "owner": "", "from_time": "2026-06-01T10:00Z",
    "until_time": "2026-06-01T11:00Z", "known_at": "infinity", "step_hours": 1, "dimension": "browser",
    "field": "path", "page": "", "country": "", "status_class": "", "agent_class": "", "revision": 1,
    "against": "-infinity", "judged_at": "infinity", "weeks": 6, "period": "week", "periods": 6, "months": 6,
}  # fmt: skip


COUNTING = (
    "UPDATE stream.lease SET epoch = 1, state = 'counting', started_at = now(), heartbeat_at = now(),"
    " last_batch_at = now(), lag_records = 0, records_per_second = 2, caught_up_to = now()"
)


def bucket(seconds_ago: float) -> str:
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return f"{moment - timedelta(seconds=moment.second % 10):%Y-%m-%dT%H:%M:%S}"


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_a_statement_says_what_it_is_and_runs_as_the_reader(postgres_server: Settings, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("-- ")
    assert re.search(r"Grain: |One row\.", text)
    assert "Reads only" in text
    wanted = set(re.findall(r"%\((\w+)\)s", text))
    assert wanted <= SAMPLES.keys()
    for name in wanted:
        assert name in text.split("\nSELECT")[0].split("\nWITH")[0], f"{name} is not described"
    with Warehouse(postgres_server.dsn("footfall_reader"), "test") as warehouse:
        warehouse.rows(f"pages/{path.stem}", {name: SAMPLES[name] for name in wanted})


@pytest.mark.parametrize("page", ["live", "reports", "quality", "stream"])
def test_an_empty_database_gives_a_designed_page(client: Client, page: str) -> None:
    answer = client("viewer").get(f"/footfall/{page}")
    assert answer.status_code == 200
    assert ">None<" not in answer.text
    if page == "live":
        assert "No traffic counted yet." in answer.text
        assert "Bring some: run the DAG <code>log_generator</code>" in answer.text


def test_live_shows_the_sums_of_the_newest_closed_thirty_seconds(
    traffic: CountedTraffic, admin: Warehouse, filled: Client
) -> None:
    # One bucket in each of the two windows, however the clock stands.
    traffic.batch(
        Cell(bucket(25), "/home", "DE", 2, hits=60),
        Cell(bucket(25), "/home", "US", 5, hits=2),
        Cell(bucket(55), "/home", "DE", 2, hits=50),
    )
    execute(
        admin,
        COUNTING,
    )
    page = filled("viewer").get("/footfall/live?site=shop").text
    figure = page.split("Hits, ")[1]
    assert re.search(r"<b>62</b>", figure)
    assert "2.1/s" in figure
    assert "+24\u202f%" in figure  # 62 against 50
    assert "3.2\u202f%" in page.split("Errors, ")[1][:900]  # 2 of 62
    assert "Germany" in page
    rows = filled("viewer").get("/footfall/sql/live_windows/json?site=shop").json()
    assert [row["hits"] for row in rows] == [62, 50]


def test_the_sql_link_shows_the_statement_with_its_parameters(filled: Client) -> None:
    answer = filled("viewer").get("/footfall/sql/live_windows?site=sh%27op")
    assert answer.status_code == 200
    assert "b.site = &#39;sh&#39;&#39;op&#39;" in answer.text  # quoted as Postgres quotes it
    assert filled("viewer").get("/footfall/sql/live_windows").status_code == 422
    assert filled("viewer").get("/footfall/sql/no_such").status_code == 404
    assert filled("viewer").get("/footfall/sql/..%2f..%2fstream%2fheartbeat").status_code == 404


def test_a_parameter_is_a_value_never_sql(filled: Client) -> None:
    answer = filled("viewer").get("/footfall/sql/stream_sources/json?most=1%3B%20DROP%20TABLE%20x")
    assert answer.status_code == 503
    assert "invalid input syntax" in answer.text


def test_totals_of_a_bucket_are_the_sum_of_its_cells(traffic: CountedTraffic, admin: Warehouse) -> None:
    traffic.batch(Cell("10:00:00", hits=3), Cell("10:00:00", "/cart", "US", 5, hits=2), Cell("10:00:10", hits=1))
    assert execute(
        admin,
        "SELECT count(*) AS differing FROM report.live_bucket AS t FULL JOIN (SELECT site, bucket_start,"
        " sum(hits) AS hits FROM stream.traffic_bucket JOIN stream.page USING (page_id) GROUP BY 1, 2) AS c"
        " USING (site, bucket_start)"
        " WHERE t.hits IS DISTINCT FROM c.hits",
    ) == [{"differing": 0}]


def test_the_exported_file_needs_no_script_and_no_server(
    traffic: CountedTraffic, admin: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", "/<script>alert(1)</script>".replace("<", "%3C").replace(">", "%3E"), hits=3))
    answer = filled("viewer").get("/footfall/reports/day/file?site=shop&start=2026-06-01T00:00Z")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="footfall-day-2026-06-01T0000Z.html"'
    assert "<script" not in answer.text
    assert "<a " not in answer.text
    assert 'src="' not in answer.text
    assert 'href="/' not in answer.text
    assert "default-src 'none'" in answer.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("hour?start=2026-06-01T10:30Z", "on the hour"),
        ("range?start=2026-06-01T10:00Z", "needs an end"),
        ("range?start=2026-06-01T10:00Z&end=2026-06-01T10:00Z", "after the start"),
        ("range?start=2000-01-01T00:00Z&end=2026-06-01T10:00Z", "at most a year"),
        ("hour?start=2026-06-01T10:00Z&as_known_at=yesterday", "is no time"),
    ],
)
def test_a_range_that_is_none_is_refused_in_words(client: Client, query: str, words: str) -> None:
    answer = client("viewer").get(f"/footfall/reports/{query}")
    assert answer.status_code == 422
    assert words in answer.text


def test_a_hot_page_has_its_line_of_fifteen_minutes_oldest_first(
    traffic: CountedTraffic, admin: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell(bucket(25), "/a", hits=6), Cell(bucket(25), "/a", "US", 4, hits=1))
    traffic.batch(
        Cell(bucket(205), "/a", hits=2), Cell(bucket(205), "/cold", hits=9), Cell(bucket(1205), "/a", hits=5)
    )
    execute(admin, COUNTING)
    rows = filled("viewer").get("/footfall/sql/live_page_lines/json?site=shop&most=5").json()
    assert {row["path"] for row in rows} == {"/a"}  # what is not hot now has no line
    hits = [row["hits"] for row in rows]
    assert len(hits) == 30
    assert (hits[-1], sum(hits)) == (7, 9)  # the newest 30 s last; older than 15 min is left out
    page = filled("viewer").get("/footfall/live?site=shop").text
    assert page.count('class="pageline"') == 1


def test_visitors_and_latency_have_a_line_by_minute_whose_last_whole_minute_is_the_last(
    traffic: CountedTraffic, admin: Warehouse, filled: Client
) -> None:
    two_minutes_ago = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None) - timedelta(minutes=2)
    traffic.batch(Cell(two_minutes_ago.isoformat(), hits=6, latency_us=200_000, visitors=(1, 2, 3)))
    execute(admin, COUNTING)
    rows = filled("viewer").get("/footfall/sql/live_minutes/json?site=shop").json()
    assert len(rows) == 15
    (minute,) = [row for row in rows if row["visitors"]]
    assert minute["visitors"] == 3 and minute["p95_ms"] == pytest.approx(200, rel=0.01)
    assert [row["p95_ms"] for row in rows].count(None) == 14
    assert "line: by minute, 15 min" in filled("viewer").get("/footfall/live?site=shop").text


def test_the_wall_view_has_the_figures_and_no_tabs(traffic: CountedTraffic, admin: Warehouse, filled: Client) -> None:
    traffic.batch(Cell(bucket(25), "/home", hits=60))
    execute(admin, COUNTING)
    page = filled("viewer").get("/footfall/live?site=shop&wall=1").text
    assert '<main id="page" class="wall"' in page
    assert "Leave the wall view" in page
    assert 'hx-get="/footfall/live?site=shop&amp;wall=1"' in page  # a refresh stays on the wall
    assert "Leave the wall view" not in filled("viewer").get("/footfall/live?site=shop").text


def test_the_chosen_day_is_a_list_of_its_hours_with_a_chooser_for_narrow_screens(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=3), Cell("2026-06-02T11:00:00", hits=4))
    publish_hours(reporter, at("2026-06-09T00:00:00"))
    page = filled("viewer").get("/footfall/reports?site=shop&until=2026-06-03&day=2026-06-01").text
    listed = page.split('id="listed"')[1].split("</section>")[0]
    assert re.findall(r'<option value="([0-9-]+)" selected>', listed) == ["2026-06-01"]
    assert len(re.findall(r"<option ", listed)) == 14
    assert re.findall(r"(\d\d:\d\d – \d\d:\d\d)</a></th>.*?<b>(\d+)<", listed) == [("10:00 – 11:00", "3")]


def test_one_page_by_country_is_the_same_whichever_way_its_cells_are_read(
    traffic: CountedTraffic, admin: Warehouse
) -> None:
    traffic.batch(
        Cell("10:00:10", "/a", "DE", 2, hits=3),
        Cell("10:30:00", "/a", "DE", 4, hits=2),
        Cell("10:59:50", "/a", "US", 2, hits=5),
        Cell("11:00:00", "/a", "FR", 2, hits=7),  # after the range
        Cell("10:00:10", "/b", "DE", 2, hits=9),
    )
    hour = "'2026-06-01T10:00Z', '2026-06-01T11:00Z'"
    found = [
        select(admin, f"SELECT country, status_class, hits FROM report.{cells} ORDER BY 1, 2")  # noqa: S608
        for cells in (f"page_cell('shop', '/a', {hour})", f"range_cell('shop', {hour}) WHERE path = '/a'")
    ]
    assert found == [[("DE", 2, 3), ("DE", 4, 2), ("US", 2, 5)]] * 2

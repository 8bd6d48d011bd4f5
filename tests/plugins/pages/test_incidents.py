"""A failing check from its first red seal to the page that says it is closed; who may take it on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from expectations.run import validate_unsealed
from settings import Settings
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import HOST, Client
from tests.sql.conftest import admin as admin
from tests.sql.conftest import reader as reader
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import TOPIC_ID, Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services

AS_OF = at("2026-06-09T00:00:00")
QUALITY = "/footfall/quality?site=shop&until=2026-06-02"
CHECK = "/footfall/quality/check?site=shop&suite=hourly_report&expectation=hits_equals_its_buckets"
INCIDENTS = (
    "SELECT expectation, severity, closed_at IS NOT NULL AS closed, acknowledged_by, note FROM quality.incident"
    " WHERE expectation = 'hits_equals_its_buckets'"
)

NUMBER = "SELECT incident_id FROM quality.incident WHERE expectation = 'hits_equals_its_buckets'"


def run_checks(reporter: Warehouse) -> None:
    publish_hours(reporter, AS_OF)
    validate_unsealed(reporter, "scheduled__2026-06-01T11:07", AS_OF)


def words(text: str) -> str:
    """The text of a page, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", text.split("<main")[1]).split())


def test_an_incident_opens_is_acknowledged_and_closes_by_itself(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    execute(admin, "UPDATE report.hourly_traffic SET hits = hits + 1")
    run_checks(reporter)
    assert select(reader, INCIDENTS) == [("hits_equals_its_buckets", "critical", False, None, None)]

    viewer, editor = filled("viewer"), filled("user", origin=HOST)
    page = words(viewer.get(QUALITY).text)
    assert re.search(r"[12] of \d+ checks fail", page)
    assert "acknowledging needs the right to edit" in page
    assert "Acknowledge…" not in page
    assert "Acknowledge…" in words(editor.get(QUALITY).text)

    (number,) = (row[0] for row in select(reader, NUMBER))
    note = "=shipper <b>restarted</b>"
    answer = editor.post(f"/footfall/quality/incidents/{number}/acknowledge", data={"note": note, "site": "shop"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/footfall/quality?site=shop#incidents")
    assert select(reader, INCIDENTS) == [("hits_equals_its_buckets", "critical", False, "a user", note)]
    text = viewer.get(QUALITY).text
    assert "=shipper &lt;b&gt;restarted&lt;/b&gt;" in text
    assert "acknowledged" in text

    traffic.batch(Cell("11:00:00", hits=2))
    run_checks(reporter)
    assert select(reader, INCIDENTS) == [("hits_equals_its_buckets", "critical", True, "a user", note)]
    page = words(viewer.get(QUALITY).text)
    assert "None open. Last one closed" in page
    assert "the hour keeps its seal" in page
    assert select(reader, "SELECT hour_start, seal FROM quality.current_seal ORDER BY 1") == [
        (at("10:00:00"), "red"),
        (at("11:00:00"), "green"),
    ]
    assert editor.post(f"/footfall/quality/incidents/{number}/acknowledge", data={"note": "late"}).status_code == 409


def test_a_check_that_goes_on_failing_keeps_its_one_incident(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, admin: Warehouse
) -> None:
    for hour in ("10", "11"):
        traffic.batch(Cell(f"{hour}:00:00", hits=3))
        publish_hours(reporter, AS_OF)
        execute(admin, f"UPDATE report.hourly_traffic SET hits = 9 WHERE hour_start = '2026-06-01T{hour}:00Z'")  # noqa: S608
        run_checks(reporter)
    assert select(
        reader,
        "SELECT count(*) AS n, count(closed_at) AS closed FROM quality.incident"
        " WHERE expectation = 'hits_equals_its_buckets'",
    ) == [(1, 0)]


def test_the_page_of_a_check_says_what_was_seen_and_shows_its_statement(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    run_checks(reporter)
    # The page looks at the last days, and these hours are older: it says that there was no run, never that it passes.
    page = words(filled("viewer").get(CHECK).text)
    assert "Hits equals its buckets" in page
    assert "No run in these 30 days." in page
    assert filled("viewer").get(CHECK.replace("hits_equals", "no_such")).status_code == 404


def test_the_rows_that_made_a_check_fail_are_shown_as_text(
    traffic: CountedTraffic, reporter: Warehouse, admin: Warehouse, filled: Client
) -> None:
    hour = (datetime.now(UTC) - timedelta(hours=4)).replace(minute=0, second=0, microsecond=0)
    hostile = "/<script>alert(1)</script>"
    traffic.batch(Cell(hour.strftime("%Y-%m-%dT%H:%M:%S"), hostile, hits=3))
    offsets = {"hour": hour, "topic": TOPIC_ID}
    traffic.execute("INSERT INTO stream.hour_offsets VALUES (%(hour)s, %(topic)s, 0, '{[0,3)}')", offsets)
    publish_hours(reporter, datetime.now(UTC))
    execute(admin, "UPDATE report.hourly_page SET hits = 5")
    validate_unsealed(reporter, "manual__1", datetime.now(UTC))
    text = filled("viewer").get(CHECK).text
    rows = words("<main" + text.split('id="rows"')[1].split("</section>")[0])
    assert "1 of 1" in rows
    assert "page /&lt;script&gt;alert(1)&lt;/script&gt; 3 5" in rows
    assert "<script>alert" not in text
    link = re.findall(r'href="(/footfall/sql/check_rows/csv[^"]+)"', text)[0].replace("&amp;", "&")
    assert "page,/<script>alert(1)</script>" in filled("viewer").get(link).text
    # From the row to the hour it is of, and from the check to the ledger's part that holds the hour.
    start = hour.strftime("%Y-%m-%dT%H:%MZ")
    assert f'href="/footfall/reports/hour?site=shop&amp;start={start}&amp;page=/%3Cscript%3E' in text
    origin = text.split('id="origin"')[1].split("</section>")[0]
    assert "0 0 – 2 3 3 0 0" in words("<main" + origin)
    assert f'href="/footfall/reports/hour?site=shop&amp;start={start}#ledger"' in origin
    assert f'href="/footfall/lines?site=shop&amp;start={start}&amp;page=/%3Cscript%3E' in origin
    report = filled("viewer").get(f"/footfall/reports/hour?site=shop&start={start}").text
    assert 'id="ledger"' in report and 'id="sources"' in report
    assert "expectation=hits_equals_its_buckets" in report  # and back


def test_only_the_reporters_role_may_write_incidents(fresh_database: Settings) -> None:
    with Warehouse(fresh_database.dsn("footfall_reader"), "test") as warehouse:
        assert select(
            warehouse,
            "SELECT has_table_privilege('footfall_reader', 'quality.incident', 'UPDATE') AS reader,"
            " has_table_privilege('footfall_reporter', 'quality.incident', 'UPDATE') AS reporter",
        ) == [(False, True)]

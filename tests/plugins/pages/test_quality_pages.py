"""Quality and one check of it: what the words count, which time they are of, and the statement beside them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from expectations.checks import CHECKS
from expectations.run import validate_unsealed
from sql.hourly_reports import publish_hours
from sql.warehouse import DatabaseError, Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import admin as admin
from tests.sql.conftest import reader as reader
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, execute

pytestmark = pytest.mark.services


def hours_ago(hours: int) -> datetime:
    """The start of a UTC hour that is over."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)


def seal(traffic: CountedTraffic, reporter: Warehouse, *hours: int) -> None:
    """Traffic, a report and a seal for hours so long ago."""
    traffic.batch(*(Cell(hours_ago(back).strftime("%Y-%m-%dT%H:%M:%S"), hits=3) for back in hours))
    publish_hours(reporter, datetime.now(UTC))
    validate_unsealed(reporter, "manual__1", datetime.now(UTC))


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text.split("<main")[1])).split())


def check_address(suite: str, name: str) -> str:
    return f"/footfall/quality/check?site=shop&suite={suite}&expectation={name}"


def test_twenty_four_hours_are_those_until_now(traffic: CountedTraffic, reporter: Warehouse, filled: Client) -> None:
    seal(traffic, reporter, 2, 23, 25, 47)
    viewer, address = filled("viewer"), check_address("hourly_report", "no_null")
    assert "Passing, 24 h SQL 2 of 2 hours" in words(viewer.get(f"{address}&range=24h").text)
    assert "Passing, 7 days SQL 4 of 4 hours" in words(viewer.get(f"{address}&range=7d").text)
    assert "Passing, 30 days SQL 4 of 4 hours" in words(viewer.get(address).text)


def test_quality_counts_what_passes_fails_waits_and_does_not_apply_apart(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    seal(traffic, reporter, 30)
    viewer, of_shop = filled("viewer"), "/footfall/quality?site=shop"
    page = viewer.get(of_shop).text
    # One hour alone has no usual volume: all checks but that one apply, and pass.
    assert f"{len(CHECKS) - 1} checks pass · 1 does not apply" in words(page)
    assert (
        f"Checks passing SQL {len(CHECKS) - 1} of {len(CHECKS)} 0 critical fail · 0 warnings fail · 1 does not"
        in words(page)
    )
    assert "1 check passes" in words(viewer.get(f"{of_shop}&suite=traffic_bucket&severity=waits").text)
    assert "all 9 checks pass" in words(viewer.get(f"{of_shop}&suite=traffic_bucket").text)

    # The stream has not come to the end of the next hour, so that one waits: it does not fail.
    traffic.execute("UPDATE stream.lease SET caught_up_to = NULL")
    traffic.batch(Cell(hours_ago(3).strftime("%Y-%m-%dT%H:%M:%S"), hits=3))
    traffic.execute("UPDATE stream.lease SET caught_up_to = %(then)s", {"then": hours_ago(3)})
    publish_hours(reporter, datetime.now(UTC))
    validate_unsealed(reporter, "manual__2", datetime.now(UTC))
    page = viewer.get(of_shop).text
    assert f"{len(CHECKS) - 2} checks pass · 1 waits · 1 does not apply" in words(page)
    assert "ledger is closed for the hour waits" in words(page).lower()
    assert "−1 h" in words(page)
    assert "No check fails." in words(viewer.get(f"{of_shop}&failing=true").text)


def test_a_suites_row_has_its_data_age_and_its_owners(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    seal(traffic, reporter, 3)
    page = filled("viewer").get("/footfall/quality?site=shop").text
    rows = [words("<main" + row.split("</tr>")[0]) for row in page.split('<tr class="suite">')[1:]]
    assert len(rows) == 2
    assert re.search(r"2 h( \d+ min)? dags, producers, sql/reports$", rows[0])
    assert re.search(r"2 h( \d+ min)? spark_jobs$", rows[1])


def test_what_was_seen_and_its_limit_have_their_unit(
    traffic: CountedTraffic, reporter: Warehouse, admin: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell(hours_ago(4).strftime("%Y-%m-%dT%H:%M:%S"), hits=3))
    execute(admin, "UPDATE stream.ledger SET committed_at = now() - interval '3 hours'")
    publish_hours(reporter, datetime.now(UTC))
    validate_unsealed(reporter, "manual__1", datetime.now(UTC))
    page = words(filled("viewer").get(check_address("hourly_report", "report_is_fresh")).text)
    assert "Seen 2 h" in page or "Seen 3 h" in page
    assert "expected at most 2 h." in page
    assert "What to do when it fails: The numbers are right, they came late." in page
    assert "7200" not in words(filled("viewer").get("/footfall/quality?site=shop").text)


def test_the_statement_of_a_check_is_the_one_that_gives_its_columns(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse, filled: Client
) -> None:
    seal(traffic, reporter, 4)
    viewer = filled("viewer")
    for check in CHECKS:
        page = viewer.get(check_address(check.suite, check.name)).text
        shown = unescape(page.split('<pre id="statement"')[1].split("<code>")[1].split("</code>")[0])
        assert f"which looks at: {', '.join(check.columns)}\n" in shown
        assert set(check.columns) <= execute(reporter, shown)[0].keys(), check.name
        assert "Role footfall_reporter runs it" in words(page)
        with pytest.raises(DatabaseError, match="permission denied"):  # as the page says
            execute(reader, shown)


def test_a_check_that_is_no_more_keeps_its_results_and_says_so(
    traffic: CountedTraffic, reporter: Warehouse, admin: Warehouse, filled: Client
) -> None:
    seal(traffic, reporter, 4)
    execute(
        admin,
        'INSERT INTO quality.expectation SELECT (jsonb_populate_record(e, \'{"expectation": "was_once"}\')).*'
        " FROM quality.expectation AS e WHERE expectation = 'volume_is_usual';"
        'INSERT INTO quality.result SELECT (jsonb_populate_record(r, \'{"expectation": "was_once"}\')).*'
        " FROM quality.result AS r WHERE expectation = 'volume_is_usual'",
    )
    answer = filled("viewer").get(check_address("hourly_report", "was_once"))
    assert answer.status_code == 200
    assert "This check is no more, and with it went its statement." in words(answer.text)
    assert "What to do" not in words(answer.text)

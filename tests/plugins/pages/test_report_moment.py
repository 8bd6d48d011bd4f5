"""A report as known at a moment shows no verdict that came later."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sql.hourly_reports import publish_hours
from sql.warehouse import Row, Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import admin as admin
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at, execute, select

pytestmark = pytest.mark.services

AS_OF = at("2026-06-09T00:00:00")
HOUR = "/footfall/reports/hour?site=shop&start=2026-06-01T10:00Z"
SEAL = (
    "INSERT INTO quality.run (run_label, status, finished_at) VALUES ('a run', 'done', %(at)s);"
    "INSERT INTO quality.result (run_id, site, hour_start, revision, suite, expectation, severity, passed, observed,"
    " threshold) SELECT max(run_id), 'shop', '2026-06-01T10:00Z', 1, 'hourly_report', 'no_null', 'critical', true,"
    " '0', '0' FROM quality.run;"
    "INSERT INTO quality.hour_seal SELECT 'shop', '2026-06-01T10:00Z', 1, 'green', 'all hold', max(run_id), %(at)s"
    " FROM quality.run"
)
AUDIT = (
    "INSERT INTO quality.audit (run_label, audited_from, audited_until, status, hours_checked, cells_compared,"
    " cells_differing, finished_at) VALUES ('an audit', '2026-06-01T10:00Z', '2026-06-01T11:00Z', 'differs', 1, 9, 2,"
    " %(at)s);"
    "INSERT INTO quality.audit_hour SELECT max(audit_id), 'shop', '2026-06-01T10:00Z', 1, 'differs', 2,"
    " 'pages differ' FROM quality.audit"
)


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_seal_checks_and_audit_are_those_of_the_moment(
    admin: Warehouse, traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=30))
    publish_hours(reporter, AS_OF)
    made = select(reporter, "SELECT made_at FROM report.hour_revision")[0][0]
    sealed, audited = made + timedelta(minutes=1), made + timedelta(minutes=2)
    execute(admin, SEAL, {"at": sealed})
    execute(admin, AUDIT, {"at": audited})
    viewer = filled("viewer")

    def page(seconds: float) -> str:
        moment = (made + timedelta(seconds=seconds)).isoformat().replace("+", "%2B")
        return words(viewer.get(f"{HOUR}&as_known_at={moment}").text)

    before, between, after = page(30), page(90), page(150)
    assert "Unchecked since" in before and "no verdict on this revision yet." in before
    assert "Green seal" not in before and "No check fails" not in before and "No audit had ended then" in before
    assert "Green seal, revision 1. No check fails: 1 passes" in between and "Not audited then." in between
    assert "Red seal, revision 1." in after and "pages differ" in after and "it differs" in after
    assert "Red seal, revision 1." in words(viewer.get(HOUR).text)
    for text in (before, between, after):
        assert "batches that hold this hour · as counted now" in text
    day = HOUR.replace("/hour", "/day").replace("T10", "T00")
    moment = (made + timedelta(seconds=30)).isoformat().replace("+", "%2B")
    assert "Unchecked : the worst of its 1 reported hour" in words(viewer.get(f"{day}&as_known_at={moment}").text)


def test_the_seal_of_now_is_the_one_that_all_others_read(
    admin: Warehouse, traffic: CountedTraffic, reporter: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=30))
    publish_hours(reporter, AS_OF)
    execute(admin, SEAL, {"at": AS_OF})
    execute(admin, AUDIT, {"at": AS_OF})
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    columns = "hour_start, revision, seal, reason, run_id, sealed_at, audit_id, audit_verdict, audited_at"
    at_infinity = "quality.seal_at('shop', '2026-06-01T00:00Z', '2026-06-02T00:00Z')"
    found = [
        execute(reporter, f"SELECT {columns} FROM {place} ORDER BY revision")  # noqa: S608
        for place in ("quality.revision_seal", at_infinity)
    ]
    assert len(found[0]) == 3
    assert found[0] == found[1]
    reasons: list[Row] = found[1]
    assert reasons[1]["reason"] == "a newer revision came before it was checked"


def test_an_unchecked_hour_says_since_when_and_keeps_the_reason(
    admin: Warehouse, traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=30))
    publish_hours(reporter, AS_OF)
    execute(
        admin,
        SEAL.replace("'green', 'all hold'", "'unchecked', 'report_includes_late_data: 1 (expected: no late data)'"),
        {"at": AS_OF},
    )
    said = words(filled("viewer").get(HOUR).text.split('aria-label="Seal"')[1])
    assert re.search(
        r"Unchecked since \S+ : no verdict on this revision yet\. "
        r"report_includes_late_data: 1 \(expected: no late data\)\.",
        said,
    )


def test_a_range_as_known_before_its_first_report_says_so(
    traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=30))
    publish_hours(reporter, AS_OF)
    day = HOUR.replace("/hour", "/day").replace("T10", "T00")
    page = filled("viewer").get(f"{day}&as_known_at=2000-01-01T00:00Z").text
    assert "Nothing was known then." in page and 'name="as_known_at"' in page


@pytest.mark.parametrize("kind", ["hour", "day"])
def test_an_hour_and_a_day_show_their_part_of_the_ledger_with_its_holes(
    kind: str, traffic: CountedTraffic, reporter: Warehouse, filled: Client
) -> None:
    traffic.batch(Cell("10:00:00", hits=30))
    traffic.batch(Cell("10:00:00", hits=5), gap=2)
    traffic.execute(
        "INSERT INTO stream.hour_offsets"
        " SELECT '2026-06-01T10:00Z', topic_id, 0, '{[0,30),[32,37)}' FROM stream.topic"
    )
    publish_hours(reporter, AS_OF)
    address = HOUR if kind == "hour" else HOUR.replace("/hour", "/day").replace("T10", "T00")
    page = filled("viewer").get(address).text
    ledger = words(page.split('id="ledger"')[1].split("</table>")[0])
    assert ledger.endswith("Holes 0 0 – 36 in 2 parts 35 35 0 0 1")
    assert "1 hole between these batches" in page

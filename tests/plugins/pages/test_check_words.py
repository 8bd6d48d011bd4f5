"""What is said of a check: one verdict for each result, counts that add up, numbers with their unit."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.pages.check_words import limit_words, seen_words, tally, tally_words, unit_words, verdict_of
from plugins.pages.quality_rows import suites


def result(passed: bool | None, severity: str = "critical", observed: str = "0", **more: Any) -> dict[str, Any]:
    return {"passed": passed, "severity": severity, "observed": observed, "run_id": 1} | more


NO_RUN = result(None, run_id=None) | {"observed": None}
RESULTS = [
    *[result(True)] * 11,
    result(False, "waits", "1"),
    *[result(None, observed="does not apply")] * 16,
    result(None, observed="could not be checked: no such column"),
    result(False, "warning", "7300"),
    NO_RUN,
]


def test_a_check_that_waits_does_not_fail_and_one_that_does_not_apply_does_not_pass() -> None:
    assert [verdict_of(row) for row in (RESULTS[0], RESULTS[11], RESULTS[12], *RESULTS[28:])] == [
        "passes",
        "waits",
        "does not apply",
        "unchecked",
        "fails",
        "no run",
    ]
    assert verdict_of(result(True, "waits")) == "passes"


def test_each_result_is_counted_once() -> None:
    counted = tally(RESULTS)
    assert counted.total() == len(RESULTS) == 31
    assert (counted["passes"], counted["waits"], counted["does not apply"]) == (11, 1, 16)
    assert tally_words(counted) == "1 fails · 11 pass · 1 waits · 16 do not apply · 1 unchecked · 1 without a run"
    assert tally_words(counted, "fails", "passes", "unchecked", "no run") == "1 waits · 16 do not apply"
    assert tally_words(tally([])) == ""


@pytest.mark.parametrize(
    ("check", "observed", "shown"),
    [
        ("hourly_report.report_is_fresh", "5.821", "5.8 s"),
        ("hourly_report.report_is_fresh", "7300.5", "2 h 1 min"),
        ("traffic_bucket.ledger_is_closed_for_the_hour", "-600.0", "−10 min"),
        ("hourly_report.volume_is_usual", "0.251", "0.25 times"),
        ("traffic_bucket.hour_has_buckets", "1234", "1,234 rows"),
        ("traffic_bucket.ledger_is_contiguous", "1", "1 gap"),
        ("traffic_bucket.ledger_is_contiguous", "0", "0 gaps"),
        ("hourly_report.report_includes_late_data", "1", "1 due revision"),
        ("hourly_report.hits_equals_its_buckets", "1 of 15 fail (1 page)", "1 of 15 fail (1 page)"),
        ("hourly_report.volume_is_usual", "does not apply", "does not apply"),
        ("hourly_report.a_check_that_is_no_more", "7", "7"),
        ("hourly_report.report_is_fresh", None, ""),
    ],
)
def test_what_was_seen_has_its_unit(check: str, observed: str | None, shown: str) -> None:
    suite, name = check.split(".")
    assert seen_words(suite, name, observed) == shown


def test_a_limit_in_seconds_reads_as_an_age() -> None:
    assert limit_words("at most 7200 s") == "at most 2 h"
    assert limit_words("at least 0 s past the end of the hour") == "at least 0 s past the end of the hour"
    assert limit_words("0.3 to 3 times") == "0.3 to 3 times"
    assert unit_words("hourly_report", "report_is_fresh") == "seconds"
    assert unit_words("traffic_bucket", "no_null") == "rows"
    assert unit_words("hourly_report", "hits_equals_its_buckets") == "values that fail"


def test_only_what_fails_is_left_when_failing_checks_are_asked_for() -> None:
    rows = [
        row | {"suite": "hourly_report", "expectation": str(place), "owner": owner, "hour_start": None}
        for place, (row, owner) in enumerate(zip(RESULTS, ["dags", *["sql/reports"] * 30], strict=True))
    ]
    (whole,) = suites(rows, {}, failing_only=False)
    assert (whole.counted.total(), len(whole.failing), whole.worst) == (31, 1, "amber")
    assert whole.owners == ["dags", "sql/reports"]
    assert whole.newest_hour_start is None
    (failing,) = suites(rows, {}, failing_only=True)
    assert [check["expectation"] for check in failing.checks] == ["29"]

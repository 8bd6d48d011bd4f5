"""The rules of the seal, on outcomes made by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pandas as pd

from expectations.checks import CHECKS, Check
from expectations.facts import COLUMNS
from expectations.failing_rows import FailingRow, failing_rows
from expectations.seal import Outcome, outcome_of, seal_of
from expectations.validation import Finding


def the(severity: str, optional: bool = False) -> Check:
    return next(check for check in CHECKS if check.severity == severity and check.optional is optional)


CRITICAL, WARNING, WAITS = the("critical"), the("warning", optional=True), the("waits")


def seal(*outcomes: Outcome) -> str:
    return seal_of(outcomes)[0]


def test_all_that_holds_is_green() -> None:
    assert seal(Outcome(CRITICAL, True, ""), Outcome(WARNING, True, ""), Outcome(WAITS, True, "")) == "green"


def test_a_failed_warning_is_amber_and_a_failed_critical_check_red() -> None:
    assert seal(Outcome(CRITICAL, True, ""), Outcome(WARNING, False, "")) == "amber"
    assert seal(Outcome(CRITICAL, False, ""), Outcome(WARNING, False, "")) == "red"


def test_what_could_not_be_checked_is_unchecked_never_passed() -> None:
    assert seal(Outcome(CRITICAL, True, ""), Outcome(CRITICAL, None, "could not be checked: x")) == "unchecked"
    assert seal(Outcome(WARNING, None, "could not be checked: x")) == "unchecked"
    assert seal(Outcome(CRITICAL, None, "nothing to look at")) == "unchecked"
    assert seal() == "unchecked"


def test_a_check_that_does_not_apply_to_this_hour_leaves_the_seal_as_it_is() -> None:
    assert seal(Outcome(CRITICAL, True, ""), Outcome(WARNING, None, "does not apply")) == "green"


def test_an_hour_that_waits_is_unchecked_but_a_failed_critical_check_is_red_all_the_same() -> None:
    assert seal(Outcome(WAITS, False, "1"), Outcome(WARNING, False, "")) == "unchecked"
    assert seal(Outcome(WAITS, False, "1"), Outcome(CRITICAL, False, "")) == "red"


def test_a_finding_is_told_apart_by_hour() -> None:
    finding = Finding(CRITICAL, {1: Counter(page=2, total=1)}, {0: 5, 1: 6})
    assert outcome_of(finding, 0, None) == Outcome(CRITICAL, True, "0 of 5 fail")
    assert outcome_of(finding, 1, None) == Outcome(CRITICAL, False, "3 of 6 fail (2 page, 1 total)")
    assert outcome_of(finding, 2, None) == Outcome(CRITICAL, None, "nothing to look at")
    assert outcome_of(finding, 1, 0.25) == Outcome(CRITICAL, False, "0.25")
    assert outcome_of(replace(finding, broken="no such column"), 0, None).passed is None


def test_a_failing_row_is_kept_with_its_key_and_what_was_seen_and_without_an_address() -> None:
    facts = [
        {"hour": 0, "dimension": "hour", "volume_ratio": 0.25},
        {"hour": 0, "dimension": "page", "report_text": "/who/192.0.2.7", "report_hits": 3, "bucket_hits": 2},
        {"hour": 0, "dimension": "country", "bucket_country": "DE", "report_hits": 0, "bucket_hits": 2},
    ]
    frame = pd.DataFrame.from_records(facts, columns=list(COLUMNS)).astype(COLUMNS)
    assert failing_rows(frame, [0], ("volume_ratio",)) == [FailingRow("hour", "", {"volume_ratio": 0.25})]
    assert failing_rows(frame, [1, 2], ("report_hits", "bucket_hits")) == [
        FailingRow("page", "/who/:ip", {"report_hits": 3, "bucket_hits": 2}),
        FailingRow("country", "DE", {"report_hits": 0, "bucket_hits": 2}),
    ]
    assert failing_rows(frame, [1], ("report_text",)) == [FailingRow("page", "/who/:ip", {"report_text": "/who/:ip"})]
    assert len(failing_rows(frame, [1] * 150, ("report_hits",))) == 100

"""From findings to the seal of each hour: pure, so that its rules can be read and tested on their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from expectations.checks import Check
from expectations.failing_rows import FailingRow, failing_rows
from expectations.validation import Finding

Seal = Literal["green", "amber", "red", "unchecked"]
LONGEST_OBSERVED = 200
LONGEST_REASON = 500


@dataclass(frozen=True)
class Outcome:
    """One check on one hour; ``passed`` is None when it could not be evaluated or does not apply.

    failing: how many rows failed, of which ``rows`` are the first; 0 unless ``passed`` is False.
    """

    check: Check
    passed: bool | None
    observed: str
    failing: int = 0
    rows: Sequence[FailingRow] = ()


def outcome_of(finding: Finding, hour: int, value: object) -> Outcome:
    """What a finding says of one hour. value: the measured number when the check looks at one, else None."""
    check = finding.check
    if finding.broken is not None:
        return Outcome(check, None, f"could not be checked: {finding.broken}"[:LONGEST_OBSERVED])
    looked_at = finding.looked_at.get(hour, 0)
    if looked_at == 0:
        return Outcome(check, None, "does not apply" if check.optional else "nothing to look at")
    failed = finding.failures.get(hour)
    if value is not None:
        return Outcome(check, not failed, str(value)[:LONGEST_OBSERVED])
    if not failed:
        return Outcome(check, True, f"0 of {looked_at} fail")
    where = ", ".join(f"{count} {dimension}" for dimension, count in sorted(failed.items()))
    return Outcome(check, False, f"{failed.total()} of {looked_at} fail ({where})"[:LONGEST_OBSERVED])


def seal_of(outcomes: Sequence[Outcome]) -> tuple[Seal, str]:
    """Seal and its reason. A failed critical check is red whatever else; nothing unknown is ever green or amber."""
    failed = [outcome for outcome in outcomes if outcome.passed is False]
    unknown = [outcome for outcome in outcomes if outcome.passed is None and not _harmless(outcome)]
    critical = [outcome for outcome in failed if outcome.check.severity == "critical"]
    waits = [outcome for outcome in failed if outcome.check.severity == "waits"]
    warnings = [outcome for outcome in failed if outcome.check.severity == "warning"]
    if critical:
        return "red", _reason(critical)
    if waits:
        return "unchecked", _reason(waits)
    if unknown or not outcomes:
        return "unchecked", _reason(unknown) or "no check was run"
    if warnings:
        return "amber", _reason(warnings)
    return "green", f"all {len(outcomes)} expectations hold or do not apply"


def _harmless(outcome: Outcome) -> bool:
    return outcome.check.optional and outcome.observed == "does not apply"


def _reason(outcomes: Sequence[Outcome]) -> str:
    words = [f"{o.check.suite}.{o.check.name}: {o.observed} (expected: {o.check.threshold})" for o in outcomes]
    return "; ".join(words)[:LONGEST_REASON]


def outcomes_by_hour(findings: Sequence[Finding], frame: pd.DataFrame, hours: int) -> list[list[Outcome]]:
    """Outcomes of all findings for each hour 0..hours-1."""
    measured = {row["hour"]: row for row in frame[frame["dimension"] == "hour"].to_dict("records")}
    result: list[list[Outcome]] = []
    for hour in range(hours):
        outcomes = []
        for finding in findings:
            value: Any = None
            if len(finding.check.columns) == 1:
                value = measured.get(hour, {}).get(finding.check.columns[0])
            value = None if value is None or pd.isna(value) else round(value, 3)
            outcome = outcome_of(finding, hour, value)
            if outcome.passed is False:
                places = finding.places[hour]
                found = failing_rows(frame, places, finding.check.columns)
                outcome = replace(outcome, failing=len(places), rows=found)
            outcomes.append(outcome)
        result.append(outcomes)
    return result

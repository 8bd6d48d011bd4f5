"""Checks every hour revision that has no verdict, writes the results as rows and seals the hours."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from expectations.checks import CHECKS, Check
from expectations.facts import HourRevision, load_facts, unsealed_hours
from expectations.seal import LONGEST_REASON, Outcome, outcomes_by_hour, seal_of
from expectations.validation import great_expectations_version, validate
from sql.warehouse import Warehouse, run, run_many

# Hours of one batch of Great Expectations: its frame holds a row for each cell of each dimension of each hour.
HOURS_A_BATCH = 100


@dataclass(frozen=True)
class QualityRun:
    """One run of the checks: how many hour revisions it looked at, and how many got which seal."""

    run_id: int
    hours: int
    green: int
    amber: int
    red: int
    unchecked: int


def validate_unsealed(
    warehouse: Warehouse, run_label: str, as_of: datetime, checks: Sequence[Check] = CHECKS
) -> QualityRun:
    """Check and seal the latest revision of each hour closed by ``as_of`` that is not sealed green, amber or red.

    run_label: who asks, such as a DAG run's id. A rerun looks only at what is still unchecked. When the run
    itself breaks, its hours are recorded as unchecked with the reason, and the error is raised on.
    warehouse: role footfall_reporter.
    """
    hours = unsealed_hours(warehouse, as_of)
    run_id = int(warehouse.row("quality/start_run", {"run_label": run_label})["run_id"])
    seals: Counter[str] = Counter()
    finish: dict[str, Any] = {
        "run_id": run_id,
        "hours": len(hours),
        "gx_version": great_expectations_version(),
        "status": "done",
        "error": None,
    }
    done = 0
    try:
        for first in range(0, len(hours), HOURS_A_BATCH):
            batch = hours[first : first + HOURS_A_BATCH]
            frame = load_facts(warehouse, batch)
            seals += _write(
                warehouse, run_id, batch, outcomes_by_hour(validate(frame, checks), frame, len(batch)), checks
            )
            done += len(batch)
    except Exception as error:
        reason = f"the checks broke: {type(error).__name__}: {error}".strip()[:LONGEST_REASON]
        _leave_unchecked(warehouse, run_id, hours[done:], reason)
        warehouse.run("quality/finish_run", finish | {"status": "broken", "error": reason})
        raise
    with warehouse.transaction() as cursor:
        run(cursor, "quality/track_incidents", {"run_id": run_id})
        run(cursor, "quality/finish_run", finish)
    return QualityRun(run_id, len(hours), seals["green"], seals["amber"], seals["red"], seals["unchecked"])


def _write(
    warehouse: Warehouse,
    run_id: int,
    hours: Sequence[HourRevision],
    outcomes: Sequence[Sequence[Outcome]],
    checks: Sequence[Check],
) -> Counter[str]:
    """Write results and seals of a batch in one transaction; returns how many hours got which seal."""
    seals: Counter[str] = Counter()
    sealed: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    failing: list[dict[str, Any]] = []
    for hour, found in zip(hours, outcomes, strict=True):
        key = {"run_id": run_id, "site": hour.site, "hour_start": hour.hour_start, "revision": hour.revision}
        seal, reason = seal_of(found)
        seals[seal] += 1
        sealed.append(key | {"seal": seal, "reason": reason})
        results += [
            key
            | {
                "suite": outcome.check.suite,
                "expectation": outcome.check.name,
                "severity": outcome.check.severity,
                "threshold": outcome.check.threshold,
                "passed": outcome.passed,
                "observed": outcome.observed,
                "failing_rows": outcome.failing,
            }
            for outcome in found
        ]
        failing += [
            key
            | {"suite": outcome.check.suite, "expectation": outcome.check.name, "place": place}
            | {"dimension": row.dimension, "key": row.key, "seen": json.dumps(row.seen)}
            for outcome in found
            for place, row in enumerate(outcome.rows, 1)
        ]
    described = [
        {
            "suite": check.suite,
            "expectation": check.name,
            "severity": check.severity,
            "description": check.description,
            "threshold": check.threshold,
            "owner": check.owner,
            "lowest": check.options.get("min_value"),
            "highest": check.options.get("max_value"),
            "rule": check.rule,
        }
        for check in checks
    ]
    with warehouse.transaction() as cursor:
        run_many(cursor, "quality/describe_expectation", described)
        run_many(cursor, "quality/write_result", results)
        run_many(cursor, "quality/write_failing_row", failing)
        run_many(cursor, "quality/seal_hour", sealed)
    return seals


def _leave_unchecked(warehouse: Warehouse, run_id: int, hours: Sequence[HourRevision], reason: str) -> None:
    with warehouse.transaction() as cursor:
        for hour in hours:
            key = {"site": hour.site, "hour_start": hour.hour_start, "revision": hour.revision}
            run(cursor, "quality/seal_hour", key | {"seal": "unchecked", "reason": reason, "run_id": run_id})

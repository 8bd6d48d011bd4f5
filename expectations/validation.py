"""Runs the suites through Great Expectations. The only module that imports it, and only when it is needed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import pandas as pd

from expectations.checks import Check


@dataclass(frozen=True)
class Finding:
    """What one check found in a frame.

    failures: per hour, how many values of which dimension were unexpected. places: per hour, where in the frame they
    stand. looked_at: per hour, how many values there were. broken: why Great Expectations could not evaluate it,
    None when it could.
    """

    check: Check
    failures: Mapping[int, Counter[str]] = field(default_factory=dict)
    looked_at: Mapping[int, int] = field(default_factory=dict)
    broken: str | None = None
    places: Mapping[int, Sequence[int]] = field(default_factory=dict)


def great_expectations_version() -> str:
    """Version of the library that judges."""
    return version("great-expectations")


def validate(frame: pd.DataFrame, checks: Sequence[Check]) -> list[Finding]:
    """Evaluate all checks on the frame (columns ``hour``, ``dimension`` and those the checks name).

    One suite per ``check.suite``, one batch, nothing written to disk or sent anywhere. A check that raises is a
    finding with ``broken``; anything else that goes wrong raises.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    batch = (
        context.data_sources.add_pandas("facts")
        .add_dataframe_asset("hours")
        .add_batch_definition_whole_dataframe("now")
        .get_batch({"dataframe": frame.assign(place=range(len(frame)))})
    )
    findings: list[Finding] = []
    for suite_name in dict.fromkeys(check.suite for check in checks):
        members = {check.name: check for check in checks if check.suite == suite_name}
        suite = gx.ExpectationSuite(name=suite_name)
        for check in members.values():
            suite.add_expectation_configuration(
                ExpectationConfiguration(
                    type=check.expectation,
                    kwargs=dict(check.options),
                    meta={"name": check.name, "severity": check.severity, "owner": check.owner},
                    description=check.description,
                    severity=FailureSeverity.CRITICAL if check.severity == "critical" else FailureSeverity.WARNING,
                )
            )
        outcome = batch.validate(
            suite,
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": ["hour", "dimension", "place"],
                "return_unexpected_index_query": False,
            },
        )
        found = {}
        for result in outcome.results:
            configuration = result.expectation_config
            if configuration is not None and configuration.meta is not None:
                name = configuration.meta["name"]
                found[name] = _finding(members[name], result, frame)
        findings += [found.get(name, Finding(check, broken="no result")) for name, check in members.items()]
    return findings


def _finding(check: Check, result: Any, frame: pd.DataFrame) -> Finding:
    broken = _exception(result.exception_info)
    if broken is not None:
        return Finding(check, broken=broken)
    failures: dict[int, Counter[str]] = {}
    places: dict[int, list[int]] = {}
    for row in result.result.get("unexpected_index_list") or []:
        failures.setdefault(int(row["hour"]), Counter())[str(row["dimension"])] += 1
        places.setdefault(int(row["hour"]), []).append(int(row["place"]))
    if bool(result.success) == bool(failures):
        return Finding(check, broken=f"success is {result.success}, but {len(failures)} hours have failures")
    present = frame[list(check.columns)].notna().all(axis=1)
    return Finding(check, failures, Counter(frame.loc[present, "hour"].tolist()), places=places)


def _exception(info: Mapping[str, Any] | None) -> str | None:
    """The first exception message in an exception_info, which is flat or keyed by metric."""
    for part in [info or {}, *(info or {}).values()]:
        if isinstance(part, Mapping) and part.get("raised_exception"):
            return str(part.get("exception_message") or "raised without a message")
    return None

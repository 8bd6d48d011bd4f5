"""The audit's task: which period it asks for, what it makes of the exit code, and that it ends with its task."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from plugins.audit_job import AuditOperator, audited_period
from settings import Settings
from sql.audit import AuditedHour, Outcome, finish_audit, start_audit
from sql.warehouse import Warehouse
from tests.plugins.conftest import eventually

AT = datetime(2026, 11, 20, 2, 10, tzinfo=UTC)
DAY, NEXT_DAY = datetime(2026, 11, 19, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
SAY_AND_END = "import sys; print('footfall.audit planted words'); sys.exit({})"


def context(run_id: str = "test") -> Any:
    return {
        "dag_run": SimpleNamespace(run_id=run_id, run_after=AT),
        "params": {"start": None, "end": None},
    }


def operator(script: str) -> AuditOperator:
    return AuditOperator(task_id="compare", program=[sys.executable, "-c", script])


def recorded(settings: Settings, outcome: Outcome, *hours: AuditedHour) -> None:
    with Warehouse(settings.dsn("footfall_reporter"), "test") as warehouse:
        finish_audit(warehouse, start_audit(warehouse, "test", DAY, NEXT_DAY), outcome, hours)


def test_by_default_it_audits_the_day_before_the_run() -> None:
    assert audited_period(AT, None, None) == (DAY, NEXT_DAY)
    assert audited_period(AT, "2026-11-19T05:00", None) == (DAY.replace(hour=5), NEXT_DAY)
    with pytest.raises(AirflowFailException, match="is not before"):
        audited_period(AT, "2026-11-21T00:00Z", None)


@pytest.mark.services
def test_it_repeats_the_audits_words_and_keeps_them_in_a_file(
    stack: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    recorded(stack, Outcome("equal", hours_checked=24, cells_compared=1234))
    operator(SAY_AND_END.format(0)).execute(context())
    assert "| footfall.audit planted words" in caplog.text
    assert "equal; 1,234 cells compared, 0 differ; 24 hours checked, 0 not" in caplog.text
    (log,) = stack.logs.glob("audit-20261119T00-*.log")
    assert log.read_text(encoding="utf-8") == "footfall.audit planted words\n"
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.services
def test_differences_leave_the_task_green_and_are_said_loudly(
    stack: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    recorded(stack, Outcome("differs", hours_checked=1, cells_compared=10, cells_differing=1))
    operator(SAY_AND_END.format(1)).execute(context())
    assert [record.levelname for record in caplog.records if "1 differ" in record.message] == ["ERROR"]


@pytest.mark.services
def test_an_audit_that_could_check_nothing_is_skipped_with_its_reasons(
    stack: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    hour = AuditedHour("shop", DAY, None, "unchecked", 0, "no report yet")
    recorded(stack, Outcome("unchecked", hours_unchecked=1), hour)
    with pytest.raises(AirflowSkipException):
        operator(SAY_AND_END.format(3)).execute(context())
    assert "1 hours not checked: no report yet" in caplog.text


@pytest.mark.services
def test_an_audit_that_could_not_run_fails_the_task(stack: Settings) -> None:
    with pytest.raises(AirflowFailException, match=r"could not run \(exit code 4\)"):
        operator(SAY_AND_END.format(4)).execute(context())


@pytest.mark.services
def test_killing_the_task_ends_the_audit(stack: Settings) -> None:
    task = operator("import time; print('started', flush=True); time.sleep(600)")
    failures: list[BaseException] = []

    def execute() -> None:
        try:
            task.execute(context())
        except AirflowFailException as error:
            failures.append(error)

    thread = threading.Thread(target=execute)
    thread.start()
    assert eventually(lambda: task.process is not None)
    task.on_kill()
    thread.join(30)
    assert task.process is not None
    assert task.process.poll() is not None
    assert [str(failure) for failure in failures] == ["stopped from outside; the audit ended"]

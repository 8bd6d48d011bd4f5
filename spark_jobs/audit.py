"""The audit: reads the records of reported hours from Kafka again and compares every figure of their reports.

    python -m spark_jobs.audit --start 2026-11-24 --end 2026-11-25

Ends with 0 when every cell compared agrees, 1 when cells differ, 3 when no hour of the period could be checked, 4
when it could not run, 5 when it was stopped by a signal. What it found is in ``quality.audit`` and its neighbours.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pyspark.sql import SparkSession

from settings import Settings
from spark_jobs.agent_rules import RULES_VERSION
from spark_jobs.audit_ledger import batches_with_copies, read_ledger
from spark_jobs.audit_phases import Phases
from spark_jobs.audit_plan import AFTER, BEFORE, AuditPlan, everything, plan_audit
from spark_jobs.audit_run import Moment, Result, audit
from spark_jobs.kafka_topic import KafkaTopic, TopicState
from spark_jobs.session import start_session
from sql.audit import AuditedHour, Outcome, Snapshot, finish_audit, start_audit
from sql.warehouse import Warehouse

log = logging.getLogger("footfall.audit")

MASTER = "local[2]"  # what it writes down on the way is on this machine's disk
DRIVER_MEMORY = "2g"
OPTIONS = {
    "spark.sql.shuffle.partitions": "8",
    # What is written down on the way has millions of rows or a few: joins and partitions follow that.
    "spark.sql.adaptive.enabled": "true",
    # An hour's page is a key; up to so many keys a task gathers their latencies without sorting the lines first.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "20000",
}
LONGEST_NOTES = 2000
EXIT_CODES = {"equal": 0, "differs": 1, "unchecked": 3, "broken": 4}
STOPPED = 5


class Stopped(BaseException):
    """SIGTERM or SIGINT came."""


@contextmanager
def own_session(settings: Settings) -> Iterator[SparkSession]:
    """Spark for one audit."""
    session = start_session(
        MASTER, DRIVER_MEMORY, settings.home / "jars" / "spark", settings.home / "audit" / "spark"
    )
    for name, value in OPTIONS.items():
        session.conf.set(name, value)
    try:
        yield session
    finally:
        session.stop()


def run_audit(
    settings: Settings,
    start: datetime,
    end: datetime,
    run_label: str,
    secret: bytes,
    spark: Callable[[], AbstractContextManager[SparkSession]],
    phases: Phases,
) -> tuple[int, str]:
    """Audit the hours from start until end; returns the audit's number and its status.

    secret: at least 16 random bytes, the key of this audit's visitor hashes. spark: opens the session when there is
    something to check. phases: take the time. Raises AuditRunning when another runs; whatever else goes wrong is
    noted in ``quality.audit`` and raised on.
    """
    with Warehouse(settings.dsn("footfall_reporter"), "footfall-audit", statement_timeout_s=1800.0) as warehouse:
        audit_id = start_audit(warehouse, run_label, start, end)
        log.info("audit %d of %s until %s", audit_id, start.isoformat(), end.isoformat())
        folder = settings.home / "audit"
        shutil.rmtree(folder, ignore_errors=True)  # of an audit that was killed: there is no other one
        folder.mkdir(parents=True, mode=0o700)
        try:
            outcome = _audited(settings, warehouse, audit_id, start, end, secret, spark, phases)
        except Stopped:
            finish_audit(warehouse, audit_id, Outcome("broken", error="stopped by a signal"))
            raise
        except Exception as error:
            words = f"{type(error).__name__}: {error}".strip().splitlines()[0][:500]
            finish_audit(warehouse, audit_id, Outcome("broken", error=words))
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return audit_id, outcome.status


def _audited(
    settings: Settings,
    warehouse: Warehouse,
    audit_id: int,
    start: datetime,
    end: datetime,
    secret: bytes,
    spark: Callable[[], AbstractContextManager[SparkSession]],
    phases: Phases,
) -> Outcome:
    kafka = KafkaTopic(settings.kafka_python_options("footfall_stream"), settings.topic)
    try:
        topic = kafka.state()
    finally:
        kafka.close()
    with warehouse.transaction(isolation="REPEATABLE READ") as cursor:
        snapshot = Snapshot(cursor, str(topic.topic_id))
        with phases.phase("ledger and reports copied"):
            moment = read_moment(snapshot, topic, start, end, settings.home / "audit")
    plan = moment.plan
    log.info("%d hours to check, %d that cannot be", len(plan.checked), len(plan.unchecked))
    base = Outcome("unchecked", ledger_id=snapshot.ledger_id, offsets_gone=plan.offsets_gone)
    if not plan.checked:
        hours = [
            AuditedHour(hour.site, hour.hour_start, hour.revision, "unchecked", 0, reason)
            for hour, reason in plan.unchecked.values()
        ]
        outcome = replace(base, hours_unchecked=len(hours))
        finish_audit(warehouse, audit_id, outcome, hours, ranges=_ranges(plan, str(topic.topic_id)))
        return outcome
    with ExitStack() as stack:
        with phases.phase("Spark started"):
            session = stack.enter_context(spark())
        connection = settings.kafka_jvm_options("footfall_stream")
        result = audit(session, moment, connection, settings.topic, secret, phases)
    log.info("took %s", phases.in_words())
    outcome = _outcome(base, result)
    finish_audit(
        warehouse,
        audit_id,
        outcome,
        result.hours,
        result.comparison.differences,
        _ranges(plan, str(topic.topic_id)),
    )
    log.info("%s: %d cells compared, %d differ", outcome.status, outcome.cells_compared, outcome.cells_differing)
    return outcome


def read_moment(snapshot: Snapshot, topic: TopicState, start: datetime, end: datetime, folder: Path) -> Moment:
    """All that is read of the moment, and the plan that follows from it."""
    plan = plan_audit(
        start,
        end,
        snapshot.hours(start - BEFORE, end + AFTER),
        snapshot.hour_ranges(start - BEFORE, end + AFTER),
        str(topic.topic_id),
        topic.earliest,
    )
    snapshot.copy_ledger(folder / "ledger.csv")
    ledger = read_ledger(folder / "ledger.csv")
    if batches_with_copies(ledger, plan.spans):
        plan = replace(plan, spans=everything(topic.earliest, topic.latest))
    if plan.checked:
        snapshot.copy_own_rows(start - BEFORE, end + AFTER, folder / "own_rows.csv")
        snapshot.copy_published(start, end, folder / "published.csv")
    return Moment(
        start=start,
        end=end,
        folder=folder,
        plan=plan,
        days=snapshot.days(start, end),
        periods=snapshot.visitor_periods(start - BEFORE, end + AFTER),
        ledger=ledger,
        earliest=topic.earliest,
        other_incarnations=snapshot.other_incarnations,
        other_rules_until=snapshot.other_rules_until(RULES_VERSION),
    )


def _ranges(plan: AuditPlan, topic_id: str) -> list[dict[str, Any]]:
    read = [((topic_id, partition), "read", spans) for partition, spans in plan.spans.items()]
    gone = [(place, "gone", spans) for place, spans in plan.gone.items()]
    return [
        {
            "topic_id": topic,
            "kafka_partition": partition,
            "state": state,
            "offset_ranges": "{" + ",".join(f"[{first},{until})" for first, until in spans) + "}",
        }
        for (topic, partition), state, spans in [*read, *gone]
        if any(first < until for first, until in spans)
    ]


def _outcome(base: Outcome, result: Result) -> Outcome:
    found = result.comparison
    checked = sum(hour.verdict != "unchecked" for hour in result.hours)
    return replace(
        base,
        status="differs" if found.cells_differing else "equal" if checked else "unchecked",
        hours_checked=checked,
        hours_unchecked=len(result.hours) - checked,
        records_read=result.records_read,
        cells_compared=found.cells_compared,
        cells_differing=found.cells_differing,
        estimates=found.estimates,
        estimates_beyond_bound=found.estimates_beyond_bound,
        visitors_error=found.visitors_error,
        visitors_error_bound=found.visitors_error_bound,
        latency_error=found.latency_error,
        notes=_bounded(result.notes),
    )


def _bounded(notes: Sequence[str]) -> str:
    words = "; ".join(notes)
    return words if len(words) <= LONGEST_NOTES else f"{words[: LONGEST_NOTES - 2]} …"


def _stop(*_: object) -> NoReturn:
    raise Stopped


def _hour(text: str) -> datetime:
    """A time, UTC unless it names an offset, that is a full hour."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: 2026-11-24, or 2026-11-24T15:00Z") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment.minute or moment.second or moment.microsecond:
        raise typer.BadParameter(f"{text} is not a full UTC hour")
    return moment


def main(
    start: Annotated[str, typer.Option(help="First hour of the period (RFC 3339; UTC unless it says otherwise).")],
    end: Annotated[str, typer.Option(help="End of the period, not included.")],
    label: Annotated[str, typer.Option(help="Who asks, for the record.")] = "by hand",
) -> None:
    """Read the records of reported hours again, compute every figure another way, and compare."""
    first, until = _hour(start), _hour(end)
    if first >= until:
        raise typer.BadParameter(f"{start} is not before {end}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.ERROR)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        settings = Settings()
        secret = secrets.token_bytes(32)
        spark = partial(own_session, settings)
        _, status = run_audit(settings, first, until, label[:250], secret, spark, Phases(time.monotonic))
        code = EXIT_CODES[status]
    except Stopped:
        log.warning("stopped by a signal")
        code = STOPPED
    except Exception:
        log.exception("the audit could not run")
        code = EXIT_CODES["broken"]
    logging.shutdown()
    os._exit(code)  # the JVM's shutdown may hang on a stopped broker; everything is written by now


if __name__ == "__main__":
    typer.run(main)

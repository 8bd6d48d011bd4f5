"""One audit from the snapshot to the verdicts: reads records again, computes every figure, compares."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

from spark_jobs.audit_cells import Basis, comings, day_figures, hour_figures, latencies, minute_figures, month_figures
from spark_jobs.audit_copies import OWN_ROWS, PUBLISHED, copied_frame
from spark_jobs.audit_figures import Comparison, compare, merged
from spark_jobs.audit_ledger import Ledger, batches_with_copies, begins_before
from spark_jobs.audit_lines import counted_lines, decoded, kafka_records, write_records
from spark_jobs.audit_phases import Phases
from spark_jobs.audit_plan import AuditPlan, days_to_check
from spark_jobs.audit_rules import counted_otherwise, rules_note, without_agents
from spark_jobs.audit_scope import (
    DAILY,
    GAP,
    HOURLY,
    MONTHLY,
    OF_VISITS,
    Place,
    days_of_visits,
    epoch_s,
    key_period,
    months_to_check,
    of_places,
    outside_places,
    places,
    visitors_note,
    with_comparable_visitors,
)
from spark_jobs.audit_visits import visit_figures, visits
from sql.audit import AuditedHour, ReportedDay, VisitorPeriod

log = logging.getLogger("footfall.audit")


@dataclass(frozen=True)
class Moment:
    """What was read of one moment. folder: holds published.csv, own_rows.csv, and takes what is computed."""

    start: datetime
    end: datetime
    folder: Path
    plan: AuditPlan
    days: Sequence[ReportedDay]
    periods: Sequence[VisitorPeriod]
    ledger: Ledger
    earliest: Mapping[int, int]
    other_incarnations: bool
    other_rules_until: int  # last number in the ledger that another version of the agents' rules has counted


@dataclass
class Result:
    """What an audit found. hours: of the period, all of them."""

    comparison: Comparison
    hours: list[AuditedHour]
    records_read: int
    notes: list[str] = field(default_factory=list)


def audit(
    session: SparkSession,
    moment: Moment,
    connection: Mapping[str, str],
    topic: str,
    secret: bytes,
    phases: Phases,
) -> Result:
    """Run the audit. secret: key of the visitor hashes, of this audit alone."""
    folder = moment.folder
    records = kafka_records(session, connection, topic, moment.plan.spans)
    spans = moment.plan.spans.values()
    log.info("reading %d records at most from Kafka", sum(until - start for some in spans for start, until in some))
    own_rows = copied_frame(session, folder / "own_rows", OWN_ROWS)
    published = copied_frame(session, folder / "published", PUBLISHED)
    with phases.phase("records read and decoded"):
        rows, records_read = write_records(session, decoded(records, secret, moment.ledger), folder / "records")
    log.info("%d records read", records_read)
    with phases.phase("lines counted once"):
        lines = _kept(counted_lines(rows, own_rows), folder / "lines")
    plan = _without_unknown_copies(session, moment, lines)
    days, notes = days_to_check(plan, moment.days)
    of_visits, more_notes = days_of_visits(plan, days, moment.periods, moment.end)
    months = months_to_check(plan, moment.start, moment.end)
    unchecked = places(session, [(site, epoch_s(at)) for site, at in plan.unchecked])
    day_places = [(day.site, epoch_s(day.day_start)) for day in days]
    with phases.phase("latencies and visitors gathered"):
        within = lines.where(_within(moment))
        basis = Basis(
            within,
            _kept(latencies(within), folder / "latencies"),
            _kept(comings(within), folder / "comings"),
        )
    recomputed = folder / "recomputed"
    with phases.phase("reports of hours"):
        # Also hours that no report knows of: their lines must show as rows that only the records have.
        of_hours = basis.of(lambda frame: outside_places(frame, "hour_s", unchecked))
        # Reports made when totals by 10 s were gone, and before there were minutes in them, have none.
        with_minutes = published.where(f.col("report") == "hourly_minute").select("site", "start_s").distinct()
        minutes = minute_figures(of_places(of_hours.lines, "hour_s", with_minutes))
        _write(recomputed, *hour_figures(of_hours, own_rows), minutes)
    with phases.phase("reports of days and months"):
        of_days = basis.of(lambda frame: of_places(frame, "day_s", places(session, day_places)))
        of_months = basis.of(lambda frame: of_places(_with_month(frame), "month_s", places(session, months)))
        _write(recomputed, *day_figures(of_days), *month_figures(of_months))
    with phases.phase("visits"):
        visit_places, visit_notes = _visits(session, lines, plan, of_visits, moment, recomputed)
    with phases.phase("cells compared"):
        compared = _compared(session, published, unchecked, day_places, visit_places, months)
        hours = {(hour.site, epoch_s(hour.hour_start)) for hour in plan.checked}
        otherwise = [
            place for place in counted_otherwise(within, moment.ledger, moment.other_rules_until) if place in hours
        ]
        sides = [
            without_agents(with_comparable_visitors(side, moment.periods, moment.end), places(session, otherwise))
            for side in (compared, merged(session.read.parquet(str(recomputed))))
        ]
        comparison = compare(*sides)
    left_out = rules_note(otherwise) + visitors_note(hours, day_places, months, moment.periods, moment.end)
    return Result(comparison, _verdicts(plan, comparison), records_read, left_out + notes + more_notes + visit_notes)


def _kept(frame: DataFrame, folder: Path) -> DataFrame:
    """The frame written down, since more than one sum is made of it."""
    frame.write.parquet(str(folder))
    return frame.sparkSession.read.parquet(str(folder))


def _with_month(frame: DataFrame) -> DataFrame:
    month = f.date_trunc("month", f.timestamp_seconds("hour_s"))
    return frame.withColumn("month_s", f.unix_timestamp(month))


def _within(moment: Moment) -> Column:
    return (f.col("hour_s") >= epoch_s(moment.start)) & (f.col("hour_s") < epoch_s(moment.end))


def _write(folder: Path, *figures: DataFrame) -> None:
    """Add figures (KEYS + FIGURES) to the folder."""
    reduce(DataFrame.unionByName, figures).write.mode("append").parquet(str(folder))


def _visits(
    session: SparkSession,
    lines: DataFrame,
    plan: AuditPlan,
    days: Sequence[tuple[ReportedDay, datetime]],
    moment: Moment,
    folder: Path,
) -> tuple[list[Place], list[str]]:
    """Recompute the visits of the days, each as of the row of the ledger its report goes up to.

    Returns the days done, and a note on each whose visits reach beyond what could be read, or that another version of
    the agents' rules has counted.
    """
    done: list[Place] = []
    notes: list[str] = []
    hits = lines.withColumn("key_period", key_period(moment.periods))
    unreadable = [epoch_s(at) for at in plan.unreadable]
    if unreadable:
        hits = hits.where(~f.col("hour_s").isin(*unreadable))
    for ledger_id in sorted({day.visit_ledger_id or 0 for day, _ in days}):
        some = [(day, until) for day, until in days if day.visit_ledger_id == ledger_id]
        frame = session.createDataFrame(
            [(day.site, epoch_s(day.day_start), epoch_s(until - GAP) * 1_000_000) for day, until in some],
            "site string, day_s long, certain_us long",
        )
        began = visits(hits.where(f.col("ledger_id") <= ledger_id))
        day_s = f.floor(f.col("started_us") / 86_400_000_000) * 86_400
        of_days = _kept(
            began.withColumn("day_s", day_s).join(f.broadcast(frame), ["site", "day_s"]),
            moment.folder / f"visits-{ledger_id}",
        )
        doubtful = {
            (row["site"], row["day_s"]): (row["beyond"], row["otherwise"])
            for row in of_days.groupBy("site", "day_s")
            .agg(
                f.count_if(f.col("ended_us") >= f.col("certain_us")).alias("beyond"),
                f.count_if(f.col("first_ledger_id") <= moment.other_rules_until).alias("otherwise"),
            )
            .where((f.col("beyond") > 0) | (f.col("otherwise") > 0))
            .collect()
        }
        whole = [place for day, _ in some if (place := (day.site, epoch_s(day.day_start))) not in doubtful]
        for (site, start_s), (beyond, otherwise) in sorted(doubtful.items()):
            words = (
                f"{beyond} visits reach beyond what could be read"
                if beyond
                else f"another version of the rules has counted {otherwise} visits"
            )
            day_start = datetime.fromtimestamp(start_s, UTC)
            notes.append(f"{site} {day_start:%Y-%m-%d}: {words}, so its visits were not compared")
        if whole:
            _write(folder, *visit_figures(of_places(of_days, "day_s", places(session, whole))))
        done += whole
    return done, notes


def _compared(
    session: SparkSession,
    published: DataFrame,
    unchecked: DataFrame,
    days: list[Place],
    visit_days: list[Place],
    months: list[Place],
) -> DataFrame:
    """The published rows that have a counterpart to be compared with."""
    parts = [outside_places(published.where(f.col("report").isin(*HOURLY)), "start_s", unchecked)]
    for reports, some in (((DAILY,), days), (OF_VISITS, visit_days), ((MONTHLY,), months)):
        parts.append(of_places(published.where(f.col("report").isin(*reports)), "start_s", places(session, some)))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part)
    return whole


def _without_unknown_copies(session: SparkSession, moment: Moment, lines: DataFrame) -> AuditPlan:
    """The plan without hours of lines that may be copies of what Kafka no longer has.

    A batch that held copies names how many records it accepted. More than that here, while some of what was counted
    is gone from Kafka, means that the first of some lines cannot be seen any more.
    """
    plan = moment.plan
    copies = batches_with_copies(moment.ledger, plan.spans)
    if not copies or not (moment.other_incarnations or begins_before(moment.ledger, moment.earliest)):
        return plan
    counted = session.createDataFrame(list(copies.items()), "ledger_id long, accepted long")
    many = (
        lines.groupBy("ledger_id")
        .count()
        .join(f.broadcast(counted), "ledger_id")
        .where(f.col("count") > f.col("accepted"))
    )
    doubtful = (
        lines.join(many.select("ledger_id"), "ledger_id", "left_semi").groupBy("site", "hour_s").count().collect()
    )
    found = {(row["site"], row["hour_s"]) for row in doubtful}
    hit = [hour for hour in plan.checked if (hour.site, epoch_s(hour.hour_start)) in found]
    reason = "holds lines that may be copies of lines no longer in Kafka"
    return replace(
        plan,
        checked=[hour for hour in plan.checked if hour not in hit],
        unchecked=plan.unchecked | {(hour.site, hour.hour_start): (hour, reason) for hour in hit},
    )


def _verdicts(plan: AuditPlan, comparison: Comparison) -> list[AuditedHour]:
    """What to say of each hour: its own cells, and those of the day and month it belongs to."""
    by_place: dict[tuple[str, datetime, str], Counter[str]] = {}
    for report, site, start, cells in comparison.differing:
        span = "hour" if report in HOURLY else "month" if report == MONTHLY else "day"
        by_place.setdefault((site, start, span), Counter())[report] += cells
    verdicts = []
    for hour in plan.checked:
        at = hour.hour_start
        wrong: Counter[str] = Counter()
        for start, span in ((at, "hour"), (at.replace(hour=0), "day"), (at.replace(day=1, hour=0), "month")):
            wrong += by_place.get((hour.site, start, span), Counter())
        words = ", ".join(f"{report} {cells}" for report, cells in sorted(wrong.items()))
        verdicts.append(
            AuditedHour(
                site=hour.site,
                hour_start=at,
                revision=hour.revision,
                verdict="differs" if wrong else "equal",
                cells_differing=wrong.total(),
                reason=f"{wrong.total()} cells differ ({words})" if wrong else "every cell agrees",
            )
        )
    verdicts += [
        AuditedHour(hour.site, hour.hour_start, hour.revision, "unchecked", 0, reason)
        for hour, reason in plan.unchecked.values()
    ]
    return verdicts

"""Which rows of the reports an audit compares, alike on both sides: hours, days, visits, months, each by its rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

from spark_jobs.audit_plan import HOUR, AuditPlan, readable_until
from sql.audit import ReportedDay, VisitorPeriod

HOURLY = (
    "hourly_traffic", "hourly_page", "hourly_country", "hourly_status", "hourly_dimension", "hourly_visitor",
    "hourly_latency", "hourly_minute",
)  # fmt: skip
OF_VISITS = ("daily_visit", "daily_entry_page", "daily_exit_page")
DAILY = "daily_traffic"
MONTHLY = "traffic_measure"
SITE_AND_START = "site string, start_s long"
GAP = timedelta(minutes=30)
Place = tuple[str, int]  # site and start in epoch seconds


def epoch_s(moment: datetime) -> int:
    return int(moment.timestamp())


def places(session: SparkSession, found: Iterable[Place]) -> DataFrame:
    """A small frame of sites and starts, for joins."""
    return f.broadcast(session.createDataFrame(sorted(set(found)), SITE_AND_START))


def of_places(frame: DataFrame, start: str, some: DataFrame) -> DataFrame:
    """Rows whose site and start are among the places."""
    return frame.join(some.withColumnRenamed("start_s", start), ["site", start], "left_semi")


def outside_places(frame: DataFrame, start: str, some: DataFrame) -> DataFrame:
    """Rows whose site and start are not."""
    return frame.join(some.withColumnRenamed("start_s", start), ["site", start], "left_anti")


def keys_meeting(start: Column, seconds: Column, periods: Sequence[VisitorPeriod]) -> Column:
    """Number of visitor keys there have been for the time from ``start`` (epoch seconds) on."""
    return sum(
        (
            f.when(
                (f.lit(epoch_s(period.period_end)) > start) & (f.lit(epoch_s(period.period_start)) < start + seconds),
                period.keys,
            ).otherwise(0)
            for period in periods
        ),
        f.lit(0),
    )


def with_comparable_visitors(figures: DataFrame, periods: Sequence[VisitorPeriod], end: datetime) -> DataFrame:
    """Visitors only where one key served the whole time: under two keys one visitor has two hashes.

    end: of the audited period, which a month's figure reaches at most.
    """
    seconds = (
        f.when(f.col("report").isin(*HOURLY), f.lit(3600))
        .when(f.col("report") == MONTHLY, f.lit(epoch_s(end)) - f.col("start_s"))
        .otherwise(f.lit(86_400))
    )
    one_key = keys_meeting(f.col("start_s"), seconds, periods) == 1
    kept = figures.where((f.col("report") != "hourly_visitor") | one_key)
    return kept.withColumn("visitors", f.when(one_key, f.col("visitors")))


def visitors_note(
    hours: Iterable[Place],
    days: Iterable[Place],
    months: Iterable[Place],
    periods: Sequence[VisitorPeriod],
    end: datetime,
) -> list[str]:
    """A note on what ``with_comparable_visitors`` leaves out, if there is anything."""

    def left_out(some: Iterable[Place], seconds: int | None) -> int:
        untils = [(start, epoch_s(end) if seconds is None else start + seconds) for _, start in some]
        return sum(
            sum(one.keys for one in periods if epoch_s(one.period_end) > start and epoch_s(one.period_start) < until)
            != 1
            for start, until in untils
        )

    found = {"hours": left_out(hours, 3600), "days": left_out(days, 86_400), "months": left_out(months, None)}
    if not any(found.values()):
        return []
    words = ", ".join(f"{number} {what}" for what, number in found.items() if number)
    return [f"visitors of {words} were not compared: not one key of their hashes served the whole time"]


def key_period(periods: Sequence[VisitorPeriod]) -> Column:
    """Number of the key period that a hit falls into (column ts_us); a visit never crosses two."""
    edges = sorted({edge for period in periods for edge in (period.period_start, period.period_end)})
    return sum(((f.col("ts_us") >= epoch_s(edge) * 1_000_000).cast("int") for edge in edges), f.lit(0))


def months_to_check(plan: AuditPlan, start: datetime, end: datetime) -> list[Place]:
    """Sites and months that begin within the period and of which every hour so far is checked."""
    hours = [(hour.site, hour.hour_start, True) for hour in plan.checked]
    hours += [(site, moment, False) for site, moment in plan.unchecked]
    complete: dict[Place, bool] = {}
    for site, moment, checked in hours:
        month = moment.replace(day=1, hour=0)
        if start <= month < end:
            place = (site, epoch_s(month))
            complete[place] = complete.get(place, True) and checked
    return [place for place, whole in complete.items() if whole]


def days_of_visits(
    plan: AuditPlan, days: Sequence[ReportedDay], periods: Sequence[VisitorPeriod], end: datetime
) -> tuple[list[tuple[ReportedDay, datetime]], list[str]]:
    """Days whose visits can be told, each with the end of the time that could be read; and notes on the others."""
    found, notes = [], []
    for day in days:
        name = f"{day.site} {day.day_start:%Y-%m-%d}"
        after = day.day_start + timedelta(days=1)
        keys = [one.keys for one in periods if one.period_end > day.day_start and one.period_start < after]
        if day.visit_ledger_id is None:
            notes.append(f"{name}: no report of visits yet")
        elif day.day_start - HOUR in plan.unreadable:
            notes.append(f"{name}: the hour before it is no longer in Kafka, so its visits were not compared")
        elif any(one != 1 for one in keys):
            notes.append(f"{name}: its visitors have had more than one key, so its visits were not compared")
        else:
            found.append((day, readable_until(plan, day.day_start, end)))
    return found, notes

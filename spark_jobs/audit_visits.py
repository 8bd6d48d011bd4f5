"""Visits by a window over single hits: no gap over 30 minutes, not cut at the hour or at midnight.

The stream joins intervals; here the hits of a visitor are put in order, and a visit begins where the hit before is
more than 30 minutes away.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from spark_jobs.audit_figures import in_columns

GAP_US = 30 * 60 * 1_000_000
# Of two classes seen in one visit the later one stands.
_RISING = ("unknown", "human", "tool", "bot", "scanner")


def visits(hits: DataFrame) -> DataFrame:
    """One row a visit: site, key_period, visitor, started_us, ended_us, hits, page_views, client_errors, agent_class,
    entry_page, exit_page (null without a page view), first_ledger_id.

    hits: site, key_period (a visit never crosses it), visitor, ts_us, status_code, path, page, is_page, agent_class,
    ledger_id.
    Of page views at the same microsecond the path decides, then its page stands.
    """
    who = ("site", "key_period", "visitor")
    in_order = Window.partitionBy(*who).orderBy("ts_us")
    client_error = (f.col("status_code") >= 400) & (f.col("status_code") < 500)
    page_view = f.col("is_page") & (f.col("status_code") < 400)
    seen = f.when(page_view, f.struct("ts_us", "path", "page"))
    begins = f.coalesce(f.col("ts_us") - f.lag("ts_us").over(in_order) > GAP_US, f.lit(True))
    numbered = hits.withColumn("begins", begins.cast("int")).withColumn(
        "visit", f.sum("begins").over(in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    )
    whole = numbered.groupBy(*who, "visit").agg(
        f.min("ts_us").alias("started_us"),
        f.max("ts_us").alias("ended_us"),
        f.count(f.lit(1)).alias("hits"),
        f.count(f.when(page_view, f.lit(1))).alias("page_views"),
        f.count(f.when(client_error, f.lit(1))).alias("client_errors"),
        f.max(f.array_position(f.lit(list(_RISING)), f.col("agent_class"))).alias("class_rank"),
        f.min(seen)["page"].alias("entry_page"),
        f.max(seen)["page"].alias("exit_page"),
        f.min("ledger_id").alias("first_ledger_id"),
    )
    by_behaviour = (f.col("client_errors") >= 20) & (f.col("client_errors") * 5 >= f.col("hits"))
    return whole.withColumn(
        "agent_class",
        f.when(by_behaviour, f.lit("scanner")).otherwise(
            f.element_at(f.lit(list(_RISING)), f.col("class_rank").cast("int"))
        ),
    ).drop("class_rank", "visit")


def visit_figures(of_days: DataFrame) -> list[DataFrame]:
    """The reports of visits by day. of_days: visits with day_s, the day in which they began."""
    reported = of_days.where(f.col("hits") > f.col("client_errors"))
    day = ("site", "day_s", "agent_class")
    sums = reported.groupBy(*day).agg(
        f.count(f.lit(1)).alias("visits"),
        f.count(f.when(f.col("page_views") <= 1, f.lit(1))).alias("bounces"),
        f.sum("page_views").alias("page_views"),
        (f.sum(f.col("ended_us") - f.col("started_us")) / 1_000_000).alias("duration_seconds_sum"),
        f.sum("hits").alias("hits"),
    )
    figures = [
        in_columns(sums.withColumnRenamed("agent_class", "of_class"), "daily_visit", "day_s", f.col("of_class"))
    ]
    for report, page in (("daily_entry_page", "entry_page"), ("daily_exit_page", "exit_page")):
        pages = reported.where(f.col(page).isNotNull()).groupBy(*day, page).agg(f.count(f.lit(1)).alias("visits"))
        key = f.concat("of_class", f.lit(": "), page)
        figures.append(in_columns(pages.withColumnRenamed("agent_class", "of_class"), report, "day_s", key))
    return figures

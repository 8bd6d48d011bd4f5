"""Every figure of the hour, day and month reports, summed from single lines in Spark SQL.

Nothing here is shared with the stream: its sums of 10 s buckets, histograms and sketches have no part in it. What
comes out has the columns of ``audit_figures.FIGURES``, one row a report, site, start and key.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from spark_jobs.audit_figures import in_columns
from spark_jobs.audit_lines import with_own_rows
from spark_jobs.audit_records import DIMENSIONS

PERCENTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99}


def _status_class() -> Column:
    return f.floor(f.col("status_code") / 100)


def _sums() -> list[Column]:
    def of_class(number: int) -> Column:
        return f.count(f.when(_status_class() == number, f.lit(1)))

    return [
        f.count(f.lit(1)).alias("hits"),
        f.sum("bytes_sent").alias("bytes_sent"),
        of_class(4).alias("client_errors"),
        of_class(5).alias("server_errors"),
        f.coalesce(f.sum("latency_us"), f.lit(0)).alias("latency_us_sum"),
        f.count("latency_us").alias("latency_count"),
    ]


def latencies(lines: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Exact percentiles and maximum: of n latencies in order the one at place floor(fraction * (n - 1)), from 0."""
    group = Window.partitionBy(*keys)
    ranked = (
        lines.where(f.col("latency_us").isNotNull())
        .select(*keys, "latency_us")
        .withColumn("place", f.row_number().over(group.orderBy("latency_us")) - 1)
        .withColumn("last", f.count(f.lit(1)).over(group) - 1)
    )
    return ranked.groupBy(*keys).agg(
        *(
            f.max(
                f.when(f.col("place") == f.floor(f.lit(fraction) * f.col("last")), f.col("latency_us") / 1000)
            ).alias(name)
            for name, fraction in PERCENTILES.items()
        ),
        (f.max("latency_us") / 1000).alias("max_ms"),
    )


def visitors(lines: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Exact number of distinct visitors of the lines that were not answered 4xx."""
    return (
        lines.where(_status_class() != 4)
        .select(*keys, "visitor")
        .distinct()
        .groupBy(*keys)
        .agg(f.count(f.lit(1)).alias("visitors"))
    )


def _joined(sums: DataFrame, keys: Sequence[str], *others: DataFrame) -> DataFrame:
    return reduce(lambda left, right: left.join(right, list(keys), "left"), others, sums)


def _with_visitors(frame: DataFrame) -> DataFrame:
    return frame.withColumn("visitors", f.coalesce(f.col("visitors"), f.lit(0)))


def hour_figures(lines: DataFrame, own_rows: DataFrame) -> list[DataFrame]:
    """The reports of hours. lines: of the hours to check only; own_rows: see ``audit_lines.with_own_rows``."""
    hour = ("site", "hour_s")
    page = (*hour, "page")
    traffic = _with_visitors(
        _joined(lines.groupBy(*hour).agg(*_sums()), hour, latencies(lines, hour), visitors(lines, hour))
    )
    pages = _joined(lines.groupBy(*page).agg(*_sums()), page, latencies(lines, page))
    countries = lines.groupBy(*hour, "country").agg(*_sums())
    statuses = lines.groupBy(*hour, _status_class().cast("string").alias("class")).agg(*_sums())
    classes = visitors(lines, (*hour, "agent_class")).withColumn("key", f.col("agent_class")).drop("agent_class")
    reports = [
        in_columns(traffic, "hourly_traffic", "hour_s", f.lit("")),
        in_columns(pages, "hourly_page", "hour_s", f.col("page")),
        in_columns(countries, "hourly_country", "hour_s", f.col("country")),
        in_columns(statuses.drop("client_errors", "server_errors"), "hourly_status", "hour_s", f.col("class")),
        in_columns(classes, "hourly_visitor", "hour_s", f.col("key")),
    ]
    return [*reports, _dimension_figures(lines, own_rows)]


def _dimension_figures(lines: DataFrame, own_rows: DataFrame) -> DataFrame:
    """One further dimension at a time: a line counts once in each that it has a value of."""
    values = f.array(*(f.struct(f.lit(name).alias("dimension"), f.col(name).alias("value")) for name in DIMENSIONS))
    measures = ("bytes_sent", "status_code", "latency_us", "agent_class", "committed_us")
    spread = lines.select("site", "hour_s", "day_s", *measures, f.explode(values).alias("one"))
    there = spread.select("site", "hour_s", "day_s", *measures, "one.*").where(f.col("value").isNotNull())
    told = with_own_rows(there, own_rows)
    by_rule = f.when(f.col("dimension") == "agent_rule", f.col("agent_class"))
    sums = (
        told.groupBy("site", "hour_s", "dimension", "value")
        .agg(*_sums(), f.max(by_rule).alias("agent_class"))
        .drop("latency_us_sum", "latency_count")
    )
    return in_columns(sums, "hourly_dimension", "hour_s", f.concat("dimension", f.lit(": "), "value"))


def day_figures(lines: DataFrame) -> DataFrame:
    """The reports of days. lines: of the days to check only."""
    day = ("site", "day_s")
    sums = lines.groupBy(*day).agg(*_sums(), f.countDistinct("hour_s").alias("hours"))
    whole = _with_visitors(_joined(sums, day, latencies(lines, day), visitors(lines, day)))
    return in_columns(whole, "daily_traffic", "day_s", f.lit(""))


def month_figures(lines: DataFrame) -> DataFrame:
    """Hits and visitors of months, as far as the period goes. lines: of the months to check, with month_s."""
    month = ("site", "month_s")
    whole = _with_visitors(
        _joined(lines.groupBy(*month).agg(f.count(f.lit(1)).alias("hits")), month, visitors(lines, month))
    )
    return in_columns(whole, "traffic_measure", "month_s", f.lit(""))

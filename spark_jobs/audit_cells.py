"""Every figure of the hour, day and month reports, summed from single lines in Spark SQL.

Nothing here is shared with the stream: its sums of 10 s buckets, histograms and sketches have no part in it. What
comes out has the columns of ``audit_figures.FIGURES``. Sums, percentiles and visitors of one report, site, start and
key come as rows of their own, each with its figures alone; ``audit_figures.merged`` makes one row of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from spark_jobs.audit_figures import in_columns
from spark_jobs.audit_lines import with_own_rows
from spark_jobs.audit_records import AGENT, CAMPAIGN, REFERRER, REQUEST

# Of the further dimensions those that go together: summed together they are few rows, spread out only then.
FAMILIES = (AGENT, REQUEST, (*REFERRER, *CAMPAIGN))
MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors")
PERCENTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99}
# A histogram with another count in any bin differs in one of these.
OF_HISTOGRAM = ("latency_count", "latency_bin_sum", "latency_bin_square_sum")
BIN_GROWTH = 101 / 99
# Reports of hours that are told apart by one column of a line.
BY_COLUMN = {"hourly_page": "page", "hourly_country": "country", "hourly_status": "status_class"}


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


@dataclass(frozen=True)
class Basis:
    """What the figures are made of; all three have site, hour_s and day_s.

    lines: see ``audit_lines.counted_lines``. latencies: of each hour and page all latencies_us, an array, and
    latency_bin_sum and latency_bin_square_sum, of the numbers of their bins. comings: of
    each hour and agent class the visitors, an array without repetition, of the lines that were not answered 4xx.
    """

    lines: DataFrame
    latencies: DataFrame
    comings: DataFrame

    def of(self, some: Callable[[DataFrame], DataFrame]) -> Basis:
        """The part that a function of a frame keeps."""
        return Basis(some(self.lines), some(self.latencies), some(self.comings))


def latencies(lines: DataFrame) -> DataFrame:
    """All latencies by site, day, hour and page."""
    measured = lines.where(f.col("latency_us").isNotNull())
    return measured.groupBy("site", "day_s", "hour_s", "page").agg(
        f.collect_list("latency_us").alias("latencies_us"),
        f.sum(_bin()).alias("latency_bin_sum"),
        f.sum(_bin() * _bin()).alias("latency_bin_square_sum"),
    )


def _bin() -> Column:
    """Number of the bin that holds a latency (docs/decisions/0031-latency-histogram.md), by logarithm.

    The stream compares with exact bounds. Of all latencies up to a day one falls into another bin here, for want of
    digits: 33,701.495443 s.
    """
    latency = f.col("latency_us")
    return f.when(latency == 0, -1).otherwise(f.ceil(f.ln(latency) / f.ln(f.lit(BIN_GROWTH))))


def comings(lines: DataFrame) -> DataFrame:
    """Who came by site, day, hour and agent class, among lines that were not answered 4xx."""
    welcome = lines.where(_status_class() != 4)
    return welcome.groupBy("site", "day_s", "hour_s", "agent_class").agg(f.collect_set("visitor").alias("visitors"))


def percentiles(lists: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Exact percentiles and maximum: of n latencies in order the one at place floor(fraction * (n - 1)), from 0.

    And OF_HISTOGRAM: n itself, the sum of the bins' numbers and of their squares.
    """
    in_order = lists.groupBy(*keys).agg(
        f.sort_array(f.flatten(f.collect_list("latencies_us"))).alias("in_order"),
        f.sum("latency_bin_sum").alias("latency_bin_sum"),
        f.sum("latency_bin_square_sum").alias("latency_bin_square_sum"),
    )
    last = f.size("in_order") - 1
    return in_order.select(
        *keys,
        *(
            (f.element_at("in_order", (f.floor(f.lit(fraction) * last) + 1).cast("int")) / 1000).alias(name)
            for name, fraction in PERCENTILES.items()
        ),
        (f.element_at("in_order", -1) / 1000).alias("max_ms"),
        f.size("in_order").alias("latency_count"),
        "latency_bin_sum",
        "latency_bin_square_sum",
    )


def visitors(came: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Exact number of distinct visitors."""
    everybody = f.array_distinct(f.flatten(f.collect_list("visitors")))
    return came.groupBy(*keys).agg(f.size(everybody).alias("visitors"))


def hour_figures(basis: Basis, own_rows: DataFrame) -> list[DataFrame]:
    """The reports of hours. basis: of the hours to check only; own_rows: see ``audit_lines.with_own_rows``."""
    hour = ("site", "hour_s")
    classes = (
        visitors(basis.comings, (*hour, "agent_class"))
        .withColumnRenamed("agent_class", "key")
        .withColumn("sketch_visitors", f.col("visitors"))
    )
    whole = f.lit("")
    return [
        _sums_of_hours(basis.lines),
        _latency_figures(percentiles(basis.latencies, hour), "hourly_traffic", whole),
        in_columns(visitors(basis.comings, hour), "hourly_traffic", "hour_s", whole),
        _latency_figures(percentiles(basis.latencies, (*hour, "page")), "hourly_page", f.col("page")),
        in_columns(classes, "hourly_visitor", "hour_s", f.col("key")),
        _dimension_figures(basis.lines, own_rows),
    ]


def minute_figures(lines: DataFrame) -> DataFrame:
    """Hits by minute of the hour, of the minutes that have any."""
    minute = f.floor(f.col("ts_us") / 60_000_000) % 60
    hits = lines.groupBy("site", "hour_s", minute.cast("string").alias("minute")).agg(f.count(f.lit(1)).alias("hits"))
    return in_columns(hits, "hourly_minute", "hour_s", f.col("minute"))


def _latency_figures(of_hours: DataFrame, report: str, key: Column) -> DataFrame:
    """The percentiles a report states, and what the histogram in hourly_latency must hold; the maximum in both."""
    both = of_hours.withColumn("report", f.explode(f.array(f.lit(report), f.lit("hourly_latency"))))
    for names, where in ((PERCENTILES, report), (OF_HISTOGRAM, "hourly_latency")):
        for name in names:
            both = both.withColumn(name, f.when(f.col("report") == where, f.col(name)))
    return in_columns(both, f.col("report"), "hour_s", key)


def _sums_of_hours(lines: DataFrame) -> DataFrame:
    """Sums of whole hours and BY_COLUMN, in one pass over the lines."""
    hour = ("site", "hour_s")
    columns = tuple(BY_COLUMN.values())
    grouped = (
        lines.withColumn("status_class", _status_class().cast("string"))
        .groupingSets([hour, *((*hour, column) for column in columns)], *hour, *columns)
        .agg(*_sums(), *(f.grouping(column).alias(f"without_{column}") for column in columns))
    )
    reports, keys = [], []
    for name, column in BY_COLUMN.items():
        told_apart = f.col(f"without_{column}") == 0
        reports.append(f.when(told_apart, f.lit(name)))
        keys.append(f.when(told_apart, f.col(column)))
    report = f.coalesce(*reports, f.lit("hourly_traffic"))
    sums = grouped.withColumn("visitors", f.when(report == "hourly_traffic", 0))  # at least
    for name in ("client_errors", "server_errors"):
        sums = sums.withColumn(name, f.when(report != "hourly_status", f.col(name)))
    return in_columns(sums, report, "hour_s", f.coalesce(*keys, f.lit("")))


def _dimension_figures(lines: DataFrame, own_rows: DataFrame) -> DataFrame:
    """One further dimension at a time: a line counts once in each that it has a value of."""
    where = ("site", "hour_s", "day_s", "committed_us")
    parts = []
    for family in FAMILIES:
        of_rule = ("agent_class",) if "agent_rule" in family else ()
        together = lines.groupBy(*where, *of_rule, *family).agg(*_sums())
        values = f.array(*(f.struct(f.lit(name).alias("dimension"), f.col(name).alias("value")) for name in family))
        agent_class = f.col("agent_class") if of_rule else f.lit(None).cast("string")
        spread = together.select(*where, *MEASURES, agent_class.alias("agent_class"), f.explode(values).alias("one"))
        parts.append(spread.select(*where, *MEASURES, "agent_class", "one.*").where(f.col("value").isNotNull()))
    told = with_own_rows(reduce(DataFrame.unionByName, parts), own_rows)
    by_rule = told.withColumn("agent_class", f.when(f.col("dimension") == "agent_rule", f.col("agent_class")))
    sums = by_rule.groupBy("site", "hour_s", "dimension", "value", "agent_class").agg(
        *(f.sum(name).alias(name) for name in MEASURES)
    )
    return in_columns(sums, "hourly_dimension", "hour_s", f.concat("dimension", f.lit(": "), "value"))


def day_figures(basis: Basis) -> list[DataFrame]:
    """The reports of days. basis: of the days to check only."""
    day = ("site", "day_s")
    hours = basis.lines.select(*day, "hour_s").distinct().groupBy(*day).agg(f.count(f.lit(1)).alias("hours"))
    sums = basis.lines.groupBy(*day).agg(*_sums(), f.lit(0).alias("visitors"))
    of_latencies = percentiles(basis.latencies, day).drop(*OF_HISTOGRAM)
    parts = (sums, hours, of_latencies, visitors(basis.comings, day))
    return [in_columns(part, "daily_traffic", "day_s", f.lit("")) for part in parts]


def month_figures(basis: Basis) -> list[DataFrame]:
    """Hits and visitors of months, as far as the period goes. basis: of the months to check, with month_s."""
    month = ("site", "month_s")
    hits = basis.lines.groupBy(*month).agg(f.count(f.lit(1)).alias("hits"), f.lit(0).alias("visitors"))
    parts = (hits, visitors(basis.comings, month))
    return [in_columns(part, "traffic_measure", "month_s", f.lit("")) for part in parts]

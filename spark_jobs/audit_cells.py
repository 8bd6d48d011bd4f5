"""Every figure of the hour, day and month reports, summed from single lines in Spark SQL.

Nothing here is shared with the stream: its sums of 10 s buckets, histograms and sketches have no part in it. What
comes out has the columns of ``audit_figures.FIGURES``, one row a report, site, start and key.
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

    lines: see ``audit_lines.write_lines``. latencies: of each hour and page all latencies_us, as an array. comings:
    each visitor (distinct by agent_class) whom an hour's lines show that were not answered 4xx.
    """

    lines: DataFrame
    latencies: DataFrame
    comings: DataFrame

    def of(self, some: Callable[[DataFrame], DataFrame]) -> Basis:
        """The part that a function of a frame keeps."""
        return Basis(some(self.lines), some(self.latencies), some(self.comings))


def latency_lists(lines: DataFrame) -> DataFrame:
    """All latencies by site, day, hour and page."""
    measured = lines.where(f.col("latency_us").isNotNull())
    return measured.groupBy("site", "day_s", "hour_s", "page").agg(f.collect_list("latency_us").alias("latencies_us"))


def comings(lines: DataFrame) -> DataFrame:
    """Who came: distinct visitors by site, day, hour and agent class among lines that were not answered 4xx."""
    welcome = lines.where(_status_class() != 4)
    return welcome.select("site", "day_s", "hour_s", "agent_class", "visitor").distinct()


def percentiles(latencies: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Exact percentiles and maximum: of n latencies in order the one at place floor(fraction * (n - 1)), from 0."""
    in_order = latencies.groupBy(*keys).agg(f.sort_array(f.flatten(f.collect_list("latencies_us"))).alias("in_order"))
    last = f.size("in_order") - 1
    return in_order.select(
        *keys,
        *(
            (f.element_at("in_order", (f.floor(f.lit(fraction) * last) + 1).cast("int")) / 1000).alias(name)
            for name, fraction in PERCENTILES.items()
        ),
        (f.element_at("in_order", -1) / 1000).alias("max_ms"),
    )


def visitors(came: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Exact number of distinct visitors."""
    return came.select(*keys, "visitor").distinct().groupBy(*keys).agg(f.count(f.lit(1)).alias("visitors"))


def _joined(sums: DataFrame, keys: Sequence[str], *others: DataFrame) -> DataFrame:
    return reduce(lambda left, right: left.join(right, list(keys), "left"), others, sums)


def _with_visitors(frame: DataFrame) -> DataFrame:
    return frame.withColumn("visitors", f.coalesce(f.col("visitors"), f.lit(0)))


def hour_figures(basis: Basis, own_rows: DataFrame) -> list[DataFrame]:
    """The reports of hours. basis: of the hours to check only; own_rows: see ``audit_lines.with_own_rows``."""
    lines = basis.lines
    hour = ("site", "hour_s")
    page = (*hour, "page")
    sums = lines.groupBy(*hour).agg(*_sums())
    traffic = _with_visitors(_joined(sums, hour, percentiles(basis.latencies, hour), visitors(basis.comings, hour)))
    pages = _joined(lines.groupBy(*page).agg(*_sums()), page, percentiles(basis.latencies, page))
    countries = lines.groupBy(*hour, "country").agg(*_sums())
    statuses = lines.groupBy(*hour, _status_class().cast("string").alias("class")).agg(*_sums())
    classes = visitors(basis.comings, (*hour, "agent_class")).withColumnRenamed("agent_class", "key")
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
    by_rule = f.when(f.col("dimension") == "agent_rule", f.col("agent_class"))
    sums = told.groupBy("site", "hour_s", "dimension", "value").agg(
        *(f.sum(name).alias(name) for name in MEASURES), f.max(by_rule).alias("agent_class")
    )
    return in_columns(sums, "hourly_dimension", "hour_s", f.concat("dimension", f.lit(": "), "value"))


def day_figures(basis: Basis) -> DataFrame:
    """The reports of days. basis: of the days to check only."""
    day = ("site", "day_s")
    sums = basis.lines.groupBy(*day).agg(*_sums(), f.countDistinct("hour_s").alias("hours"))
    whole = _with_visitors(_joined(sums, day, percentiles(basis.latencies, day), visitors(basis.comings, day)))
    return in_columns(whole, "daily_traffic", "day_s", f.lit(""))


def month_figures(basis: Basis) -> DataFrame:
    """Hits and visitors of months, as far as the period goes. basis: of the months to check, with month_s."""
    month = ("site", "month_s")
    hits = basis.lines.groupBy(*month).agg(f.count(f.lit(1)).alias("hits"))
    whole = _with_visitors(_joined(hits, month, visitors(basis.comings, month)))
    return in_columns(whole, "traffic_measure", "month_s", f.lit(""))

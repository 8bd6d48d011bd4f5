"""The columns in which published and recomputed figures stand side by side, and how each kind is compared.

A cell is one figure of one row of a report. Counts, sums, maxima and classes must be equal. A percentile read from a
histogram may be off by 1 %. A number of visitors that carries a bound is an estimate: its bound holds for 95 of 100,
so that one beyond it is no proof of a fault; beyond twice the bound (a chance of one in ten thousand) it is taken
for one. Without a bound the number claims to be exact, and must be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from sql.audit import Difference

KEYS = ("report", "site", "start_s", "key")
EQUAL = (
    "hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count", "max_ms", "hours",
    "visits", "bounces", "page_views", "duration_seconds_sum", "agent_class",
    "latency_bin_sum", "latency_bin_square_sum",
)  # fmt: skip
WITHIN_ONE_PERCENT = ("p50_ms", "p90_ms", "p95_ms", "p99_ms")
ESTIMATE = "visitors"
# What the sketch itself says, which ranges are united from; visitors is the number that was made of it.
ESTIMATES = (ESTIMATE, "sketch_visitors")
BOUND = "visitors_bound"
FIGURES = (*EQUAL, *WITHIN_ONE_PERCENT, *ESTIMATES)
ONE_PERCENT = 0.01
ROUNDING = 1e-9  # of a percentile's own arithmetic, on both sides
BEYOND_CHANCE = 2  # times the bound
MOST_DIFFERENCES = 1000
WHOLE_ROW = "row"
_DOUBLES = ("max_ms", "duration_seconds_sum", *WITHIN_ONE_PERCENT)
KINDS = {name: "double" if name in _DOUBLES else "string" if name == "agent_class" else "long" for name in FIGURES}


def in_columns(frame: DataFrame, report: str | Column, start: str, key: Column) -> DataFrame:
    """The frame's figures as KEYS + FIGURES; those it lacks are null. report: a name, or a column of them."""
    return frame.select(
        (f.lit(report) if isinstance(report, str) else report).alias("report"),
        "site",
        f.col(start).alias("start_s"),
        key.alias("key"),
        *((f.col(name) if name in frame.columns else f.lit(None)).cast(KINDS[name]).alias(name) for name in FIGURES),
    )


Differing = tuple[str, str, datetime, int]  # report, site, start, cells


@dataclass
class Comparison:
    """What comparing came to."""

    cells_compared: int = 0
    cells_differing: int = 0
    estimates: int = 0
    estimates_beyond_bound: int = 0
    visitors_error: int | None = None
    visitors_error_bound: int | None = None
    latency_error: float | None = None
    differences: list[Difference] = field(default_factory=list)  # the first thousand
    differing: list[Differing] = field(default_factory=list)


def merged(figures: DataFrame) -> DataFrame:
    """One row a report, site, start and key: each figure stands in one of its rows; in the others it is null or 0."""
    return figures.groupBy(*KEYS).agg(*(f.max(name).alias(name) for name in FIGURES))


def compare(published: DataFrame, recomputed: DataFrame) -> Comparison:
    """Compare all cells. published: KEYS + FIGURES + BOUND; recomputed: KEYS + FIGURES."""
    both = (
        published.withColumn("is_published", f.lit(True))
        .alias("p")
        .join(recomputed.withColumn("is_recomputed", f.lit(True)).alias("r"), list(KEYS), "full")
    )
    there = f.col("is_published") & f.col("is_recomputed")
    one_side = ~f.coalesce(there, f.lit(False))
    wrong = {name: ~one_side & _differs(name) for name in FIGURES}
    # A row that one side lacks is one difference, not one a figure.
    cells = f.when(one_side, 1).otherwise(
        sum(((_p(name).isNotNull() | _r(name).isNotNull()).cast("int") for name in FIGURES), f.lit(0))
    )
    failing = f.when(one_side, 1).otherwise(sum((one.cast("int") for one in wrong.values()), f.lit(0)))
    error = f.abs(_p(ESTIMATE) - _r(ESTIMATE))
    estimated = ~one_side & (f.col(BOUND) > 0) & error.isNotNull()
    off = [f.abs(_p(name) - _r(name)) / _r(name) for name in WITHIN_ONE_PERCENT]
    total = both.agg(
        f.sum(cells), f.sum(failing), f.sum(estimated.cast("int")),
        f.sum((estimated & (error > f.col(BOUND))).cast("int")),
        f.max(f.when(error.isNotNull(), f.struct((error / f.greatest(f.col(BOUND), f.lit(1))).alias("share"),
                                                 error.alias("error"), f.col(BOUND).alias("bound")))),
        f.max(f.greatest(*(f.when(_r(name) > 0, one) for name, one in zip(WITHIN_ONE_PERCENT, off, strict=True)))),
    ).collect()[0]  # fmt: skip
    worst = total[4]
    differences, differing = _found(both, one_side, wrong, failing) if total[1] else ([], [])
    return Comparison(
        cells_compared=total[0] or 0,
        cells_differing=total[1] or 0,
        estimates=total[2] or 0,
        estimates_beyond_bound=total[3] or 0,
        visitors_error=worst["error"] if worst else None,
        visitors_error_bound=(worst["bound"] or 0) if worst else None,
        latency_error=total[5],
        differences=differences,
        differing=differing,
    )


def _found(
    both: DataFrame, one_side: Column, wrong: Mapping[str, Column], failing: Column
) -> tuple[list[Difference], list[Differing]]:
    """The first differences, and how many there are by report, site and start. Asked only when there are any."""
    figures = f.array(
        f.when(one_side, f.struct(f.lit(WHOLE_ROW).alias("figure"), _hits("p").alias("reported"),
                                  _hits("r").alias("recomputed"))),
        *(
            f.when(one, f.struct(f.lit(name).alias("figure"), _p(name).cast("string").alias("reported"),
                                 _r(name).cast("string").alias("recomputed")))
            for name, one in wrong.items()
        ),
    )  # fmt: skip
    rows = both.where(failing > 0).select(*KEYS, failing.alias("failing"), figures.alias("figures")).cache()
    places = rows.groupBy("report", "site", "start_s").agg(f.sum("failing")).collect()
    shown = (
        rows.orderBy(*KEYS)
        .select(*KEYS, f.explode(f.filter("figures", lambda one: one.isNotNull())).alias("one"))
        .select(*KEYS, "one.*")
        .limit(MOST_DIFFERENCES)
        .collect()
    )
    rows.unpersist()
    differing = [(row["report"], row["site"], _moment(row["start_s"]), row[3]) for row in places]
    return [_difference(row) for row in shown], differing


def _p(name: str) -> Column:
    return f.col(f"p.{name}")


def _r(name: str) -> Column:
    return f.col(f"r.{name}")


def _hits(side: str) -> Column:
    """What a row that stands on one side only amounts to; null on the other side."""
    said = [
        f.when(
            f.col(f"{side}.{name}").isNotNull(), f.concat(f.lit(f"{name} "), f.col(f"{side}.{name}").cast("string"))
        )
        for name in ("hits", "visits", "visitors", "latency_count")
    ]
    return f.coalesce(*said)


def _differs(name: str) -> Column:
    reported, exact = _p(name), _r(name)
    if name in ESTIMATES:
        error, bound = f.abs(reported - exact), f.coalesce(f.col(BOUND), f.lit(0))
        apart = error > bound * BEYOND_CHANCE
    elif name in WITHIN_ONE_PERCENT:
        apart = f.abs(reported - exact) > f.abs(exact) * (ONE_PERCENT + ROUNDING)
    else:
        return ~reported.eqNullSafe(exact)
    return (reported.isNull() != exact.isNull()) | f.coalesce(apart, f.lit(False))


def _difference(row: Any) -> Difference:
    return Difference(
        report=row["report"],
        site=row["site"],
        hour_start=_moment(row["start_s"]),
        key=row["key"],
        figure=row["figure"],
        reported=row["reported"],
        recomputed=row["recomputed"],
    )


def _moment(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)

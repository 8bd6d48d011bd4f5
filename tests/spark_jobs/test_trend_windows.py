"""Sliding windows are exact sums of buckets, the same that Spark's own window() gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, count, timestamp_seconds, window
from pyspark.sql.functions import sum as sum_

from spark_jobs.trend_windows import Integers, coarser, sliding_sums
from tests.spark_jobs.hits_of_a_log import generated_seconds, seconds_of_log

Windows = dict[int, tuple[int, ...]]


def test_a_window_is_the_sum_of_its_three_buckets_and_begins_before_the_first() -> None:
    starts, sums = sliding_sums(np.array([100, 110, 140]), np.array([1, 2, 4]))
    assert dict(zip(starts.tolist(), sums.tolist(), strict=True)) == {
        80: 1,
        90: 3,
        100: 3,
        110: 2,
        120: 4,
        130: 4,
        140: 4,
    }


def test_several_series_are_summed_side_by_side_and_sums_of_huge_numbers_are_exact() -> None:
    huge = 10**12 + 1
    starts, sums = sliding_sums(np.array([0, 10]), np.array([[1, huge], [2, huge]]), 20, 20)
    assert (starts.tolist(), sums.tolist()) == ([0], [[3, 2 * huge]])


def test_minutes_and_hours_are_sums_of_the_same_buckets() -> None:
    buckets = np.arange(3540, 3660, 10)
    assert [part.tolist() for part in coarser(buckets, np.ones(12, np.int64), 60)] == [[3540, 3600], [6, 6]]
    assert [part.tolist() for part in coarser(buckets, np.ones(12, np.int64), 3600)] == [[0, 3600], [6, 6]]


@pytest.mark.parametrize("starts", [[], [50]])
def test_no_bucket_has_no_window_and_one_bucket_has_three(starts: list[int]) -> None:
    windows, _ = sliding_sums(np.array(starts, np.int64), np.ones(len(starts), np.int64))
    assert windows.tolist() == [start - back for start in starts for back in (20, 10, 0)]


@pytest.mark.parametrize(
    ("length", "step", "starts"), [(25, 10, [0]), (30, 0, [0]), (30, 10, [5]), (30, 10, [10, 0])]
)
def test_what_is_no_row_of_whole_buckets_is_refused(length: int, step: int, starts: list[int]) -> None:
    with pytest.raises(ValueError, match="bucket"):
        sliding_sums(np.array(starts), np.ones(len(starts), np.int64), length, step)


def of_spark(spark: SparkSession, seconds: Integers, sizes: Integers, length_s: int, step_s: int) -> Windows:
    frame = spark.createDataFrame(
        [(int(s), int(b)) for s, b in zip(seconds, sizes, strict=True)], "second long, size long"
    )
    spans = window(timestamp_seconds(col("second")), f"{length_s} seconds", f"{step_s} seconds")
    rows = frame.groupBy(spans.alias("span")).agg(count("*").alias("hits"), sum_("size").alias("bytes"))
    found = rows.select(col("span.start").cast("long").alias("start"), "hits", "bytes").collect()
    return {row["start"]: (row["hits"], row["bytes"]) for row in found}


def of_buckets(seconds: Integers, sizes: Integers, length_s: int, step_s: int) -> Windows:
    buckets, place = np.unique(seconds - seconds % 10, return_inverse=True)
    hits = np.bincount(place)
    total = np.zeros(len(buckets), np.int64)
    np.add.at(total, place, sizes)
    starts, sums = sliding_sums(buckets, np.column_stack([hits, total]), length_s, step_s)
    return {start: (row[0], row[1]) for start, row in zip(starts.tolist(), sums.tolist(), strict=True)}


@pytest.mark.services
@pytest.mark.parametrize(("length_s", "step_s"), [(30, 10), (60, 20), (30, 30)])
def test_every_window_of_generated_hits_is_what_sparks_window_gives(
    spark: SparkSession, length_s: int, step_s: int
) -> None:
    seconds = generated_seconds(1)
    sizes = np.arange(len(seconds)) * 10**9  # sums beyond 1e12
    assert len(seconds) > 3000
    assert of_buckets(seconds, sizes, length_s, step_s) == of_spark(spark, seconds, sizes, length_s, step_s)


@pytest.mark.services
@pytest.mark.access_log
def test_every_window_of_the_real_log_is_what_sparks_window_gives(spark: SparkSession, access_log: Path) -> None:
    seconds = seconds_of_log(access_log)
    assert len(seconds) == 9999
    sizes = seconds % 1000
    assert of_buckets(seconds, sizes, 30, 10) == of_spark(spark, seconds, sizes, 30, 10)

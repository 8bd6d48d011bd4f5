"""Least squares: the textbook's on good data, Spark's too, and right where the textbook's formula breaks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession

from spark_jobs.trend_ewma import ewma
from spark_jobs.trend_regression import Values, least_squares
from tests.spark_jobs.hits_of_a_log import counts, generated_seconds, seconds_of_log


def textbook(design: Values, observed: Values) -> Values:
    """(X'X)^-1 X'y, as it is written."""
    return np.asarray(np.linalg.inv(design.T @ design) @ design.T @ observed)


def of_spark(spark: SparkSession, design: Values, observed: Values) -> tuple[Values, float]:
    """Coefficients (intercept first) and R squared of Spark ML, without regularisation."""
    rows = [(float(y), Vectors.dense(x[1:].tolist())) for x, y in zip(design, observed, strict=True)]
    frame = spark.createDataFrame(rows, ["label", "features"])
    model = LinearRegression(solver="normal", regParam=0.0, standardization=False).fit(frame)
    return np.array([model.intercept, *model.coefficients]), float(model.summary.r2)


def hours(hits: Values) -> tuple[Values, Values]:
    """[1, hours, level before, hour of the day as a wave] of a series of hours, and the series."""
    number = np.arange(len(hits), dtype=np.float64)
    angle = 2 * np.pi * number / 24
    level = ewma(hits)
    return np.column_stack(
        [np.ones(len(hits) - 1), number[1:], level[:-1], np.sin(angle[1:]), np.cos(angle[1:])]
    ), hits[1:]


def test_a_line_through_three_points_by_hand() -> None:
    # y = 1, 2, 4 at 0, 1, 2: slope 3/2, intercept 5/6, residuals 1/6, -1/3, 1/6.
    design = np.column_stack([np.ones(3), [0.0, 1.0, 2.0]])
    fit = least_squares(design, np.array([1.0, 2.0, 4.0]))
    assert fit.coefficients.tolist() == pytest.approx([5 / 6, 3 / 2])
    assert fit.r_squared == pytest.approx(1 - (1 / 6) / (14 / 3))
    assert fit.residual_deviation == pytest.approx(np.sqrt(1 / 6))
    # At 3: 16/3, off by s sqrt(1 + 1/3 + 2^2/2) times Student's quantile for one degree of freedom, 12.706.
    low, high = fit.interval(np.array([[1.0, 3.0]]))
    half = 12.706204736432095 * np.sqrt(1 / 6) * np.sqrt(1 + 1 / 3 + 2)
    assert (low[0], high[0]) == pytest.approx((16 / 3 - half, 16 / 3 + half))


def test_of_95_percent_intervals_95_percent_hold_the_next_value() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        design = np.column_stack([np.ones(9), rng.random((9, 2))])
        observed = design @ [3.0, -1.0, 2.0] + rng.standard_normal(9)
        low, high = least_squares(design[:8], observed[:8]).interval(design[8:])
        held += bool(low[0] <= observed[8] <= high[0])
    assert 0.94 < held / 2000 < 0.96


def test_rows_that_are_not_known_are_left_out() -> None:
    design = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, np.nan]])
    fit = least_squares(design, np.array([1.0, np.nan, 3.0, 9.0]))
    assert (fit.observations, fit.coefficients.tolist()) == (2, pytest.approx([1.0, 1.0]))


@pytest.mark.parametrize(
    ("design", "observed", "rank"),
    [
        (np.ones((0, 2)), [], 0),
        (np.ones((1, 1)), [5.0], 1),
        (np.ones((1, 3)), [5.0], 1),
        (np.ones((6, 2)), [5.0] * 6, 1),
        (np.zeros((3, 2)), [1.0, 2.0, 3.0], 0),
        (np.column_stack([np.ones(4), np.arange(4.0), 2 * np.arange(4.0)]), [0.0, 1.0, 2.0, 3.0], 2),
    ],
    ids=[
        "empty",
        "single point",
        "more columns than rows",
        "twice the same column",
        "nothing but zeros",
        "dependent",
    ],
)
def test_a_lack_of_rank_is_told_and_what_can_be_fitted_is(design: Values, observed: list[float], rank: int) -> None:
    fit = least_squares(design, np.array(observed))
    assert (fit.rank, fit.observations) == (rank, len(observed))
    assert np.isfinite(fit.coefficients).all()
    if rank:
        assert fit.predict(design).tolist() == pytest.approx(observed, abs=1e-12)


def test_a_constant_series_has_no_r_squared_and_is_predicted_as_it_is() -> None:
    fit = least_squares(np.column_stack([np.ones(5), np.arange(5.0)]), np.full(5, 7.0))
    assert np.isnan(fit.r_squared)
    assert fit.predict(np.array([[1.0, 99.0]])).tolist() == pytest.approx([7.0])


def test_values_of_1e12_are_fitted_to_nine_digits() -> None:
    x = np.arange(50.0)
    fit = least_squares(np.column_stack([np.ones(50), x]), 1e12 + 1e9 * x)
    assert fit.coefficients.tolist() == pytest.approx([1e12, 1e9], rel=1e-9)


def test_on_well_conditioned_data_it_is_the_textbooks_formula() -> None:
    rng = np.random.default_rng(2)
    design = np.column_stack([np.ones(300), rng.standard_normal((300, 4))])
    observed = design @ [10.0, 1.0, -2.0, 3.0, 0.5] + rng.standard_normal(300)
    assert least_squares(design, observed).coefficients == pytest.approx(textbook(design, observed), rel=1e-9)


def test_where_time_is_epoch_seconds_the_textbooks_formula_breaks_and_this_does_not() -> None:
    # Hits an hour as a parabola in epoch seconds over two days: X'X has a condition number beyond 1e60.
    seconds = 1_794_873_600.0 + 3600.0 * np.arange(48)
    hour = np.arange(48)
    observed = 5000.0 + 20.0 * hour - 0.25 * hour**2
    design = np.column_stack([np.ones(48), seconds, seconds**2])
    try:
        broken = float(np.max(np.abs(design @ textbook(design, observed) / observed - 1)))
    except np.linalg.LinAlgError:
        broken = np.inf
    assert broken > 1e-3
    fit = least_squares(design, observed)
    assert fit.rank == 3
    assert fit.predict(design) == pytest.approx(observed, rel=1e-5)
    # With time counted from the middle, which is the same model, all digits are there.
    middle = (seconds - seconds.mean()) / 3600.0
    again = least_squares(np.column_stack([np.ones(48), middle, middle**2]), observed)
    assert again.predict(np.column_stack([np.ones(48), middle, middle**2])) == pytest.approx(observed, rel=1e-12)


def test_a_matrix_of_condition_1e9_keeps_the_digits_that_the_textbooks_formula_loses() -> None:
    # Two columns that differ in the ninth digit (after Lauchli); y is exactly the first plus twice the second.
    small = Fraction(1, 2**30)
    rows = [[Fraction(1), Fraction(1)], [small, Fraction(0)], [Fraction(0), small]]
    observed = np.array([float(a + 2 * b) for a, b in rows])
    design = np.array(rows, np.float64)
    fit = least_squares(design, observed)
    assert fit.coefficients.tolist() == pytest.approx([1.0, 2.0], rel=1e-6)
    with pytest.raises(np.linalg.LinAlgError):
        textbook(design, observed)


@pytest.mark.services
def test_generated_hits_an_hour_are_fitted_as_spark_ml_and_the_textbook_do(spark: SparkSession) -> None:
    _, hits = counts(generated_seconds(72), 3600)
    design, observed = hours(hits.astype(np.float64))
    fit = least_squares(design, observed)
    coefficients, r_squared = of_spark(spark, design, observed)
    assert fit.coefficients == pytest.approx(coefficients, rel=1e-9)
    assert fit.coefficients == pytest.approx(textbook(design, observed), rel=1e-9)
    assert fit.r_squared == pytest.approx(r_squared, rel=1e-9)
    assert fit.r_squared > 0.8  # it is a rhythm


@pytest.mark.services
@pytest.mark.access_log
def test_the_real_logs_hits_an_hour_are_fitted_as_spark_ml_and_the_textbook_do(
    spark: SparkSession, access_log: Path
) -> None:
    _, hits = counts(seconds_of_log(access_log), 3600)
    design, observed = hours(hits.astype(np.float64))
    fit = least_squares(design, observed)
    coefficients, r_squared = of_spark(spark, design, observed)
    assert (fit.observations, fit.rank) == (83, 5)
    assert fit.coefficients == pytest.approx(coefficients, rel=1e-9)
    assert fit.coefficients == pytest.approx(textbook(design, observed), rel=1e-9)
    assert fit.r_squared == pytest.approx(r_squared, rel=1e-9)

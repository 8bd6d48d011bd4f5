"""The moving average is S_t = a X_t + (1 - a) S_(t-1), also after late lines, and says what it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spark_jobs.trend_ewma import Values, ewma, ewma_step
from tests.spark_jobs.hits_of_a_log import counts, generated_seconds, seconds_of_log

NAN = float("nan")
ALPHA = Fraction(3, 10)


def exact(values: Sequence[float]) -> list[float]:
    """From scratch in fractions, as the formula stands in the book."""
    averages: list[float] = []
    state: Fraction | None = None
    for value in values:
        if value != value:
            averages.append(NAN)
            continue
        x = Fraction(value)
        state = x if state is None else ALPHA * x + (1 - ALPHA) * state
        averages.append(float(state))
    return averages


def stepped(values: Values) -> Values:
    state = np.full(values.shape[1], np.nan)
    shown = []
    for row in values:
        state = ewma_step(state, row, 0.3)
        shown.append(np.where(np.isnan(row), np.nan, state))
    return np.array(shown)


def test_the_first_average_is_the_first_value_and_the_next_is_three_tenths_new() -> None:
    assert ewma(np.array([10.0, 20.0, 20.0])).tolist() == pytest.approx([10.0, 13.0, 15.1])


def test_an_empty_bucket_counts_as_0_and_an_unknown_one_is_skipped_and_shown_unknown() -> None:
    assert ewma(np.array([10.0, 0.0])).tolist() == [10.0, 7.0]
    assert ewma(np.array([NAN, 10.0, NAN, 0.0])).tolist() == pytest.approx([NAN, 10.0, NAN, 7.0], nan_ok=True)


@pytest.mark.parametrize(
    "values",
    [[], [5.0], [7.0] * 50, [1e12, 0.0, 1e12, 1e12 + 1], [NAN] * 4, [0.0] * 9],
    ids=["empty", "single point", "constant", "huge", "unknown", "zero"],
)
def test_odd_series_are_what_exact_arithmetic_gives(values: list[float]) -> None:
    assert ewma(np.array(values, np.float64)).tolist() == pytest.approx(exact(values), rel=1e-14, nan_ok=True)


def test_a_late_line_brings_its_bucket_and_all_later_ones_to_what_a_recomputation_gives() -> None:
    _, hits = counts(generated_seconds(1), 10)
    values = hits.astype(np.float64)
    before = ewma(values)
    values[200] += 40  # late lines for a closed bucket
    again = ewma(values[200:], before=np.atleast_1d(before[199]))
    assert again.tolist() == pytest.approx(exact(values.tolist())[200:], rel=1e-13)
    assert np.concatenate([before[:200], again]).tolist() == ewma(values).tolist()
    assert again[0] - before[200] == pytest.approx(0.3 * 40)


def test_whole_series_are_to_the_bit_what_stepping_gives() -> None:
    rng = np.random.default_rng(1)
    values = rng.poisson(40.0, (500, 3)).astype(np.float64)
    values[rng.random((500, 3)) < 0.1] = np.nan
    np.testing.assert_array_equal(ewma(values), stepped(values))


@pytest.mark.parametrize("grain_s", [60, 3600])
def test_generated_hits_are_averaged_as_exact_arithmetic_does(grain_s: int) -> None:
    _, hits = counts(generated_seconds(6), grain_s)
    assert ewma(hits.astype(np.float64)).tolist() == pytest.approx(exact(hits.tolist()), rel=1e-13)


@pytest.mark.access_log
@pytest.mark.parametrize(("grain_s", "buckets"), [(60, 4981), (3600, 84)])
def test_the_real_log_is_averaged_as_exact_arithmetic_does(access_log: Path, grain_s: int, buckets: int) -> None:
    _, hits = counts(seconds_of_log(access_log), grain_s)
    assert len(hits) == buckets
    # 300 at a time: fractions grow with every step.
    for first in range(0, len(hits), 300):
        part = hits[first : first + 300]
        assert ewma(part.astype(np.float64)).tolist() == pytest.approx(exact(part.tolist()), rel=1e-13)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.5, NAN])
def test_an_alpha_that_averages_nothing_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        ewma(np.ones(3), alpha)

"""Latencies in bins: within 1 % of every latency, and of every percentile."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.access_log import LARGEST_LATENCY_MS
from spark_jobs.latency_bins import bin_latency_us, bins_of, percentile_us

LATENCIES_US = st.integers(0, LARGEST_LATENCY_MS * 1000)


def bin_of(latency_us: int) -> int:
    return int(bins_of(np.array([latency_us]))[0])


@given(LATENCIES_US)
def test_a_bin_stands_for_each_of_its_latencies_within_one_percent(latency_us: int) -> None:
    assert abs(bin_latency_us(bin_of(latency_us)) - latency_us) <= 0.01 * latency_us * (1 + 1e-12)


@pytest.mark.parametrize(
    ("latency_us", "number"),
    [(0, -1), (1, 0), (2, 35), (1000, 346), (1_000_000, 691), (LARGEST_LATENCY_MS * 1000, 1260)],
)
def test_the_bin_is_the_ceiling_of_the_logarithm_to_the_base_of_101_99ths(latency_us: int, number: int) -> None:
    assert bin_of(latency_us) == number
    if number >= 0:
        assert (101 / 99) ** (number - 1) < latency_us <= (101 / 99) ** number


@given(st.lists(LATENCIES_US, min_size=1, max_size=60), st.floats(0, 1))
def test_a_percentile_is_within_one_percent_of_the_latency_at_its_rank(latencies: list[int], fraction: float) -> None:
    ordered = sorted(latencies)
    exact = ordered[int(fraction * (len(ordered) - 1))]
    bins = Counter(bins_of(np.array(latencies)).tolist())
    numbers = sorted(bins)
    found = percentile_us(numbers, [bins[number] for number in numbers], fraction, ordered[-1])
    assert abs(found - exact) <= 0.01 * exact * (1 + 1e-12)
    assert found <= ordered[-1]

"""Sums by key over columns: the order of rows, which all sums lean on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.grouping import Groups, stable_order

SMALL, TOO_LARGE_TO_SORT_WITH_THEIR_PLACE = 5, 2**62 - 1


@pytest.mark.parametrize("largest", [SMALL, TOO_LARGE_TO_SORT_WITH_THEIR_PLACE])
def test_equal_codes_keep_the_order_they_came_in(largest: int) -> None:
    assert stable_order(np.array([largest, 0, largest, 1, 0])).tolist() == [1, 4, 3, 0, 2]


@given(st.lists(st.integers(min_value=0, max_value=2**62)))
def test_the_order_is_that_of_a_stable_sort(codes: list[int]) -> None:
    column = np.array(codes, dtype=np.int64)
    assert stable_order(column).tolist() == sorted(range(len(codes)), key=codes.__getitem__)


def test_a_group_begins_with_its_first_row_and_sums_all_of_them() -> None:
    groups = Groups(np.array([7, 3, 7, 3, 3]))
    assert groups.first(np.array([10, 20, 30, 40, 50])).tolist() == [20, 10]
    assert groups.sums(np.array([10, 20, 30, 40, 50])).tolist() == [110, 40]

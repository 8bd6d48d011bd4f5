"""How far counting is behind."""

from __future__ import annotations

from spark_jobs.lag import Lag


def test_all_is_counted_up_to_the_moment_whose_offsets_have_been_passed() -> None:
    lag = Lag()
    assert lag.note(100.0, {0: 10, 1: 5}, {0: 4, 1: 5}) == 6
    assert lag.caught_up_to is None
    assert lag.note(102.0, {0: 30, 1: 5}, {0: 10, 1: 5}) == 20  # what there was at 100 is counted, not yet of 102
    assert lag.caught_up_to == 100.0
    assert lag.note(104.0, {0: 30, 1: 5}, {0: 30, 1: 5}) == 0
    assert lag.caught_up_to == 104.0


def test_a_partition_never_counted_holds_everything_back() -> None:
    lag = Lag()
    assert lag.note(100.0, {0: 10, 1: 1}, {0: 10}) == 1
    assert lag.caught_up_to is None

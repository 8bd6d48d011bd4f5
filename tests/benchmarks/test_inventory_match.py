"""Holding reports against the inventory: what is wrong, and what an estimate may be off by."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.inventory_match import Estimates, Matched

NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)


def test_a_cell_is_wrong_when_it_differs_or_stands_on_one_side_only() -> None:
    found = Matched().add(
        {(NOON, "a"): 1, (NOON, "b"): 2, (NOON, "c"): 3}, {(NOON, "a"): 1, (NOON, "b"): 5, (NOON, "d"): 4}
    )
    assert (found.cells, found.wrong) == (4, 3)


def test_an_estimate_may_be_beyond_its_bound_but_not_beyond_twice_of_it_and_an_exact_figure_must_be_exact() -> None:
    def judged(visitors: int | None, bound: int) -> tuple[int, int, int]:
        one = Estimates().add({NOON: {"visitors": visitors, "visitors_bound": bound}}, {NOON: 1000})
        return one.exact, one.beyond_bound, one.wrong

    assert judged(1000, 0) == (1, 0, 0)
    assert judged(1001, 0) == (1, 0, 1)
    assert judged(1010, 10) == (0, 0, 0)
    assert judged(1020, 10) == (0, 1, 0)
    assert judged(1021, 10) == (0, 1, 1)
    assert judged(None, 0) == (0, 0, 1)
    assert Estimates().add({}, {NOON: 1000}).wrong == 1

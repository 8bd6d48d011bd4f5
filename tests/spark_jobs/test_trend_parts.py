"""What following decides by itself: unknown or zero, incident or part of one, and which part tells most."""

from __future__ import annotations

import numpy as np
import pytest

from spark_jobs.followed_site import Incident
from spark_jobs.site_series import MOST_LABELS, RollingSums, SiteMemory
from spark_jobs.standstill import Standstill, known, standstill_between
from spark_jobs.trend_detector import Change, Series
from spark_jobs.trend_explanation import explain
from spark_jobs.trend_incidents import by_prominence, head_of


def change(measure: str, number: int, observed: float, high: float = 120.0, end_s: int = 1000) -> Change:
    """An opening above a band of 80 to ``high`` around 100."""
    series = Series(measure)  # type: ignore[arg-type]
    return Change("opened", number, series, 1, end_s - 20, end_s, 10, observed, 100.0, 80.0, high, "warning")


def incident(measure: str, opened_s: int, is_open: bool = True, head_id: int | None = None) -> Incident:
    series = Series(measure)  # type: ignore[arg-type]
    return Incident(7, series, 1, opened_s - 20, opened_s, 10, 80.0, 120.0, 400.0, is_open, head_id)


@pytest.mark.parametrize(
    ("before", "now", "lost", "expected"),
    [
        (None, 100.0, False, None),
        (100.0, 104.0, False, None),
        (100.0, 100.0, True, None),
        (100.0, 160.0, False, Standstill(100.0, 160.0)),
        (100.0, 104.0, True, Standstill(100.0, 104.0, records_lost=True)),
    ],
)
def test_a_jump_of_the_caught_up_moment_is_a_standstill(
    before: float | None, now: float, lost: bool, expected: Standstill | None
) -> None:
    assert standstill_between(before, now, lost) == expected


def test_in_a_standstill_only_buckets_with_lines_are_known_and_none_where_records_were_lost() -> None:
    hits = np.array([0, 5, 0, 0, 5])  # buckets from 100 s on
    assert known(10, hits, []).tolist() == [True] * 5
    assert known(10, hits, [Standstill(105.0, 121.0)]).tolist() == [False, True, False, True, True]
    assert known(10, hits, [Standstill(105.0, 120.0, True)]).tolist() == [False, False, True, True, True]


def test_what_leaves_its_band_with_an_incident_is_a_part_of_it() -> None:
    assert head_of(change("hits", 0, 400.0), []) is None
    assert head_of(change("server_errors", 0, 400.0), [incident("hits", 900)]) == 7
    assert head_of(change("server_errors", 0, 400.0), [incident("hits", 800)]) is None
    assert head_of(change("page", 0, 400.0), [incident("hits", 100)]) == 7
    assert head_of(change("page", 0, 400.0), [incident("hits", 100, is_open=False)]) is None
    assert head_of(change("page", 0, 400.0), [incident("hits", 100, head_id=3)]) is None


def test_totals_come_before_their_parts_and_the_farthest_outside_before_the_others() -> None:
    openings = [change("page", 5, 9000.0), change("hits", 0, 200.0), change("client_errors", 2, 900.0)]
    assert [one.series.measure for one in by_prominence(openings)] == ["client_errors", "hits", "page"]


def cell(dimension: str, value: str, before: float, after: float, lines: float = 100.0) -> list[dict[str, object]]:
    return [
        {"dimension": dimension, "value": value, "is_later": later, "amount": amount, "latency_count": lines}
        for later, amount in ((False, before), (True, after))
    ]


def test_a_part_that_grew_by_itself_comes_before_larger_ones_that_grew_with_everything() -> None:
    cells = [
        *cell("page", "/promo", 4, 304), *cell("page", "/", 96, 100),
        *cell("status class", "2xx", 96, 388), *cell("status class", "4xx", 4, 16),
        *cell("country", "DE", 70, 290), *cell("country", "FR", 30, 114),
    ]  # fmt: skip
    found = explain(cells, is_mean=False)
    assert (found[0]["dimension"], found[0]["value"]) == ("page", "/promo")
    assert (found[0]["observed"], found[0]["before"]) == (304, 4)
    assert found[0]["share"] == pytest.approx(300 / 304, abs=1e-4)
    assert len(found) == 3


def test_of_a_mean_the_parts_are_shares_of_the_mean() -> None:
    cells = [*cell("page", "/slow", 1000, 9000), *cell("page", "/fast", 1000, 1000)]
    (slow,) = explain(cells, is_mean=True)
    assert (slow["value"], slow["before"], slow["observed"], slow["share"]) == ("/slow", 5.0, 45.0, 1.0)


def test_sums_roll_on_and_labels_without_hits_are_forgotten() -> None:
    sums = RollingSums(buckets=3, columns=1)
    one = np.array([10]), np.zeros(1, np.int64), np.array([5])
    sums.add(one[0], ["/a"], one[1], one[2])
    sums.add(np.array([11]), ["/b"], one[1], np.array([7]))  # needs a second column
    assert sums.column("/a", 10, 13).tolist() == [5, 0, 0]
    assert sums.largest(10, 13, 2) == [("/b", 7), ("/a", 5)]
    sums.forget(np.array([13]))
    sums.forget_labels_without_hits()
    assert sums.largest(11, 14, 2) == [("/b", 7)]
    assert sums.column("/a", 11, 14).tolist() == [0, 0, 0]


def test_a_flood_of_labels_stays_bounded_and_keeps_the_large_ones_and_the_sum() -> None:
    sums = RollingSums(buckets=2, columns=64)
    zero = np.zeros(1, np.int64)
    sums.add(zero, ["/home"], zero, np.array([50]))
    for n in range(3 * MOST_LABELS):
        sums.add(zero, [f"/random/{n}"], zero, np.array([1]))
    largest = dict(sums.largest(0, 1, 10 * MOST_LABELS))
    assert len(largest) <= MOST_LABELS
    assert largest["/home"] == 50
    assert sum(largest.values()) == 50 + 3 * MOST_LABELS
    assert largest["(other)"] > MOST_LABELS


def test_lines_of_clocks_that_run_ahead_do_not_push_the_past_out_of_memory() -> None:
    memory = SiteMemory(buckets=10, newest=100)
    memory.take("total", "", np.array([99]), {"hits": np.array([3])})
    memory.take("total", "", np.array([5000, 50]), {"hits": np.array([4, 4])})
    assert memory.hits(95, 101).tolist() == [0, 0, 0, 0, 3, 0]
    memory.advance(100)
    assert memory.hits(97, 107).tolist() == [0, 0, 3, 0, 0, 0, 0, 0, 0, 0]

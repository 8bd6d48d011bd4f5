"""A set of line numbers as ranges."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.seq_ranges import SeqRanges, overlap


def test_numbers_in_a_row_are_one_range() -> None:
    seqs = SeqRanges()
    assert [seqs.add(seq) for seq in (1, 2, 3, 5, 4)] == [True] * 5
    assert seqs.ranges() == [(1, 5)]


def test_a_number_added_twice_is_told() -> None:
    seqs = SeqRanges([(1, 3), (7, 9)])
    assert [seqs.add(seq) for seq in (3, 8, 1, 5)] == [False, False, False, True]
    assert seqs.ranges() == [(1, 3), (5, 5), (7, 9)]


def test_ranges_overlap_when_they_share_a_number() -> None:
    assert overlap([(1, 3), (3, 5)])
    assert not overlap([(4, 5), (1, 3)])
    assert not overlap([])


@given(st.lists(st.integers(1, 60)))
def test_behaves_like_a_set_of_numbers(numbers: list[int]) -> None:
    seqs, truth = SeqRanges(), set[int]()
    for number in numbers:
        assert seqs.add(number) == (number not in truth)
        truth.add(number)
    assert {n for first, last in seqs.ranges() for n in range(first, last + 1)} == truth
    assert all(last + 1 < first for (_, last), (first, _) in zip(seqs.ranges(), seqs.ranges()[1:], strict=False))
    assert all((n in seqs) == (n in truth) for n in range(62))

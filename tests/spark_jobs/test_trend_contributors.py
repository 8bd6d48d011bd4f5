"""Who made the difference: each part on its own line, in the direction of the whole, the largest first."""

from __future__ import annotations

from spark_jobs.trend_contributors import Part, contributors

USUAL: dict[Part, float] = {
    ("page", "/home"): 60.0, ("page", "/cart"): 40.0, ("country", "DE"): 70.0, ("country", "US"): 30.0,
    ("status class", "2"): 98.0, ("status class", "4"): 2.0,
}  # fmt: skip


def test_the_page_that_went_viral_comes_first_with_its_share_of_the_difference() -> None:
    seen = USUAL | {
        ("page", "/home"): 260.0,
        ("page", "/cart"): 30.0,
        ("country", "DE"): 210.0,
        ("country", "US"): 80.0,
    }
    found = contributors(seen, USUAL, 190.0)
    assert [(one.dimension, one.value, one.difference, round(one.share, 2)) for one in found] == [
        ("page", "/home", 200.0, 1.05),  # more than all of it: the other page lost
        ("country", "DE", 140.0, 0.74),
        ("country", "US", 50.0, 0.26),
    ]


def test_a_part_that_was_not_there_before_or_is_gone_counts_whole() -> None:
    seen: dict[Part, float] = {("page", "/wp-login.php"): 500.0}
    (first, *_) = contributors(seen, {}, 500.0)
    assert (first.observed, first.expected, first.share) == (500.0, 0.0, 1.0)
    (first, *_) = contributors({}, USUAL, -100.0)
    assert (first.dimension, first.value, first.difference, first.share) == ("status class", "2", -98.0, 0.98)


def test_no_difference_has_no_contributors_and_ties_are_in_order_of_name() -> None:
    assert contributors(USUAL, USUAL, 0.0) == []
    seen = {("page", "/b"): 5.0, ("page", "/a"): 5.0}
    assert [one.value for one in contributors(seen, {}, 10.0)] == ["/a", "/b"]

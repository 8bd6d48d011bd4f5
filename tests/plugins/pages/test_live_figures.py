"""Lines of the page Live, from rows made by hand."""

from __future__ import annotations

from plugins.pages.live_figures import line_path, page_lines


def test_a_line_breaks_where_nobody_could_count_and_a_true_zero_is_on_the_base() -> None:
    assert line_path([0, 4, None, 2, 4]) == "M0 19.0L1 1.0M3 10.0L4 1.0"
    assert line_path([0, 0]) == "M0 19.0L1 19.0"
    assert line_path([None, None]) == ""


def test_lines_are_told_apart_by_page_and_unknown_is_not_zero() -> None:
    steps = [
        {"path": "/a", "hits": 3, "is_known": True},
        {"path": "/a", "hits": 0, "is_known": False},
        {"path": "/b", "hits": 0, "is_known": True},
    ]
    assert page_lines(steps) == {"/a": [3, None], "/b": [0]}

"""Visits as intervals that merge, against the definition: hits of a visitor with no gap over 30 minutes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.count_tables import VISITS, merged_visits
from spark_jobs.visits import AGENT_CLASSES, GAP_US, is_page

Hit = tuple[str, int, int, str, str | None, bool]  # site, visitor, minute, class, path of a page view, 4xx
MINUTE_US = 60_000_000
HITS = st.lists(
    st.tuples(
        st.sampled_from(["blog", "shop"]),
        st.sampled_from([-5, 7]),
        st.integers(0, 240),
        st.sampled_from(AGENT_CLASSES),
        st.sampled_from([None, "/a", "/b"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


def one(hit: Hit) -> dict[str, Any]:
    """A hit as a visit of its own."""
    site, visitor, minute, line_class, path, client_error = hit
    at = minute * MINUTE_US
    seen = {"entry_us": at, "exit_us": at, "entry_path": path, "exit_path": path} if path else {}
    return {
        "site": site, "key_id": "2026-11", "visitor": visitor, "started_us": at, "ended_us": at, "hits": 1,
        "page_views": int(path is not None), "client_errors": int(client_error), "line_class": line_class,
    } | seen  # fmt: skip


def joined(*parts: pa.Table) -> pa.Table:
    return merged_visits(pa.concat_tables(parts))


def table(hits: list[Hit]) -> pa.Table:
    return pa.Table.from_pylist([one(hit) for hit in hits], schema=VISITS)


def by_definition(hits: list[Hit]) -> list[dict[str, Any]]:
    """Walks the hits of each visitor in order of time."""
    visits: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda hit: (hit[0], hit[1], hit[2])):
        last = visits[-1][-1] if visits else None
        if last is None or last[:2] != hit[:2] or (hit[2] - last[2]) * MINUTE_US > GAP_US:
            visits.append([])
        visits[-1].append(hit)
    rows = []
    for visit in visits:
        views = [(minute * MINUTE_US, path) for _, _, minute, _, path, _ in visit if path]
        entry, out = (min(views), max(views)) if views else ((None, None), (None, None))
        rows.append(
            {
                "site": visit[0][0], "key_id": "2026-11", "visitor": visit[0][1],
                "started_us": visit[0][2] * MINUTE_US, "ended_us": visit[-1][2] * MINUTE_US, "hits": len(visit),
                "page_views": len(views), "client_errors": sum(hit[5] for hit in visit),
                "line_class": max((hit[3] for hit in visit), key=AGENT_CLASSES.index),
                "entry_us": entry[0], "entry_path": entry[1], "exit_us": out[0], "exit_path": out[1],
            }
        )  # fmt: skip
    return rows


@given(HITS)
def test_hits_with_no_gap_over_thirty_minutes_are_one_visit(hits: list[Hit]) -> None:
    assert joined(table(hits)).to_pylist() == by_definition(hits)


@given(HITS, st.lists(st.integers(0, 40), max_size=4))
def test_joining_parts_gives_what_joining_all_at_once_gives(hits: list[Hit], cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(hits)]
    whole = VISITS.empty_table()
    for begin, end in pairwise(bounds):
        whole = joined(whole, joined(table(hits[begin:end])))
    assert whole.equals(joined(table(hits)))


@pytest.mark.parametrize(
    ("method", "path", "page"),
    [
        ("GET", "/", True),
        ("POST", "/order", True),
        ("GET", "/guide.html", True),
        ("HEAD", "/", False),
        ("GET", "/Logo.PNG", False),
        ("GET", "/robots.txt", False),
        ("GET", "*", False),
        ("-", "(malformed)", False),
    ],
)
def test_a_page_is_what_is_read_and_not_what_is_shown_with_it(method: str, path: str, page: bool) -> None:
    assert is_page(method, path) is page

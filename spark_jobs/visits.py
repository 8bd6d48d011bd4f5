"""Visits as intervals that merge: hits of a visitor with no gap over 30 minutes.

A hit is a visit of one; joining is associative and commutative, so that any order and any split of the same hits
gives the same visits. The same function joins the hits of a task, the fragments of the tasks, and those with what is
stored.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from spark_jobs.grouping import Column, combined, stable_order

GAP_US = 30 * 60 * 1_000_000
# Rising: of two classes seen in one visit the later one stands. A visitor has one user agent; only lines that are
# a scanner's by what they ask for differ from it, and lines counted under other versions of the rules.
AGENT_CLASSES = ("unknown", "human", "tool", "bot", "scanner")
# What are not pages but parts of them.
ASSET_SUFFIXES = (
    ".css", ".js", ".mjs", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".avif", ".woff",
    ".woff2", ".ttf", ".eot", ".mp4", ".webm", ".json", ".xml", ".txt",
)  # fmt: skip
NONE = np.iinfo(np.int64).max


def is_page(method: str, path: str) -> bool:
    """Whether a request of this canonical path, answered below 400, is a page view."""
    return method in {"GET", "POST"} and path.startswith("/") and not path.lower().endswith(ASSET_SUFFIXES)


@dataclass(frozen=True)
class Fragments:
    """Parts of visits in columns of the same length; ``NONE`` where there is no page view.

    who: code of site, key and visitor; times in epoch microseconds; line_class: place in AGENT_CLASSES;
    paths: codes that sort like the paths.
    """

    who: Column
    started_us: Column
    ended_us: Column
    hits: Column
    page_views: Column
    client_errors: Column
    line_class: Column
    entry_us: Column
    entry_path: Column
    exit_us: Column
    exit_path: Column

    def _taken(self, order: Column) -> Self:
        return type(self)(*(getattr(self, field.name)[order] for field in fields(self)))

    def joined(self) -> Self:
        """The visits that these make, by visitor and time; those of one visitor are more than 30 minutes apart."""
        if not len(self.who):
            return self
        since = self.started_us - self.started_us.min()
        parts = self._taken(
            stable_order(combined((self.who, int(self.who.max()) + 1), (since, int(since.max()) + 1)))
        )
        until = _latest_so_far(parts.who, parts.ended_us)
        begins = np.ones(len(parts.who), dtype=bool)
        begins[1:] = (parts.who[1:] != parts.who[:-1]) | (parts.started_us[1:] - until[:-1] > GAP_US)
        starts = np.flatnonzero(begins)
        visit = np.cumsum(begins) - 1  # of each part
        entry_us = np.minimum.reduceat(parts.entry_us, starts)
        first = parts.entry_us == entry_us[visit]
        viewed = parts.exit_us != NONE
        exit_us = np.maximum.reduceat(np.where(viewed, parts.exit_us, -1), starts)
        last = parts.exit_us == exit_us[visit]
        exit_path = np.maximum.reduceat(np.where(last, parts.exit_path, -1), starts)
        return type(self)(
            who=parts.who[starts],
            started_us=parts.started_us[starts],
            ended_us=np.maximum.reduceat(parts.ended_us, starts),
            hits=np.add.reduceat(parts.hits, starts),
            page_views=np.add.reduceat(parts.page_views, starts),
            client_errors=np.add.reduceat(parts.client_errors, starts),
            line_class=np.maximum.reduceat(parts.line_class, starts),
            entry_us=entry_us,
            entry_path=np.minimum.reduceat(np.where(first, parts.entry_path, NONE), starts),
            exit_us=np.where(exit_us < 0, NONE, exit_us),
            exit_path=np.where(exit_us < 0, NONE, exit_path),
        )


def _latest_so_far(who: Column, ended_us: Column) -> Column:
    """Running maximum of the ends, begun anew with each visitor; ``who`` is in order."""
    ends, rank = np.unique(ended_us, return_inverse=True)
    number = np.cumsum(np.diff(who, prepend=who[:1]) != 0)
    running: Column = np.maximum.accumulate(number * len(ends) + rank) % len(ends)
    latest: Column = ends[running]
    return latest

"""The visits of a generator run, counted as its hits become final.

A visit is what one person (address and user agent) asked for with no gap over 30 minutes, within one UTC month: the
key that hides visitors changes with the month. It belongs to the day it began on. One that met nothing but 4xx
answers is none. A page view is a GET or POST of something that is no asset, answered below 400.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from producers.hits import Hits
from producers.site_model import HEAD, PATHS
from producers.user_agents import AGENT_CLASSES, SCANNER

LONGEST_PAUSE_MS = 30 * 60_000
SCANNER_LEAST_ERRORS, SCANNER_ERROR_SHARE = 20, 5  # as many 4xx answers, and one in five hits
DAY_MS = 86_400_000
MEASURES = ("visits", "bounces", "page_views", "duration_ms_sum")
_ASSETS = (".txt", ".xml", ".json")

_IS_PAGE = np.array([not path.endswith(_ASSETS) for path in PATHS])
# Of two page views at the same instant the first is the one whose path sorts first.
_BY_NAME = tuple(sorted(PATHS))
_PLACE = np.array([_BY_NAME.index(path) for path in PATHS])

Ints = NDArray[np.int64]

HIT = np.dtype([("person", "i4"), ("ts_ms", "i8"), ("place", "i2"), ("client_error", "?"), ("view", "?")])


def visit_hits(person: NDArray[np.int32], hits: Hits) -> NDArray[Any]:
    """What of hits matters for visits (HIT)."""
    found = np.empty(len(hits), HIT)
    page, status = hits["page"], hits["status"]
    found["person"], found["ts_ms"], found["place"] = person, hits["ts_ms"], _PLACE[page]
    found["client_error"] = status // 100 == 4
    found["view"] = _IS_PAGE[page] & (hits["method"] != HEAD) & (status < 400)
    return found


@dataclass
class _Visits:
    """Columns of the same length; places into ``_BY_NAME``, -1 without a page view. ``hits`` 0: no visit."""

    begun_ms: Ints
    ended_ms: Ints
    hits: Ints
    client_errors: Ints
    views: Ints
    entry: Ints
    exit: Ints

    @classmethod
    def none(cls, size: int) -> Self:
        return cls(*(np.zeros(size, np.int64) for _ in fields(cls)))

    def at(self, which: NDArray[Any]) -> _Visits:
        return _Visits(*(getattr(self, column.name)[which] for column in fields(self)))

    def put(self, which: NDArray[Any], visits: _Visits) -> None:
        for column in fields(self):
            getattr(self, column.name)[which] = getattr(visits, column.name)

    def followed_by(self, later: _Visits) -> _Visits:
        return _Visits(
            self.begun_ms,
            later.ended_ms,
            self.hits + later.hits,
            self.client_errors + later.client_errors,
            self.views + later.views,
            np.where(self.entry >= 0, self.entry, later.entry),
            np.where(later.exit >= 0, later.exit, self.exit),
        )


class _Day:
    def __init__(self) -> None:
        self.measures = np.zeros((len(AGENT_CLASSES), len(MEASURES)), np.int64)
        self.entries = np.zeros(len(PATHS), np.int64)
        self.exits = np.zeros(len(PATHS), np.int64)


class VisitCount:
    """Visits by day. Each person has at most one visit that may still go on."""

    def __init__(self, class_of_person: NDArray[Any]) -> None:
        self._class = class_of_person
        self._open = _Visits.none(len(class_of_person))
        self._days: dict[int, _Day] = {}

    def add(self, hits: NDArray[Any]) -> None:
        """Hits (HIT) in any order, none older than one added before."""
        if not len(hits):
            return
        hits = hits[np.lexsort((hits["place"], hits["ts_ms"], hits["person"]))]
        person, ts_ms = hits["person"], hits["ts_ms"]
        begins = np.ones(len(hits), bool)
        begins[1:] = (person[1:] != person[:-1]) | _apart(ts_ms[:-1], ts_ms[1:])
        at = np.flatnonzero(begins)
        number, view, place = np.arange(len(hits)), hits["view"], hits["place"].astype(np.int64)
        views = np.add.reduceat(view.astype(np.int64), at)
        first = np.minimum.reduceat(np.where(view, number, len(hits) - 1), at)
        last = np.maximum.reduceat(np.where(view, number, 0), at)
        visits = _Visits(
            begun_ms=ts_ms[at],
            ended_ms=ts_ms[np.append(at[1:], len(hits)) - 1],
            hits=np.diff(np.append(at, len(hits))),
            client_errors=np.add.reduceat(hits["client_error"].astype(np.int64), at),
            views=views,
            entry=np.where(views > 0, place[first], -1),
            exit=np.where(views > 0, place[last], -1),
        )
        who = person[at]
        # A person's first visit here may go on with the open one; all but the last are over.
        first_of_person = np.flatnonzero(np.diff(who, prepend=-1))
        before = self._open.at(who[first_of_person])
        came = before.hits > 0
        joins = came & ~_apart(before.ended_ms, visits.begun_ms[first_of_person])
        self._close(who[first_of_person][came & ~joins], before.at(came & ~joins))
        grown = first_of_person[joins]
        visits.put(grown, before.at(joins).followed_by(visits.at(grown)))
        last_of_person = np.append(first_of_person[1:], len(who)) - 1
        over = np.ones(len(who), bool)
        over[last_of_person] = False
        self._close(who[over], visits.at(over))
        self._open.put(who[last_of_person], visits.at(last_of_person))

    def end(self) -> None:
        """Nothing comes any more: what is open is over."""
        who = np.flatnonzero(self._open.hits)
        self._close(who, self._open.at(who))
        self._open.hits[:] = 0

    def _close(self, who: NDArray[Any], visits: _Visits) -> None:
        counts = visits.hits > visits.client_errors
        who, visits = who[counts], visits.at(counts)
        behaves = (visits.client_errors >= SCANNER_LEAST_ERRORS) & (
            visits.client_errors * SCANNER_ERROR_SHARE >= visits.hits
        )
        kind = np.where(behaves, AGENT_CLASSES.index(SCANNER), self._class[who])
        days = visits.begun_ms // DAY_MS
        for number in np.unique(days).tolist():
            day, of_day = self._days.setdefault(number, _Day()), visits.at(days == number)
            for column, values in enumerate(
                (
                    np.ones(len(of_day.hits), np.int64),
                    (of_day.views <= 1).astype(np.int64),
                    of_day.views,
                    of_day.ended_ms - of_day.begun_ms,
                )
            ):
                np.add.at(day.measures[:, column], kind[days == number], values)
            viewed = of_day.views > 0
            np.add.at(day.entries, of_day.entry[viewed], 1)
            np.add.at(day.exits, of_day.exit[viewed], 1)

    def of_day(self, number: int) -> dict[str, Any]:
        """Visits of a UTC day (days since 1970): totals, the same by agent class, entry and exit pages."""
        day = self._days.get(number, _Day())
        return {
            **_named(day.measures.sum(axis=0)),
            "visits_by_class": {
                name: _named(row) for name, row in zip(AGENT_CLASSES, day.measures, strict=True) if row[0]
            },
            "entry_pages": {name: count for name, count in zip(_BY_NAME, day.entries.tolist(), strict=True) if count},
            "exit_pages": {name: count for name, count in zip(_BY_NAME, day.exits.tolist(), strict=True) if count},
        }


def _named(measures: Ints) -> dict[str, int]:
    return dict(zip(MEASURES, measures.tolist(), strict=True))


def _apart(earlier_ms: Ints, later_ms: Ints) -> NDArray[np.bool_]:
    """Whether hits of one person at these times belong to different visits."""
    months = (at_ms.astype("datetime64[ms]").astype("datetime64[M]") for at_ms in (earlier_ms, later_ms))
    return np.asarray((later_ms - earlier_ms > LONGEST_PAUSE_MS) | np.not_equal(*months), dtype=bool)

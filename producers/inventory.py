"""What the reports must show of a generator run: the totals of every hour, counted while the run sends.

Counted from the arrays the records are made of, per hour of the hits' own time. A duplicate adds nothing but
its own count, nor does a malformed record. Memory is bounded: who visited an hour is one bit a person, and only
for hours that late hits can still reach; older hours keep the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from iptocc import country_code
from numpy.typing import NDArray

from producers.audience import Audience
from producers.generator_run import Run
from producers.site_model import PAGES
from producers.traffic import MOST_LATE_MS, MOST_OUT_OF_ORDER_MS, SERVER_THAT_KNOWS_COUNTRIES, Hits

MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
INJECTED = ("late", "out_of_order", "duplicate", "malformed")
STATUS_CLASSES = ("1", "2", "3", "4", "5")
HOUR_MS = 3_600_000

Cells = NDArray[np.int64]  # [cell of a dimension, measure]


class _Hour:
    def __init__(self, countries: int, people: int) -> None:
        self.pages: Cells = np.zeros((len(PAGES), len(MEASURES)), np.int64)
        self.countries: Cells = np.zeros((countries, len(MEASURES)), np.int64)
        self.statuses: Cells = np.zeros((len(STATUS_CLASSES), len(MEASURES)), np.int64)
        self.injected = np.zeros(len(INJECTED), np.int64)
        self.visited: NDArray[np.bool_] | None = np.zeros(people, bool)
        self.visitors = 0

    def count_visitors(self) -> int:
        return self.visitors if self.visited is None else int(self.visited.sum())

    def close(self) -> None:
        self.visitors, self.visited = self.count_visitors(), None


def _sums(cells: Cells, cell: NDArray[Any], measures: list[NDArray[np.float64] | None]) -> None:
    """Add each measure to its cells. Floats hold the sums of one chunk exactly (far below 2^53)."""
    for column, values in enumerate(measures):
        cells[:, column] += np.bincount(cell, values, minlength=len(cells)).astype(np.int64)


class Inventory:
    """Totals by hour, page, country and status class of what has been handed over for sending."""

    def __init__(self, run: Run, audience: Audience) -> None:
        self._run, self._audience = run, audience
        self._hours: dict[int, _Hour] = {}
        self._records = 0
        self._unreadable = 0
        self._last_seq = np.zeros(len(run.sources), np.int64)
        # The country the stream will find: what the edge says, else what the address resolves to.
        looked_up = [code or "" for code in country_code(audience.addresses)]
        self._country_names = tuple(dict.fromkeys([*audience.countries, *looked_up]))
        number = {name: index for index, name in enumerate(self._country_names)}
        self._looked_up = np.array([number[code] for code in looked_up], np.int16)

    def add(self, hits: Hits) -> None:
        """Count records that were sent, in the order of sending."""
        if not len(hits):
            return
        self._records += len(hits)
        self._unreadable += int((hits["seq"] == 0).sum())
        np.maximum.at(self._last_seq, hits["server"], hits["seq"])
        hours = hits["ts_ms"] // HOUR_MS
        for hour in np.unique(hours).tolist():
            self._add_to_hour(self._hour(hour), hits[hours == hour])
        reachable = (int(hits["due_ms"][-1]) - MOST_LATE_MS - MOST_OUT_OF_ORDER_MS) // HOUR_MS
        for hour, totals in self._hours.items():
            if hour < reachable and totals.visited is not None:
                totals.close()

    def _hour(self, hour: int) -> _Hour:
        if hour not in self._hours:
            self._hours[hour] = _Hour(len(self._country_names), len(self._audience.addresses))
        return self._hours[hour]

    def _add_to_hour(self, hour: _Hour, hits: Hits) -> None:
        broken = hits["malformed"] > 0
        hour.injected += np.array(
            [hits["late"].sum(), hits["out_of_order"].sum(), hits["duplicate"].sum(), broken.sum()]
        )
        hits = hits[~broken & ~hits["duplicate"]]
        status_class = hits["status"] // 100
        measured = hits["latency_us"] >= 0
        measures = [
            None,  # counts
            hits["bytes"].astype(np.float64),
            (status_class == 4).astype(np.float64),
            (status_class == 5).astype(np.float64),
            np.where(measured, hits["latency_us"], 0).astype(np.float64),
            measured.astype(np.float64),
        ]
        visitor = hits["visitor"]
        known = hits["server"] == SERVER_THAT_KNOWS_COUNTRIES
        edge = self._audience.country_index[visitor]
        stated = known & (edge != self._country_names.index(""))
        _sums(hour.pages, hits["page"], measures)
        _sums(hour.countries, np.where(stated, edge, self._looked_up[visitor]), measures)
        _sums(hour.statuses, status_class - 1, measures)
        if hour.visited is not None:  # of a closed hour only duplicates still come
            hour.visited[self._audience.person[visitor]] = True
        elif len(hits):
            raise ValueError(f"a hit came later than {MOST_LATE_MS} ms, its hour is closed")

    def as_document(self, complete: bool) -> dict[str, Any]:
        """The inventory as JSON. ``complete``: every record counted here was acknowledged by the broker."""
        totals, injected = np.zeros(len(MEASURES), np.int64), np.zeros(len(INJECTED), np.int64)
        for hour in self._hours.values():
            totals += hour.statuses.sum(axis=0)
            injected += hour.injected
        return {
            "run": self._run.id,
            "site": self._run.site,
            "complete": complete,
            "records": self._records,
            "unreadable": self._unreadable,
            "totals": _named(totals),
            "injected": dict(zip(INJECTED, injected.tolist(), strict=True)),
            "sources": dict(zip(self._run.sources, self._last_seq.tolist(), strict=True)),
            "hours": [self._hour_document(hour, self._hours[hour]) for hour in sorted(self._hours)],
        }

    def _hour_document(self, hour: int, totals: _Hour) -> dict[str, Any]:
        return {
            "site": self._run.site,
            "hour_start": datetime.fromtimestamp(hour * HOUR_MS / 1000, UTC),
            **_named(totals.statuses.sum(axis=0)),
            "visitors": totals.count_visitors(),
            "pages": _cells(PAGES, totals.pages),
            "countries": _cells(self._country_names, totals.countries),
            "status_classes": _cells(STATUS_CLASSES, totals.statuses),
            "injected": dict(zip(INJECTED, totals.injected.tolist(), strict=True)),
        }


def _named(measures: NDArray[np.int64]) -> Mapping[str, int]:
    return dict(zip(MEASURES, measures.tolist(), strict=True))


def _cells(names: tuple[str, ...], cells: Cells) -> dict[str, Mapping[str, int]]:
    return {name: _named(row) for name, row in zip(names, cells, strict=True) if row[0]}

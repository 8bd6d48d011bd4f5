"""What an inventory knows of one hour: its cells, who came, how long answers took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from producers.hits import Hits
from producers.inventory_dimensions import Codes, Dimensions
from producers.inventory_visits import HIT as VISIT_HIT
from producers.inventory_visits import visit_hits
from producers.site_model import PATHS
from producers.user_agents import AGENT_CLASSES

MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
DIMENSION_MEASURES = MEASURES[:4]
INJECTED = ("late", "out_of_order", "duplicate", "malformed")
STATUS_CLASSES = ("1", "2", "3", "4", "5")
PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}

Cells = NDArray[np.int64]  # [cell of a dimension, measure]
_LATENCY = np.dtype([("page", "i2"), ("us", "i4")])


class Crowd:
    """Who came in a time: one bit a person while somebody may still be added, then the numbers by agent class."""

    def __init__(self, class_of_person: NDArray[Any]) -> None:
        self._class = class_of_person
        self._came: NDArray[np.bool_] | None = np.zeros(len(class_of_person), bool)
        self._by_class: list[int] = []

    def add(self, persons: NDArray[Any]) -> None:
        """Raises ValueError when the time is closed."""
        if self._came is not None:
            self._came[persons] = True
        elif len(persons):
            raise ValueError("somebody came in a time that is closed")

    def close(self) -> None:
        if self._came is not None:
            self._by_class, self._came = self.by_class(), None

    def by_class(self) -> list[int]:
        if self._came is None:
            return self._by_class
        return [int(number) for number in np.bincount(self._class[self._came], minlength=len(AGENT_CLASSES))]

    def as_document(self) -> dict[str, Any]:
        numbers = dict(zip(AGENT_CLASSES, self.by_class(), strict=True))
        return {
            "visitors": sum(numbers.values()),
            "visitors_by_class": {name: number for name, number in numbers.items() if number},
        }


class HourTotals:
    """Totals of an hour. Until it is closed it keeps each hit's latency and what visits need of it: 22 bytes."""

    def __init__(self, dimensions: Dimensions) -> None:
        def cells(names: tuple[str, ...], measures: tuple[str, ...] = MEASURES) -> Cells:
            return np.zeros((len(names), len(measures)), np.int64)

        self._names = dimensions
        self._pages, self._countries = cells(PATHS), cells(dimensions.countries)
        self._statuses = cells(STATUS_CLASSES)
        self._dimensions = {name: cells(values, DIMENSION_MEASURES) for name, values in dimensions.names.items()}
        self._latencies: list[NDArray[Any]] = []
        self._visit_hits: list[NDArray[Any]] = []
        self._percentiles: dict[str, Any] = {}
        self.injected = np.zeros(len(INJECTED), np.int64)
        self.crowd = Crowd(dimensions.class_of_visitor)
        self.closed = False

    @property
    def measures(self) -> NDArray[np.int64]:
        return np.asarray(self._statuses.sum(axis=0))

    def add(self, hits: Hits, person: NDArray[np.int32], country: Codes, codes: Mapping[str, Codes]) -> None:
        """Count accepted hits of the hour; ``country`` and ``codes`` are their places in ``Dimensions``."""
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
        _sums(self._pages, hits["page"], measures)
        _sums(self._countries, country, measures)
        _sums(self._statuses, status_class - 1, measures)
        for name, code in codes.items():
            _sums(self._dimensions[name], code, measures[: len(DIMENSION_MEASURES)])
        self.crowd.add(person[status_class != 4])
        latencies = np.empty(int(measured.sum()), _LATENCY)
        latencies["page"], latencies["us"] = hits["page"][measured], hits["latency_us"][measured]
        self._latencies.append(latencies)
        self._visit_hits.append(visit_hits(person, hits))

    def close(self) -> NDArray[Any]:
        """No hit of this hour comes any more; gives what visits need of its hits (inventory_visits.HIT)."""
        self.crowd.close()
        self._percentiles = _percentiles(np.concatenate([np.empty(0, _LATENCY), *self._latencies]))
        found = np.concatenate([np.empty(0, VISIT_HIT), *self._visit_hits])
        self.closed, self._latencies, self._visit_hits = True, [], []
        return found

    def as_document(self) -> dict[str, Any]:
        return {
            **named(MEASURES, self.measures),
            **self.crowd.as_document(),
            "pages": _cells(MEASURES, PATHS, self._pages),
            "countries": _cells(MEASURES, self._names.countries, self._countries),
            "status_classes": _cells(MEASURES, STATUS_CLASSES, self._statuses),
            "dimensions": {
                name: _cells(DIMENSION_MEASURES, self._names.names[name], cells)
                for name, cells in self._dimensions.items()
            },
            **self._percentiles,
            "injected": named(INJECTED, self.injected),
        }


def _percentiles(latencies: NDArray[Any]) -> dict[str, Any]:
    """Exact percentiles of all, and of each page: the value at place floor(q * (n - 1)) of n in order, from 0."""
    ordered = latencies[np.lexsort((latencies["us"], latencies["page"]))]
    pages, begins = np.unique(ordered["page"], return_index=True)
    parts = np.split(ordered["us"], begins[1:]) if len(ordered) else []
    return {
        "latency_us": _places(np.sort(latencies["us"])),
        "page_latency_us": {PATHS[page]: _places(part) for page, part in zip(pages.tolist(), parts, strict=True)},
    }


def _places(ordered: NDArray[Any]) -> dict[str, int]:
    if not len(ordered):
        return {}
    last = len(ordered) - 1
    found = {name: int(ordered[last * percent // 100]) for name, percent in PERCENTILES.items()}
    return found | {"max": int(ordered[last])}


def _sums(cells: Cells, cell: Codes, measures: list[NDArray[np.float64] | None]) -> None:
    """Add each measure to its cells; a cell -1 is none. Floats hold the sums of one lot exactly (far below 2^53)."""
    there = cell >= 0
    if not there.all():
        cell, measures = cell[there], [None if values is None else values[there] for values in measures]
    for column, values in enumerate(measures):
        cells[:, column] += np.bincount(cell, values, minlength=len(cells)).astype(np.int64)


def named(names: tuple[str, ...], values: NDArray[np.int64]) -> dict[str, int]:
    return dict(zip(names, values.tolist(), strict=True))


def _cells(measures: tuple[str, ...], names: tuple[str, ...], cells: Cells) -> dict[str, dict[str, int]]:
    return {name: named(measures, row) for name, row in zip(names, cells, strict=True) if row[0]}

"""What the reports must show of a generator run, counted while it sends and from the generator's own knowledge.

Counted from the arrays the records are made of, by the hits' own time. A duplicate adds nothing but its own count,
nor does a malformed record. docs/generator.md describes the document.

Memory is bounded: who came in an hour, how long each answer took and which hits belong to a visit is kept only as
long as late hits can reach that hour (22 bytes a hit of the last six hours); after that the numbers stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from iptocc import country_code
from numpy.typing import NDArray

from producers.hits import MOST_LATE_MS, MOST_OUT_OF_ORDER_MS, SERVER_THAT_KNOWS_COUNTRIES, Hits
from producers.inventory_dimensions import Codes, Dimensions
from producers.inventory_visits import DAY_MS, VisitCount, visit_hits
from producers.inventory_visits import HIT as VISIT_HIT
from producers.site_model import PATHS
from producers.traffic import Traffic
from producers.user_agents import AGENT_CLASSES

MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
DIMENSION_MEASURES = MEASURES[:4]
INJECTED = ("late", "out_of_order", "duplicate", "malformed")
STATUS_CLASSES = ("1", "2", "3", "4", "5")
PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
HOUR_MS = 3_600_000
COUNTED_AT_ONCE = 20_000

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
            raise ValueError(f"a hit came later than {MOST_LATE_MS} ms, its hour is closed")

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


class _Hour:
    def __init__(self, countries: int, dimensions: Dimensions, crowd: Crowd) -> None:
        self.pages: Cells = np.zeros((len(PATHS), len(MEASURES)), np.int64)
        self.countries: Cells = np.zeros((countries, len(MEASURES)), np.int64)
        self.statuses: Cells = np.zeros((len(STATUS_CLASSES), len(MEASURES)), np.int64)
        self.dimensions: dict[str, Cells] = {
            name: np.zeros((len(values), len(DIMENSION_MEASURES)), np.int64)
            for name, values in dimensions.names.items()
        }
        self.injected = np.zeros(len(INJECTED), np.int64)
        self.crowd = crowd
        self.latencies: list[NDArray[Any]] | None = []
        self.percentiles: dict[str, Any] = {}

    def close(self) -> None:
        self.crowd.close()
        if self.latencies is not None:
            self.percentiles = _percentiles(np.concatenate([np.empty(0, _LATENCY), *self.latencies]))
            self.latencies = None


def _percentiles(latencies: NDArray[Any]) -> dict[str, Any]:
    """Exact percentiles of all, and of each page: the value at place floor(q * (n - 1)) of n in order, from 0."""
    ordered = latencies[np.lexsort((latencies["us"], latencies["page"]))]
    pages, begins = np.unique(ordered["page"], return_index=True)
    return {
        "latency_us": _places(np.sort(latencies["us"])),
        "page_latency_us": {
            PATHS[page]: _places(part)
            for page, part in zip(pages.tolist(), np.split(ordered["us"], begins[1:]), strict=True)
        }
        if len(ordered)
        else {},
    }


def _places(ordered: NDArray[Any]) -> dict[str, int]:
    if not len(ordered):
        return {}
    last = len(ordered) - 1
    return {name: int(ordered[last * percent // 100]) for name, percent in PERCENTILES.items()} | {
        "max": int(ordered[last])
    }


def _sums(cells: Cells, cell: Codes, measures: list[NDArray[np.float64] | None]) -> None:
    """Add each measure to its cells; a cell -1 is none. Floats hold the sums of one lot exactly (far below 2^53)."""
    there = cell >= 0
    if not there.all():
        cell, measures = cell[there], [None if values is None else values[there] for values in measures]
    for column, values in enumerate(measures):
        cells[:, column] += np.bincount(cell, values, minlength=len(cells)).astype(np.int64)


class Inventory:
    """Totals of what has been handed over for sending."""

    def __init__(self, traffic: Traffic) -> None:
        self._run, self._audience, self._incidents = traffic.run, traffic.audience, traffic.incidents
        self._dimensions = Dimensions(self._audience)
        self._class = self._dimensions.class_of_visitor
        self._waiting: list[Hits] = []  # not counted yet
        self._number_waiting = 0
        self._hours: dict[int, _Hour] = {}
        self._days: dict[int, Crowd] = {}
        self._months: dict[str, Crowd] = {}
        self._whole = Crowd(self._class)
        self._visits = VisitCount(self._class)
        self._visit_hits = np.empty(0, VISIT_HIT)  # that late ones may still precede
        self._final_before_ms = 0
        self._ended = False
        self._records = 0
        self._unreadable = 0
        self._last_seq = np.zeros(len(self._run.sources), np.int64)
        self._added, self._failed = np.zeros(1, np.int64), np.zeros(1, np.int64)  # hits by number of the incident
        # The country the stream will find: what the edge says, else what the address resolves to.
        looked_up = [code or "" for code in country_code(self._audience.addresses)]
        self._country_names = tuple(dict.fromkeys([*self._audience.countries, *looked_up]))
        number = {name: index for index, name in enumerate(self._country_names)}
        self._looked_up = np.array([number[code] for code in looked_up], np.int16)

    def add(self, hits: Hits) -> None:
        """Count records that were sent, in the order of sending."""
        self._waiting.append(hits)
        self._number_waiting += len(hits)
        if self._number_waiting >= COUNTED_AT_ONCE:
            self._count()

    def end(self) -> None:
        """Nothing is sent any more: hours and visits that were open are over. Raises ValueError as ``add``."""
        self._count()
        self._settle(None)
        self._visits.end()
        self._ended = True

    def _count(self) -> None:
        """Count what waits. Raises ValueError for a hit that is later than hits can be."""
        if not self._number_waiting:
            return
        hits = np.concatenate(self._waiting)
        self._waiting, self._number_waiting = [], 0
        self._records += len(hits)
        self._unreadable += int((hits["seq"] == 0).sum())
        np.maximum.at(self._last_seq, hits["server"], hits["seq"])
        hours = hits["ts_ms"] // HOUR_MS
        broken = hits["malformed"] > 0
        kinds = [hits["late"], hits["out_of_order"], hits["duplicate"], broken]
        for hour in np.unique(hours).tolist():
            self._hour(hour).injected += np.array([(kind & (hours == hour)).sum() for kind in kinds])
        self._count_accepted(hits[~broken & ~hits["duplicate"]])
        # Without late hits only those out of order come after their time.
        reach_ms = MOST_OUT_OF_ORDER_MS + (MOST_LATE_MS if self._run.late else 0)
        self._settle(int(hits["due_ms"][-1]) - reach_ms)

    def _count_accepted(self, hits: Hits) -> None:
        if len(hits) and int(hits["ts_ms"].min()) < self._final_before_ms:
            raise ValueError(f"a hit came later than {MOST_LATE_MS} ms, its hour is closed")
        hours = hits["ts_ms"] // HOUR_MS
        person = self._audience.person[hits["visitor"]]
        welcome = hits["status"] // 100 != 4
        codes = self._dimensions.codes(hits)
        for hour in np.unique(hours).tolist():
            mine = hours == hour
            self._add_to_hour(self._hour(hour), hits[mine], {name: code[mine] for name, code in codes.items()})
            came = person[mine & welcome]
            self._hour(hour).crowd.add(came)
            self._days.setdefault(hour * HOUR_MS // DAY_MS, Crowd(self._class)).add(came)
            self._months.setdefault(f"{_utc(hour * HOUR_MS):%Y-%m}", Crowd(self._class)).add(came)
            self._whole.add(came)
        found = visit_hits(person, hits["ts_ms"], hits["page"], hits["method"], hits["status"])
        self._visit_hits = np.concatenate([self._visit_hits, found])
        size = len(self._incidents.met) + 1
        for column, counts in (("added_by", self._added), ("failed_by", self._failed)):
            new = np.bincount(hits[column], minlength=size)
            new[: len(counts)] += counts
            if column == "added_by":
                self._added = new
            else:
                self._failed = new

    def _settle(self, before_ms: int | None) -> None:
        """No hit older than ``before_ms`` comes any more (None: no hit at all)."""
        final = np.ones(len(self._visit_hits), bool) if before_ms is None else self._visit_hits["ts_ms"] < before_ms
        self._visits.add(self._visit_hits[final])
        self._visit_hits = self._visit_hits[~final]
        if before_ms is not None:
            self._final_before_ms = max(self._final_before_ms, before_ms)
        for hour, totals in self._hours.items():
            if before_ms is None or (hour + 1) * HOUR_MS <= before_ms:
                totals.close()
        for day, crowd in self._days.items():
            if before_ms is None or (day + 1) * DAY_MS <= before_ms:
                crowd.close()

    def _hour(self, hour: int) -> _Hour:
        if hour not in self._hours:
            self._hours[hour] = _Hour(len(self._country_names), self._dimensions, Crowd(self._class))
        return self._hours[hour]

    def _add_to_hour(self, hour: _Hour, hits: Hits, codes: Mapping[str, Codes]) -> None:
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
        for name, code in codes.items():
            _sums(hour.dimensions[name], code, measures[: len(DIMENSION_MEASURES)])
        if hour.latencies is not None:
            latencies = np.empty(int(measured.sum()), _LATENCY)
            latencies["page"], latencies["us"] = hits["page"][measured], hits["latency_us"][measured]
            hour.latencies.append(latencies)

    def as_document(self, complete: bool) -> dict[str, Any]:
        """The inventory as JSON. ``complete``: every record counted here was acknowledged by the broker."""
        self._count()
        totals, injected = np.zeros(len(MEASURES), np.int64), np.zeros(len(INJECTED), np.int64)
        for hour in self._hours.values():
            totals += hour.statuses.sum(axis=0)
            injected += hour.injected
        return {
            "run": self._run.id,
            "site": self._run.site,
            "complete": complete,
            "ended": self._ended,
            "records": self._records,
            "unreadable": self._unreadable,
            "totals": _named(MEASURES, totals),
            **self._whole.as_document(),
            "injected": dict(zip(INJECTED, injected.tolist(), strict=True)),
            "incidents": self._incident_documents(),
            "sources": dict(zip(self._run.sources, self._last_seq.tolist(), strict=True)),
            "months": [{"month": month, **self._months[month].as_document()} for month in sorted(self._months)],
            "days": [self._day_document(day) for day in sorted(self._days)],
            "hours": [self._hour_document(hour, self._hours[hour]) for hour in sorted(self._hours)],
        }

    def _incident_documents(self) -> list[dict[str, Any]]:
        found = []
        for number, incident in enumerate(self._incidents.met, 1):
            found.append(
                {
                    "kind": incident.kind,
                    "start": _utc(incident.start_ms),
                    "end": _utc(incident.end_ms),
                    "size": incident.size,
                    "page": incident.page or None,
                    "hits_added": int(self._added[number]) if number < len(self._added) else 0,
                    "hits_removed": self._incidents.removed[number - 1],
                    "hits_failed": int(self._failed[number]) if number < len(self._failed) else 0,
                }
            )
        return sorted(found, key=lambda incident: incident["start"])

    def _day_document(self, day: int) -> dict[str, Any]:
        return {
            "site": self._run.site,
            "day_start": _utc(day * DAY_MS),
            **self._days[day].as_document(),
            **(self._visits.of_day(day) if self._ended else {}),
        }

    def _hour_document(self, hour: int, totals: _Hour) -> dict[str, Any]:
        names = self._dimensions.names
        return {
            "site": self._run.site,
            "hour_start": _utc(hour * HOUR_MS),
            **_named(MEASURES, totals.statuses.sum(axis=0)),
            **totals.crowd.as_document(),
            "pages": _cells(MEASURES, PATHS, totals.pages),
            "countries": _cells(MEASURES, self._country_names, totals.countries),
            "status_classes": _cells(MEASURES, STATUS_CLASSES, totals.statuses),
            "dimensions": {
                name: _cells(DIMENSION_MEASURES, names[name], cells) for name, cells in totals.dimensions.items()
            },
            **totals.percentiles,
            "injected": dict(zip(INJECTED, totals.injected.tolist(), strict=True)),
        }


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _named(names: tuple[str, ...], measures: NDArray[np.int64]) -> Mapping[str, int]:
    return dict(zip(names, measures.tolist(), strict=True))


def _cells(measures: tuple[str, ...], names: tuple[str, ...], cells: Cells) -> dict[str, Mapping[str, int]]:
    return {name: _named(measures, row) for name, row in zip(names, cells, strict=True) if row[0]}

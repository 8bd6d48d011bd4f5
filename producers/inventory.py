"""What the reports must show of a generator run, counted while it sends and from the generator's own knowledge.

Counted from the arrays the records are made of, by the hits' own time. A duplicate adds nothing but its own count,
nor does a malformed record. docs/generator.md describes the document.

Memory is bounded: who came, how long answers took and which hits belong to a visit is kept only as long as late hits
can reach the hour; after that the numbers stay.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from producers.hits import MOST_LATE_MS, MOST_OUT_OF_ORDER_MS, Hits
from producers.inventory_dimensions import Dimensions
from producers.inventory_hour import INJECTED, MEASURES, Crowd, HourTotals, named
from producers.inventory_visits import DAY_MS, VisitCount
from producers.traffic import Traffic

HOUR_MS = 3_600_000
COUNTED_AT_ONCE = 20_000


class Inventory:
    """Totals of what has been handed over for sending."""

    def __init__(self, traffic: Traffic) -> None:
        self._run, self._audience, self._incidents = traffic.run, traffic.audience, traffic.incidents
        self._dimensions = Dimensions(self._audience)
        self._waiting: list[Hits] = []  # not counted yet
        self._number_waiting = 0
        class_of_person = self._dimensions.class_of_visitor
        self._hours: dict[int, HourTotals] = defaultdict(lambda: HourTotals(self._dimensions))
        self._days: dict[int, Crowd] = defaultdict(lambda: Crowd(class_of_person))
        self._months: dict[str, Crowd] = defaultdict(lambda: Crowd(class_of_person))
        self._whole = Crowd(class_of_person)
        self._visits = VisitCount(class_of_person)
        self._closed_before_ms = 0
        self._ended = False
        self._records = 0
        self._unreadable = 0
        self._last_seq = np.zeros(len(self._run.sources), np.int64)
        self._added, self._failed = np.zeros(1, np.int64), np.zeros(1, np.int64)  # hits by number of the incident

    def add(self, hits: Hits) -> None:
        """Count records that were sent, in the order of sending. Raises ValueError for one later than any can be."""
        self._waiting.append(hits)
        self._number_waiting += len(hits)
        if self._number_waiting >= COUNTED_AT_ONCE:
            self._count()

    def end(self) -> None:
        """Nothing is sent any more: hours and visits that were open are over. Raises ValueError as ``add``."""
        self._count()
        self._close_until(None)
        self._visits.end()
        self._ended = True

    def _count(self) -> None:
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
            self._hours[hour].injected += np.array([(kind & (hours == hour)).sum() for kind in kinds])
        self._count_accepted(hits[~broken & ~hits["duplicate"]])
        # Without late hits only those out of order come after their time.
        reach_ms = MOST_OUT_OF_ORDER_MS + (MOST_LATE_MS if self._run.late else 0)
        self._close_until(int(hits["due_ms"][-1]) - reach_ms)

    def _count_accepted(self, hits: Hits) -> None:
        if len(hits) and int(hits["ts_ms"].min()) < self._closed_before_ms:
            raise ValueError(f"a hit came later than {MOST_LATE_MS} ms, its hour is closed")
        hours = hits["ts_ms"] // HOUR_MS
        person = self._audience.person[hits["visitor"]]
        welcome = hits["status"] // 100 != 4
        codes, country = self._dimensions.codes(hits), self._dimensions.country(hits)
        for hour in np.unique(hours).tolist():
            mine = hours == hour
            self._hours[hour].add(
                hits[mine], person[mine], country[mine], {name: code[mine] for name, code in codes.items()}
            )
            came = person[mine & welcome]
            self._days[hour * HOUR_MS // DAY_MS].add(came)
            self._months[f"{_utc(hour * HOUR_MS):%Y-%m}"].add(came)
            self._whole.add(came)
        self._added = _more(self._added, hits["added_by"])
        self._failed = _more(self._failed, hits["failed_by"])

    def _close_until(self, before_ms: int | None) -> None:
        """No hit older than ``before_ms`` comes any more (None: no hit at all)."""
        for hour in sorted(self._hours):
            totals = self._hours[hour]
            if not totals.closed and (before_ms is None or (hour + 1) * HOUR_MS <= before_ms):
                self._visits.add(totals.close())
        for day, crowd in self._days.items():
            if before_ms is None or (day + 1) * DAY_MS <= before_ms:
                crowd.close()
        if before_ms is not None:
            self._closed_before_ms = max(self._closed_before_ms, before_ms // HOUR_MS * HOUR_MS)

    def as_document(self, complete: bool) -> dict[str, Any]:
        """The inventory as JSON. ``complete``: every record counted here was acknowledged by the broker."""
        self._count()
        totals, injected = np.zeros(len(MEASURES), np.int64), np.zeros(len(INJECTED), np.int64)
        for hour in self._hours.values():
            totals += hour.measures
            injected += hour.injected
        site = self._run.site
        return {
            "run": self._run.id,
            "site": site,
            "complete": complete,
            "ended": self._ended,
            "records": self._records,
            "unreadable": self._unreadable,
            "totals": named(MEASURES, totals),
            **self._whole.as_document(),
            "injected": named(INJECTED, injected),
            "incidents": self._incident_documents(),
            "sources": dict(zip(self._run.sources, self._last_seq.tolist(), strict=True)),
            "months": [{"month": month, **self._months[month].as_document()} for month in sorted(self._months)],
            "days": [
                {"site": site, "day_start": _utc(day * DAY_MS)}
                | self._days[day].as_document()
                | (self._visits.of_day(day) if self._ended else {})
                for day in sorted(self._days)
            ],
            "hours": [
                {"site": site, "hour_start": _utc(hour * HOUR_MS)} | self._hours[hour].as_document()
                for hour in sorted(self._hours)
            ],
        }

    def _incident_documents(self) -> list[dict[str, Any]]:
        """The incidents that the traffic has met, in order of their start."""
        size = len(self._incidents.met) + 1
        added, failed = (np.pad(counts, (0, size - len(counts))) for counts in (self._added, self._failed))
        found: list[dict[str, Any]] = [
            {
                "kind": incident.kind,
                "start": _utc(incident.start_ms),
                "end": _utc(incident.end_ms),
                "size": incident.size,
                "page": incident.page or None,
                "hits_added": int(added[number]),
                "hits_removed": self._incidents.removed[number - 1],
                "hits_failed": int(failed[number]),
            }
            for number, incident in enumerate(self._incidents.met, 1)
        ]
        return sorted(found, key=lambda incident: incident["start"])


def _more(counts: NDArray[np.int64], numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Counts by number, with those of ``numbers`` added."""
    new = np.bincount(numbers, minlength=len(counts))
    new[: len(counts)] += counts
    return new


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)

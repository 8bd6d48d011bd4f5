"""The run's traffic as arrays: sessions become hits in the order of sending, with the injected faults.

Everything is drawn from generators seeded with (seed, site, phase, slice number), so the same run is the same
array on every start, and nothing here knows the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from producers import site_model as site
from producers.audience import Audience, audience
from producers.generator_run import SERVERS, Run
from producers.hits import HIT, LEAST_LATE_MS, MOST_DUPLICATE_DELAY_MS, MOST_LATE_MS, MOST_OUT_OF_ORDER_MS, Hits
from producers.incident_traffic import IncidentTraffic
from producers.malformed import FAULTS, READABLE
from producers.sessions import Sessions

HITS_OF_A_SLICE = 20_000


@dataclass(frozen=True)
class Phase:
    """A stretch of time with one rate; ``end_ms`` None: without end."""

    number: int
    begin_ms: int
    end_ms: int | None
    rate: float
    rhythm: bool

    @property
    def slice_ms(self) -> int:
        return int(min(max(HITS_OF_A_SLICE / self.rate, 1.0), 1800.0)) * 1000


class Traffic:
    """All hits of a run, a slice of time at a time."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._entropy = (run.seed, crc32(run.site.encode()))
        self.audience: Audience = audience(np.random.default_rng(self._entropy), run.visitors)
        self._sessions = Sessions(self.audience)
        self.incidents = IncidentTraffic(run, self._sessions, self._entropy)
        self._last_seq = np.zeros(SERVERS, np.int64)
        self._to_repeat = np.empty(0, HIT)  # duplicates whose time has not come

    def slices(self, live_ms: int | None) -> Iterator[Hits]:
        """Hits in the order of sending: history, then ``live_ms`` of live traffic (None: without end). Once only.

        Duplicates that are due after the end are not sent.
        """
        run = self.run
        if run.history_ms and run.history_rate:
            yield from self._phase(Phase(1, run.begin_ms, run.start_ms, run.history_rate, rhythm=True))
        if live_ms != 0 and run.rate:
            # Cut after drawing, so that a longer run begins with the very records of a shorter one.
            end_ms = np.inf if live_ms is None else run.start_ms + live_ms
            self.incidents.run_end_ms = end_ms
            for hits in self._phase(Phase(2, run.start_ms, None, run.rate, run.rhythm)):
                yield hits[hits["due_ms"] < end_ms]
                if len(hits) and hits["due_ms"][-1] >= end_ms:
                    return

    def _phase(self, phase: Phase) -> Iterator[Hits]:
        # Sessions that began before the phase are still under way when it begins.
        warm_up = -(-site.LONGEST_SESSION_MS // phase.slice_ms)
        under_way = np.empty(0, HIT)
        number = -warm_up
        while True:
            begin_ms = phase.begin_ms + number * phase.slice_ms
            if phase.end_ms is not None and begin_ms >= phase.end_ms:
                return
            end_ms = min(begin_ms + phase.slice_ms, phase.end_ms or begin_ms + phase.slice_ms)
            seed = (*self._entropy, phase.number, number + warm_up)
            rng = np.random.default_rng(seed)
            rates = self._sessions.rates(phase.rate, phase.rhythm, (begin_ms + end_ms) // 2)
            usual = self._sessions.begun(rng, rates, begin_ms, end_ms)
            extra = self.incidents.added(seed, phase.rate, phase.rhythm, begin_ms, end_ms)
            hits = np.concatenate([under_way, usual, *extra])
            under_way = hits[hits["due_ms"] >= end_ms]
            hits = hits[(hits["due_ms"] >= phase.begin_ms) & (hits["due_ms"] < end_ms)]
            number += 1
            if number > 0:
                hits = hits[np.argsort(hits["due_ms"], kind="stable")]
                yield self._with_faults(rng, hits, end_ms)

    def _with_faults(self, rng: np.random.Generator, hits: Hits, end_ms: int) -> Hits:
        """Shift times, break records, number the records by source, put the duplicates in."""
        run, size = self.run, len(hits)
        # No hit is older than the run's first instant, or than the incident it belongs to.
        age_ms = hits["due_ms"] - self.incidents.started_ms(hits)
        chance = rng.random(size)
        delay = np.exp(rng.uniform(np.log(LEAST_LATE_MS), np.log(MOST_LATE_MS), size)).astype(np.int64)
        late = (chance < run.late) & (age_ms > LEAST_LATE_MS)
        early = (chance >= run.late) & (chance < run.late + run.out_of_order) & (age_ms > MOST_OUT_OF_ORDER_MS)
        hits["late"], hits["out_of_order"] = late, early
        hits["ts_ms"] -= np.where(late, np.minimum(delay, age_ms), 0)
        hits["ts_ms"] -= np.where(early, rng.integers(1_000, MOST_OUT_OF_ORDER_MS, size), 0)
        hits = self.incidents.suffered(rng, hits)

        size = len(hits)
        broken = rng.random(size) < run.malformed
        hits["malformed"] = np.where(broken, rng.integers(1, len(FAULTS) + 1, size), 0)
        for column in ("late", "out_of_order"):
            hits[column] &= ~broken
        for server in range(SERVERS):
            mine = (hits["server"] == server) & (hits["malformed"] <= len(READABLE))
            count = int(mine.sum())
            hits["seq"][mine] = self._last_seq[server] + np.arange(1, count + 1)
            self._last_seq[server] += count

        again = hits[(rng.random(size) < run.duplicated) & ~broken]
        soon = rng.integers(1, 5_000, len(again))
        much_later = np.exp(rng.uniform(np.log(60_000), np.log(MOST_DUPLICATE_DELAY_MS), len(again)))
        again["due_ms"] += np.where(rng.random(len(again)) < 0.8, soon, much_later).astype(np.int64)
        again["duplicate"], again["late"], again["out_of_order"] = True, False, False
        waiting = np.concatenate([self._to_repeat, again])
        self._to_repeat = waiting[waiting["due_ms"] >= end_ms]
        hits = np.concatenate([hits, waiting[waiting["due_ms"] < end_ms]])
        return hits[np.argsort(hits["due_ms"], kind="stable")]

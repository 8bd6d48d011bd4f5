"""Incidents put into a run's traffic: the hits they add, take away and make fail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from producers import site_model as site
from producers.audience import COUNTRIES
from producers.generator_run import Run
from producers.hits import HIT, Hits
from producers.incidents import KINDS, Incident, incidents_of_day, ordinary_factor
from producers.sessions import Sessions

DAY_MS = 86_400_000
ATTACKERS = 5
_TROUBLE = site.quantised(list(site.TROUBLE.values()), list(site.TROUBLE))


class IncidentTraffic:
    """A run's incidents: the ones it was given, and the ones drawn for each UTC day."""

    def __init__(self, run: Run, sessions: Sessions, entropy: Sequence[int]) -> None:
        self._run, self._sessions, self._entropy = run, sessions, entropy
        self.met = list(run.incidents)  # an incident's number is its place here, from 1
        self.removed = [0] * len(self.met)  # hits taken away so far that were due before the run's end, by incident
        self.run_end_ms = np.inf
        self._drawn_days: set[int] = set()

    def between(self, begin_ms: int, end_ms: int) -> list[tuple[int, Incident]]:
        """The incidents that touch [begin_ms, end_ms), with their numbers."""
        if self._run.incidents_per_day:
            for day in range(begin_ms // DAY_MS, (end_ms - 1) // DAY_MS + 1):
                if day not in self._drawn_days:
                    self._drawn_days.add(day)
                    drawn = incidents_of_day(self._entropy, day, self._run.incidents_per_day, site.INCIDENT_PAGES)
                    self.met += drawn
                    self.removed += [0] * len(drawn)
        return [
            (number, incident)
            for number, incident in enumerate(self.met, 1)
            if incident.start_ms < end_ms and incident.end_ms > begin_ms
        ]

    def added(
        self, seed: Sequence[int], hits_per_second: float, rhythm: bool, begin_ms: int, end_ms: int
    ) -> list[Hits]:
        """Hits that incidents add in sessions begun in [begin_ms, end_ms); ``seed`` is the slice's."""
        found = []
        for number, incident in self.between(begin_ms, end_ms + site.LONGEST_SESSION_MS):
            rng = np.random.default_rng((*seed, KINDS.index(incident.kind), incident.start_ms))
            rates = self._sessions.rates(hits_per_second, rhythm, (begin_ms + end_ms) // 2)
            hits = self._hits_of(rng, incident, rates, begin_ms, min(end_ms, incident.end_ms))
            hits = hits[(hits["due_ms"] >= incident.start_ms) & (hits["due_ms"] < incident.end_ms)]
            hits["added_by"] = number
            found.append(hits)
        return found

    def _hits_of(
        self, rng: np.random.Generator, incident: Incident, rates: NDArray[np.float64], begin_ms: int, end_ms: int
    ) -> Hits:
        """What the incident adds in sessions begun in [begin_ms, end_ms), where ``rates`` are usual."""
        sessions = self._sessions
        usual = float((rates * sessions.mean_hits).sum())  # hits a second
        # Sessions that began before a step are under way when it comes.
        early_ms = max(begin_ms, incident.start_ms - site.LONGEST_SESSION_MS)
        sharp_ms = max(begin_ms, incident.start_ms)
        if incident.page and sharp_ms < end_ms:
            extra = incident.size - (incident.kind == "surge")
            at_ms = rng.integers(sharp_ms, end_ms, rng.poisson(usual * extra * (end_ms - sharp_ms) / 1000))
            at_ms = at_ms[rng.random(len(at_ms)) < incident.strength(at_ms)]
            people = rates[: len(COUNTRIES)]
            group = rng.choice(len(people), len(at_ms), p=people / people.sum())
            hits = sessions.land(rng, sessions.visitors(rng, group), at_ms, site.PATHS.index(incident.page))
            if incident.kind == "viral":
                hits["referrer"] = rng.choice(site.VIRAL_REFERRERS, len(hits))
            return hits
        if incident.kind == "surge" and not incident.page and early_ms < end_ms:
            return sessions.begun(rng, rates * (incident.size - 1), early_ms, end_ms)
        if incident.kind == "drift" and incident.size > 1 and sharp_ms < end_ms:
            return sessions.begun(rng, rates * (incident.size - 1), sharp_ms, end_ms, incident.strength)
        if incident.kind == "attack" and early_ms < end_ms:
            scanners = len(rates) - 1
            number = rng.poisson(usual * incident.size / sessions.mean_hits[scanners] * (end_ms - early_ms) / 1000)
            of_incident = np.random.default_rng((*self._entropy, incident.start_ms))
            attackers = sessions.visitors(of_incident, np.full(ATTACKERS, scanners))
            visitor = attackers[rng.integers(0, ATTACKERS, number)]
            return sessions.walk(rng, visitor, np.full(number, scanners), rng.integers(early_ms, end_ms, number))
        return np.empty(0, HIT)

    def started_ms(self, hits: Hits) -> NDArray[np.int64]:
        """Of each hit: when the incident that added it began; the run's begin for the others."""
        begins = np.array([self._run.begin_ms, *(incident.start_ms for incident in self.met)])
        return np.asarray(begins[hits["added_by"]], dtype=np.int64)

    def suffered(self, rng: np.random.Generator, hits: Hits) -> Hits:
        """The hits that got through to the log, by their own time; some of them made to fail."""
        if not len(hits):
            return hits
        for number, incident in self.between(int(hits["ts_ms"].min()), int(hits["ts_ms"].max()) + 1):
            if incident.kind == "errors":
                chance = incident.size * incident.strength(hits["ts_ms"])
                fails = (rng.random(len(hits)) < chance) & (hits["page"] < site.FIRST_PROBE)
                _fail(rng, hits, fails, number)
            elif incident.kind == "outage" or (incident.kind == "drift" and incident.size < 1):
                lost = rng.random(len(hits)) >= ordinary_factor(incident, hits["ts_ms"])
                if incident.kind == "drift":
                    lost &= hits["added_by"] == 0
                self.removed[number - 1] += int((lost & (hits["due_ms"] < self.run_end_ms)).sum())
                hits = hits[~lost]
        return hits


def _fail(rng: np.random.Generator, hits: Hits, fails: NDArray[np.bool_], by: int) -> None:
    number = int(fails.sum())
    status = _TROUBLE[rng.integers(0, site.LEVELS, number)]
    latency = hits["latency_us"][fails]
    slow = np.where(status == 504, rng.integers(30_000_000, 30_400_000, number), np.minimum(3 * latency, 25_000_000))
    hits["status"][fails] = status
    hits["latency_us"][fails] = np.where(latency < 0, -1, slow)
    hits["bytes"][fails] = np.where(hits["method"][fails] == site.HEAD, 0, rng.integers(180, 1600, number))
    hits["failed_by"][fails] = by

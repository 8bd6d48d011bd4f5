"""One site that is followed live: which series, what is expected of the next bucket, which incidents are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spark_jobs.hour_history import HourHistory
from spark_jobs.site_series import Integers, SiteMemory
from spark_jobs.standstill import Standstill, known
from spark_jobs.trend_course import BUCKET_S
from spark_jobs.trend_detector import Detector, DetectorSettings, OpenAnomaly, Series, Step
from spark_jobs.trend_ewma import ewma
from spark_jobs.trend_forecast import LEAST_HISTORY_HOURS, hour_course, next_minute
from spark_jobs.trend_judge import Measure

Values = NDArray[np.float64]

TOTALS: tuple[Measure, ...] = ("hits", "bytes_sent", "client_errors", "server_errors", "mean_latency_us")
PLACES: tuple[tuple[Measure, int], ...] = (("page", 20), ("country", 10))
HOUR_BUCKETS = 360
# No page and no country is called so: a place for one that the site does not have yet.
_NOBODY: dict[Measure, str] = {"page": "", "country": "-"}
# A newcomer must be so much hotter than the one whose place it takes: places do not change hands for nothing.
_HOTTER = 1.2
# Buckets that the next minute is drawn from.
_FORECAST_BUCKETS = 60


@dataclass
class Incident:
    """An anomaly that is open, or young enough to be dissolved by late lines."""

    anomaly_id: int
    series: Series
    side: Literal[1, -1]
    started_s: int
    opened_s: int
    window_s: int
    low: float
    high: float
    peak: float
    is_open: bool
    head_id: int | None

    def window(self) -> tuple[int, int]:
        """Numbers of the buckets [first, until) that decided it."""
        return (self.opened_s - self.window_s) // BUCKET_S, self.opened_s // BUCKET_S


class FollowedSite:
    """``next_bucket`` is the first one that has not been judged; buckets before ``since`` are history."""

    def __init__(
        self, site: str, since: int, next_bucket: int, memory: SiteMemory, settings: DetectorSettings
    ) -> None:
        self.site = site
        self.since = since
        self.next_bucket = next_bucket
        self.memory = memory
        self.settings = settings
        self.series: list[Series] = []
        self.incidents: list[Incident] = []
        self._detector = Detector([], settings)
        self._is_stale = True
        self._hours: HourHistory | None = None

    @property
    def vacant(self) -> frozenset[Series]:
        """What stands in the places of pages and countries that the site does not have yet."""
        return frozenset(Series(measure, nobody) for measure, nobody in _NOBODY.items())

    def restore(self, series: Sequence[Series], standstills: Sequence[Standstill]) -> None:
        """Begin where judging ended, with these pages and countries in their places and what is open."""
        open_now = [incident for incident in self.incidents if incident.is_open]
        self.series = [Series(measure) for measure in TOTALS]
        for measure, number in PLACES:
            hot = [Series(measure, label) for label, _ in self.memory.largest(measure, *self._last_hour(), number)]
            wanted = dict.fromkeys([*(incident.series for incident in open_now), *series, *hot])
            taken = [one for one in wanted if one.measure == measure and one not in self.vacant]
            empty = [Series(measure, _NOBODY[measure])] * max(0, number - len(taken))
            self.series += [*taken[:number], *empty]
        self._detector = Detector(self.series, self.settings)
        self._is_stale = False
        first = self._first_remembered()
        if first < self.next_bucket:
            values, latencies = self._values(self.series, first, self.next_bucket, standstills)
            self._detector.restore(
                np.arange(first, self.next_bucket) * BUCKET_S, values, latencies, self._course(),
                [OpenAnomaly(one.series, one.side, one.started_s, one.window_s) for one in open_now],
            )  # fmt: skip

    def judge(self, standstills: Sequence[Standstill]) -> Step:
        """Take in the next bucket, which is closed."""
        if self._is_stale:
            self.restore(self.series, standstills)
        if self._first_remembered() < self.next_bucket:
            self._choose(standstills)
        values, latencies = self._values(self.series, self.next_bucket, self.next_bucket + 1, standstills)
        step = self._detector.step(self.next_bucket * BUCKET_S, values[0], float(latencies[0]))
        self.next_bucket += 1
        return step

    def expect_hours(self, history: HourHistory) -> None:
        """From now on expect the course of the day and week that these published hours have."""
        self._hours = history
        course = self._course()
        if course is not None and not self._is_stale:
            self._detector.follow(*course)

    def _course(self) -> tuple[Integers, Values] | None:
        if self._hours is None or len(self._hours.starts_s) < LEAST_HISTORY_HOURS:
            return None
        unknown = np.full(len(self._hours.starts_s), np.nan)
        values = np.column_stack([self._hours.values.get(one, unknown) for one in self.series])
        return hour_course(self._hours.starts_s, values)

    def start_again(self) -> None:
        """Late lines took an incident back: the next bucket begins with a detector that knows."""
        self._is_stale = True

    def next_minute(self, standstills: Sequence[Standstill]) -> tuple[Values, Values, Values]:
        """(expected, low, high), each (6, series), of the six buckets from ``next_bucket`` on."""
        first = max(self._first_remembered(), self.next_bucket - _FORECAST_BUCKETS)
        values, latencies = self._values(self.series, first, self.next_bucket, standstills)
        place = self.series.index(Series("mean_latency_us"))
        values[:, place] = np.divide(
            values[:, place], latencies, out=np.full(len(latencies), np.nan), where=latencies > 0
        )
        return next_minute(values, ewma(values, self.settings.alpha))

    def observed(self, series: Series, first: int, until: int) -> float:
        """Value of a window of buckets as it is counted now."""
        values, latencies = self.memory.values([series], first, until)
        if series.measure != "mean_latency_us":
            return float(values.sum())
        return float(values.sum() / latencies.sum()) if latencies.sum() else float("nan")

    def dissolved_by(self, touched: Integers) -> list[Incident]:
        """Incidents whose deciding window late lines have brought back into its band."""
        late = touched[touched < self.next_bucket]
        found = []
        for incident in self.incidents if len(late) else []:
            first, until = incident.window()
            if not ((late >= first) & (late < until)).any() or first < self.memory.oldest:
                continue
            now = self.observed(incident.series, first, until)
            if incident.low <= now <= incident.high:
                found.append(incident)
        return found

    def _values(
        self, series: Sequence[Series], first: int, until: int, standstills: Sequence[Standstill]
    ) -> tuple[Values, Values]:
        """Values (buckets, series) and numbers of latencies (buckets,), NaN where unknown or nobody's place."""
        values, latencies = self.memory.values(series, first, until)
        unknown = ~known(first, self.memory.hits(first, until), standstills)
        values[unknown], latencies[unknown] = np.nan, np.nan
        values[:, [one.value == _NOBODY.get(one.measure) for one in series]] = np.nan
        return values, latencies

    def _first_remembered(self) -> int:
        first = max(self.since, self.next_bucket - self.settings.memory_buckets, self.memory.oldest)
        return min(first, self.next_bucket)

    def _last_hour(self) -> tuple[int, int]:
        until = self.next_bucket
        return min(max(until - HOUR_BUCKETS, self.memory.oldest), until), until

    def _choose(self, standstills: Sequence[Standstill]) -> None:
        """Pages and countries that have become hot take the free places, then those of the least of their kind."""
        first, until = self._last_hour()
        held = {incident.series for incident in self.incidents if incident.is_open}
        for measure, most in PLACES:
            places = [n for n, one in enumerate(self.series) if one.measure == measure]
            have = {self.series[n].value for n in places}
            newcomers = [
                (label, hits) for label, hits in self.memory.largest(measure, first, until, most) if label not in have
            ]
            if not newcomers:
                continue
            sums = self.memory.values([self.series[n] for n in places], first, until)[0].sum(axis=0)
            given_up = sorted(
                (-1.0 if self.series[n].value == _NOBODY[measure] else float(hits), n)
                for n, hits in zip(places, sums, strict=True)
                if self.series[n] not in held
            )
            for (label, hits), (least, place) in zip(newcomers, given_up, strict=False):
                if hits < _HOTTER * least:
                    break
                self._replace(place, Series(measure, label), standstills)

    def _replace(self, place: int, series: Series, standstills: Sequence[Standstill]) -> None:
        self.series[place] = series
        values, _ = self._values([series], self._first_remembered(), self.next_bucket, standstills)
        self._detector.replace(place, series, values[:, 0])

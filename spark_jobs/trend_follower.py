"""Follows the live sites behind the batches: every closed 10 s bucket is held against what was expected of it.

    follower = TrendFollower(TrendWriter(...), time.time, DetectorSettings(), close_after_s=3.0)
    follower.counted(cells, {0: 120, 1: 97})     # after each commit: what it added, and up to where
    follower.turn(caught_up_to)                  # from a thread of its own: judges what is closed by now

What is in memory is a copy of what Postgres has: at the start, and after anything went wrong, it is read anew.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from spark_jobs.followed_site import FollowedSite, Incident
from spark_jobs.site_series import TOTALS, Integers, SiteMemory, cells_by_site
from spark_jobs.standstill import Standstill, standstill_between
from spark_jobs.trend_course import BUCKET_S
from spark_jobs.trend_detector import DetectorSettings, Series, Step
from spark_jobs.trend_incidents import by_prominence, head_of
from spark_jobs.trend_writer import Stored, TrendWriter, TurnWriter

log = logging.getLogger("footfall.trends")

# A site becomes live when its lines reach the present, and is history again after a day of silence.
LIVE_BUCKETS = 12
SILENT_BUCKETS = 8640
# What was not judged for longer is not judged at all: nobody wants an alert of the night that the stack was down.
MOST_PENDING = 360
# The DAG hourly_traffic_report runs five minutes after the hour, and takes a while.
PUBLISHED_AFTER_S = 720
# Those of an hour are caught up with in turns, so that no turn is long.
MOST_PER_TURN = 30
# Beyond what the detector remembers: the hour of the hottest pages, late lines, and some room.
SPARE_BUCKETS = 60


@dataclass
class _State:
    """The copy of what Postgres has."""

    positions: Mapping[int, int]
    standstills: list[Standstill]
    closed: int  # buckets below this number are closed
    hours_from: int = -1  # hour in which the published hours were read last
    memories: dict[str, SiteMemory] = field(default_factory=dict)
    sites: dict[str, FollowedSite] = field(default_factory=dict)
    touched: dict[str, list[Integers]] = field(default_factory=dict)


class TrendFollower:
    """``counted`` may be called from any thread, ``turn`` from one."""

    def __init__(
        self, writer: TrendWriter, clock: Callable[[], float], settings: DetectorSettings, close_after_s: float
    ) -> None:
        """close_after_s: how long after its end a bucket is closed; lines that come later are late."""
        self._writer = writer
        self._clock = clock
        self._settings = settings
        self._close_after_s = close_after_s
        self._batches: deque[tuple[pa.Table, Mapping[int, int]]] = deque()
        self._state: _State | None = None
        self._failed_at: int | None = None
        self._caught_up_to: float | None = None
        self._new_standstills: list[Standstill] = []
        self.last_run_seconds = 0.0

    def counted(self, cells: pa.Table, positions: Mapping[int, int]) -> None:
        """A batch is committed: its cells, and by partition the first offset behind it."""
        self._batches.append((cells, positions))

    def turn(self, caught_up_to: float | None) -> int:
        """Judge what has been closed since the last turn; returns the number of buckets, over all sites.

        caught_up_to: epoch seconds up to which everything that Kafka had received is counted; None: not known yet.
        Whatever it raises, the next turn begins from what Postgres has.
        """
        if self._state is None:
            self._batches.clear()  # committed, so the next read has them: a long backlog must not pile up here
        if caught_up_to is None:
            return 0
        closed = int((caught_up_to - self._close_after_s) // BUCKET_S)
        if self._caught_up_to is not None:
            self._note_standstill(self._caught_up_to, caught_up_to, records_lost=False)
            self._caught_up_to = max(self._caught_up_to, caught_up_to)
        try:
            if self._state is None:
                if closed == self._failed_at:
                    return 0
                self._state = self._read(closed, caught_up_to)
            self._take_in(self._state)
            if closed <= self._state.closed:
                return 0
            self._expect_hours(self._state)
            firsts = [max(site.next_bucket, closed - MOST_PENDING) for site in self._state.sites.values()]
            return self._close(self._state, min([closed, *(first + MOST_PER_TURN for first in firsts)]))
        except BaseException:
            self._state, self._failed_at = None, closed
            raise

    def _note_standstill(self, before_s: float | None, now_s: float, records_lost: bool) -> None:
        span = standstill_between(before_s, now_s, records_lost)
        if span is not None:
            log.info("counting stood still from %.0f to %.0f", span.start_s, span.end_s)
            self._new_standstills.append(span)

    def _read(self, closed: int, caught_up_to: float) -> _State:
        now_bucket = int(self._clock() // BUCKET_S)
        memory_buckets = self._settings.memory_buckets + SPARE_BUCKETS
        stored = self._writer.read((now_bucket - memory_buckets) * BUCKET_S)
        if self._caught_up_to is None:
            self._note_standstill(stored.judged_until, caught_up_to, stored.records_lost)
            self._caught_up_to = caught_up_to
        state = _State(stored.positions, [*stored.standstills, *self._new_standstills], closed - 1)
        for row in stored.sums:
            memory = state.memories.setdefault(row["site"], SiteMemory(memory_buckets, now_bucket))
            memory.advance(now_bucket)
            numbers = np.array(row["buckets"], np.int64)
            amounts = {name: np.array(row[name], np.int64) for name in TOTALS if row[name] is not None}
            memory.take(row["dimension"], row["label"], numbers, amounts)
        for row in stored.sites:
            memory = state.memories.setdefault(row["site"], SiteMemory(memory_buckets, now_bucket))
            memory.advance(now_bucket)
            memory.last_with_hits = max(memory.last_with_hits, row["last_hour_bucket"] or 0)
            since, last = row["followed_since"], row["last_judged"]
            site = FollowedSite(row["site"], since, since if last is None else last + 1, memory, self._settings)
            site.incidents = _incidents(stored, row["site"])
            site.restore([stored.series[one][1] for one in row["series_ids"]], state.standstills)
            state.sites[row["site"]] = site
            # Lines may have come for them while nobody looked. Latencies wait for the next late line: they were
            # judged by the mean of their buckets, which is not quite the mean of their lines.
            sums = [one for one in site.incidents if one.series.measure != "mean_latency_us"]
            state.touched[row["site"]] = [np.arange(*one.window()) for one in sums]
        log.info("following %d sites", len(state.sites))
        return state

    def _take_in(self, state: _State) -> None:
        now_bucket = int(self._clock() // BUCKET_S)
        memory_buckets = self._settings.memory_buckets + SPARE_BUCKETS
        while self._batches:
            cells, positions = self._batches.popleft()
            if all(until <= state.positions.get(partition, 0) for partition, until in positions.items()):
                continue  # read from Postgres
            for site, own in cells_by_site(cells, now_bucket - memory_buckets):
                memory = state.memories.setdefault(site, SiteMemory(memory_buckets, now_bucket))
                state.touched.setdefault(site, []).append(memory.add(now_bucket, own))

    def _expect_hours(self, state: _State) -> None:
        """Once an hour, when its report is out: the course of the day."""
        hour = int((self._clock() - PUBLISHED_AFTER_S) // 3600)
        if hour != state.hours_from:
            for name, history in self._writer.hours(self._clock()).items():
                if name in state.sites:
                    state.sites[name].expect_hours(history)
            state.hours_from = hour

    def _close(self, state: _State, closed: int) -> int:
        began = time.perf_counter()
        now_s = self._clock()
        now_bucket = int(now_s // BUCKET_S)
        judged = 0
        with self._writer.turn() as writing:
            for span in self._new_standstills:
                writing.standstill(span)
                if span not in state.standstills:
                    state.standstills.append(span)
            for name, memory in list(state.memories.items()):
                memory.advance(now_bucket)
                site = state.sites.get(name)
                if site is None and memory.last_with_hits >= now_bucket - LIVE_BUCKETS:
                    writing.follow(name, closed)
                    state.hours_from = -1
                    state.sites[name] = FollowedSite(name, closed, closed, memory, self._settings)
                elif site is not None and memory.last_with_hits < now_bucket - SILENT_BUCKETS:
                    writing.unfollow(name, now_s)
                    del state.sites[name]
                if name not in state.sites and memory.last_with_hits < memory.oldest:
                    del state.memories[name]
            for site in state.sites.values():
                judged += self._judge(state, site, closed, writing)
            self.last_run_seconds = time.perf_counter() - began
            writing.done(self._settings.alpha, closed * BUCKET_S, self.last_run_seconds)
        state.closed = closed
        state.touched.clear()
        self._new_standstills.clear()
        oldest_s = (now_bucket - self._settings.memory_buckets - SPARE_BUCKETS) * BUCKET_S
        state.standstills[:] = [one for one in state.standstills if one.end_s >= oldest_s]
        return judged

    def _judge(self, state: _State, site: FollowedSite, closed: int, writing: TurnWriter) -> int:
        late = state.touched.get(site.site, [])
        for incident in site.dissolved_by(np.concatenate(late) if late else np.zeros(0, np.int64)):
            log.info("%s: late lines dissolve anomaly %d", site.site, incident.anomaly_id)
            writing.dissolved(incident.anomaly_id)
            site.incidents.remove(incident)
            site.start_again()
        if closed - site.next_bucket > MOST_PENDING:
            log.warning("%s: %d buckets are too old to be judged", site.site, closed - 1 - site.next_bucket)
            site.next_bucket = closed - 1
            site.start_again()
        judged = 0
        while site.next_bucket < closed:
            step = site.judge(state.standstills)
            shown = [n for n, one in enumerate(site.series) if one not in site.vacant]
            series = [site.series[n] for n in shown]
            writing.bucket(site.site, step.start_s, series, [step.expected[shown], step.low[shown], step.high[shown]])
            self._note_changes(site, step, writing)
            judged += 1
        if judged:
            bands = [band[:, shown] for band in site.next_minute(state.standstills)]
            writing.live_forecast(site.site, site.next_bucket * BUCKET_S, series, bands)
        return judged

    def _note_changes(self, site: FollowedSite, step: Step, writing: TurnWriter) -> None:
        for change in step.changes:
            if change.state == "closed":
                for incident in site.incidents:
                    if incident.is_open and incident.series == change.series:
                        incident.is_open = False
                        writing.closed(incident.anomaly_id, change.bucket_end_s)
        for change in by_prominence(one for one in step.changes if one.state == "opened"):
            value = float(step.observed[change.number])
            peak = change.observed if np.isnan(value) else value
            head_id = head_of(change, site.incidents)
            anomaly_id = writing.opened(site.site, change, peak, head_id)
            log.info(
                "%s: %s %s opens anomaly %d: %g, expected %g in [%g, %g]",
                *(site.site, change.series.measure, change.series.value, anomaly_id),
                *(change.observed, change.expected, change.low, change.high),
            )
            site.incidents.append(
                Incident(
                    anomaly_id, change.series, change.side, change.first_bucket_start_s, change.bucket_end_s,
                    change.window_s, change.low, change.high, peak, True, head_id,
                )
            )  # fmt: skip
        for incident in site.incidents:
            if incident.is_open and incident.series in site.series:
                value = float(step.observed[site.series.index(incident.series)])
                if value * incident.side > incident.peak * incident.side:
                    incident.peak = value
                    writing.peak(incident.anomaly_id, value)
        oldest_s = step.start_s - self._settings.memory_buckets * BUCKET_S
        site.incidents[:] = [one for one in site.incidents if one.is_open or one.opened_s >= oldest_s]


def _incidents(stored: Stored, site: str) -> list[Incident]:
    return [
        Incident(
            anomaly_id=row["anomaly_id"],
            series=Series(row["series_kind"], row["series_name"]),
            side=1 if row["direction"] == "above" else -1,
            started_s=row["started_s"],
            opened_s=row["opened_s"],
            window_s=row["window_seconds"],
            low=row["band_low"],
            high=row["band_high"],
            peak=row["peak"],
            is_open=row["state"] == "open",
            head_id=row["head_id"],
        )
        for row in stored.anomalies
        if row["site"] == site
    ]

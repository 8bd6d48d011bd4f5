"""Weeks of a generated site as bucket arrays, without generating its records: what the back-test replays.

The site is the generator's: its rhythm of day and week (producers.audience.activity), its pages, its incidents
(producers.incidents). Hits come in sessions, so neighbouring buckets lean together and counts vary more than a
Poisson's. Here sessions are a moving average over independent gamma bursts, thinned to counts; the constants below
reproduce the variance of really generated records at 10 s, 1 min and 10 min (tests/benchmarks/test_bucket_weeks.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from producers.audience import COUNTRIES, activity
from producers.incidents import Effect, Incident, effect_at
from producers.site_model import PAGES
from spark_jobs.trend_detector import Series

Values = NDArray[np.float64]
BUCKET_MS, HOUR_BUCKETS = 10_000, 360
# Sessions: variance of a burst over its mean (people, machines: these make longer sessions), how it fades from
# bucket to bucket, variance of a thinned count over its mean.
BURST, MACHINE_BURST, FADES, THINNED = 4.0, 13.0, 0.8, 0.7
MACHINES = 0.12  # share of hits that keep no hours
MACHINE_COUNTRIES = {"US": 0.70, "FR": 0.10, "GB": 0.07}
HOT_COUNTRIES = tuple(country.code for country in COUNTRIES[:10])
# Shares of hits by page, of errors, bytes and latency of a hit: as measured on generated records.
FIRST_PAGES = (0.172, 0.2273, 0.031, 0.0357, 0.0672, 0.0507)
OTHER_PAGES = 0.40
CLIENT_ERRORS, SERVER_ERRORS, TIMEOUTS = 0.0305, 0.0088, 0.0008
SCANNERS, SCANNER_BURST, SCANNER_FADES = 0.0075, 8.0, 0.3  # of the hits: all client errors, many in a bucket
BYTES_MEAN, BYTES_SHAPE = 35_300.0, 1.9
LATENCY_US, LATENCY_SHAPE, TIMEOUT_US, MEASURED = 72_000.0, 0.8, 30_200_000.0, 0.98


def page_shares() -> Values:
    """Share of the hits of every page of PAGES."""
    rest = len(PAGES) - len(FIRST_PAGES)
    popularity = 1.0 / (np.arange(rest) + 4.0)
    return np.append(FIRST_PAGES, OTHER_PAGES * popularity / popularity.sum())


HOT_PAGES = np.argsort(-page_shares(), kind="stable")[:20]
SERIES = (
    Series("hits"),
    Series("bytes_sent"),
    Series("client_errors"),
    Series("server_errors"),
    Series("mean_latency_us"),
    *(Series("page", PAGES[page]) for page in HOT_PAGES.tolist()),
    *(Series("country", code) for code in HOT_COUNTRIES),
)


@dataclass(frozen=True)
class Weeks:
    """Buckets of one site: values (buckets, series) as a detector takes them, lines with a latency (buckets,)."""

    starts_s: NDArray[np.int64]
    values: Values
    latency_count: Values
    incidents: Sequence[Incident]


@cache
def _rhythm(first_minute: int, minutes: int) -> Values:
    """Hits a second relative to the mean rate, (minutes, countries and machines), at the middle of each minute."""
    weights = np.array([country.weight for country in COUNTRIES])
    share = weights / weights.sum() * (1 - MACHINES)
    people = [activity((first_minute + minute) * 60_000 + 30_000) * share for minute in range(minutes)]
    return np.column_stack([np.array(people), np.full(minutes, MACHINES)])


def _rates(at_ms: NDArray[np.int64]) -> Values:
    minutes = at_ms // 60_000
    first = int(minutes[0])
    return _rhythm(first, int(minutes[-1]) - first + 1)[minutes - first]


def clustered_counts(
    rng: np.random.Generator, mean: Values, burst: Values | None = None, fades: float = FADES
) -> Values:
    """Counts whose variance is that of hits that come in sessions; mean, result: (buckets, groups), machines last."""
    warm = np.concatenate([np.repeat(mean[:1], 40, axis=0), mean])
    if burst is None:
        burst = np.append(np.full(mean.shape[1] - 1, BURST), MACHINE_BURST)
    bursts = rng.gamma(np.maximum(warm, 1e-12) / burst, burst)
    running = np.asarray(lfilter([1.0 - fades], [1.0, -fades], bursts, axis=0))[40:]
    trials = running / (1.0 - THINNED)
    whole = np.floor(trials + rng.random(trials.shape)).astype(np.int64)
    return rng.binomial(whole, 1.0 - THINNED).astype(np.float64)


def hourly_history(
    rng: np.random.Generator, rate: float, end_ms: int, hours: int
) -> tuple[NDArray[np.int64], Values]:
    """(hour starts in epoch seconds, sums (hours, series)) of the hours before ``end_ms``, without incidents."""
    begin_ms = end_ms - hours * 3_600_000
    week = _rhythm(begin_ms // 60_000, 7 * 24 * 60).reshape(168, 60, -1).mean(axis=1)
    groups = week[np.arange(hours) % 168] * rate * 3600
    # Over an hour, sessions make the variance of a count THINNED + burst times its mean.
    burst = np.append(np.full(groups.shape[1] - 1, BURST), MACHINE_BURST)
    counts = np.rint(np.maximum(groups + np.sqrt((THINNED + burst) * groups) * rng.standard_normal(groups.shape), 0))
    hits = counts.sum(axis=1)
    return begin_ms // 1000 + 3600 * np.arange(hours), _as_series(rng, hits, counts, None)[0]


def weeks(rng: np.random.Generator, rate: float, begin_ms: int, buckets: int, incidents: Sequence[Incident]) -> Weeks:
    """One site at ``rate`` hits a second on average, with these incidents."""
    starts_ms = begin_ms + BUCKET_MS * np.arange(buckets)
    usual = _rates(starts_ms + BUCKET_MS // 2) * rate * 10
    # Incidents begin at any instant: a bucket has the mean of what ten moments in it say.
    effect = _mean_effect(incidents, starts_ms)
    counts = _of_ordinary(rng, usual, effect.ordinary)
    values, latency_count = _as_series(rng, counts.sum(axis=1), counts, (usual.sum(axis=1), effect))
    return Weeks(starts_ms // 1000, values, latency_count, incidents)


def _of_ordinary(rng: np.random.Generator, usual: Values, factor: Values) -> Values:
    """Ordinary hits, thinned where the factor is below 1, with more sessions where it is above. Steps are sharp."""
    counts = rng.binomial(clustered_counts(rng, usual).astype(np.int64), np.minimum(factor, 1.0)[:, None])
    more = np.flatnonzero(factor > 1.0)
    if len(more):
        share = (factor[more] - 1.0)[:, None]
        extra = clustered_counts(rng, usual[more] * share.max()).astype(np.int64)
        counts[more] += rng.binomial(extra, share / share.max())
    return counts.astype(np.float64)


def _mean_effect(incidents: Sequence[Incident], starts_ms: NDArray[np.int64]) -> Effect:
    moments = (starts_ms[:, None] + np.arange(500, BUCKET_MS, 1000)).ravel()
    effect = effect_at(incidents, moments)

    def mean(values: Values) -> Values:
        return np.asarray(values.reshape(-1, 10).mean(axis=1))

    return Effect(
        mean(effect.ordinary),
        mean(effect.failing),
        mean(effect.probing),
        {page: mean(extra) for page, extra in effect.landing.items()},
    )


def _as_series(
    rng: np.random.Generator, ordinary: Values, groups: Values, incident: tuple[Values, Effect] | None
) -> tuple[Values, Values]:
    shares = page_shares()
    pages = np.empty((len(ordinary), len(HOT_PAGES)))
    left, left_share = ordinary.copy(), 1.0
    for place, page in enumerate(HOT_PAGES.tolist()):
        pages[:, place] = rng.binomial(left.astype(np.int64), min(shares[page] / left_share, 1.0))
        left -= pages[:, place]
        left_share -= shares[page]
    codes = [country.code for country in COUNTRIES]
    machines = groups[:, len(codes)]
    countries = np.column_stack(
        [
            groups[:, codes.index(code)] + rng.binomial(machines.astype(np.int64), MACHINE_COUNTRIES.get(code, 0.0))
            for code in HOT_COUNTRIES
        ]
    )
    hits = ordinary.copy()
    failing = np.zeros(len(hits))
    probes = np.zeros(len(hits))
    if incident is not None:
        usual, effect = incident
        for path, extra in effect.landing.items():
            landing = rng.poisson(usual * extra).astype(np.float64)
            hits += landing
            pages[:, PAGES.index(path) == HOT_PAGES] += landing[:, None]
            countries += rng.binomial(landing.astype(np.int64)[:, None], 0.8 / len(HOT_COUNTRIES))
        failing = rng.binomial(hits.astype(np.int64), effect.failing).astype(np.float64)
        probes = rng.poisson(usual * effect.probing).astype(np.float64)
    sound = (hits - failing).astype(np.int64)
    client = rng.binomial(sound, CLIENT_ERRORS).astype(np.float64)
    if incident is None:
        client += rng.binomial(sound, SCANNERS)
    else:
        scanned = clustered_counts(rng, SCANNERS * usual[:, None], np.array([SCANNER_BURST]), SCANNER_FADES)[:, 0]
        client = np.minimum(client + rng.binomial(scanned.astype(np.int64), np.minimum(effect.ordinary, 1.0)), sound)
    server = rng.binomial(sound, SERVER_ERRORS).astype(np.float64)
    measured = rng.binomial((hits + probes).astype(np.int64), MEASURED).astype(np.float64)
    latency = rng.gamma(np.maximum(measured * LATENCY_SHAPE, 1e-9), LATENCY_US / LATENCY_SHAPE)
    latency += TIMEOUT_US * (rng.binomial(sound, TIMEOUTS) + rng.binomial(failing.astype(np.int64), 0.05))
    sent = rng.gamma(np.maximum((hits - failing) * BYTES_SHAPE, 1e-9), BYTES_MEAN / BYTES_SHAPE)
    sent += 800.0 * (failing + probes)
    # Scanners come from a country of their own, on paths of their own.
    totals = np.column_stack([hits + probes, np.rint(sent), client + probes, server + failing, np.rint(latency)])
    return np.column_stack([totals, pages, countries]), measured

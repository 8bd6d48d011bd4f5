"""The run's traffic as arrays: sessions become hits in the order of sending, with the injected faults.

Everything is drawn from generators seeded with (seed, site, phase, slice number), so the same run is the same
array on every start, and nothing here knows the clock. One row of a ``HIT`` array is one record to send.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from producers import site_model as site
from producers.audience import BOT_SHARE_OF_HITS, COUNTRIES, Audience, activity, audience
from producers.generator_run import SERVERS, Run
from producers.malformed import FAULTS, READABLE

HIT = np.dtype(
    [
        ("due_ms", "i8"),  # when it is sent, Unix milliseconds
        ("ts_ms", "i8"),  # when the hit happened
        ("visitor", "i4"),
        ("page", "i2"),
        ("query", "i2"),
        ("method", "i1"),
        ("status", "i2"),
        ("bytes", "i8"),
        ("latency_us", "i8"),  # -1: not measured
        ("referrer", "i2"),
        ("server", "i1"),
        ("seq", "i8"),  # 0: takes no place in its source
        ("late", "?"),
        ("out_of_order", "?"),
        ("duplicate", "?"),
        ("malformed", "i1"),  # 0, or 1-based index into malformed.FAULTS
    ]
)
Hits = NDArray[np.void]

# The last server stands behind a delivery network that knows the country and says so.
SERVER_THAT_KNOWS_COUNTRIES = SERVERS - 1
HITS_OF_A_SLICE = 20_000
LEAST_LATE_MS, MOST_LATE_MS = 120_000, 6 * 3_600_000
MOST_OUT_OF_ORDER_MS = 30_000
MOST_DUPLICATE_DELAY_MS = 6 * 3_600_000
_ENTRY_REFERRERS = site.quantised(list(site.ENTRY_REFERRERS.values()))


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
        self._walks = site.walk_tables()
        self._mean_hits = site.mean_hits(self._walks)
        self._status = site.status_tables()
        weights = np.array([country.weight for country in COUNTRIES])
        self._country_share = weights / weights.sum()
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
            rng = np.random.default_rng((*self._entropy, phase.number, number + warm_up))
            hits = np.concatenate([under_way, self._sessions(rng, phase, begin_ms, end_ms)])
            under_way = hits[hits["due_ms"] >= end_ms]
            hits = hits[(hits["due_ms"] >= phase.begin_ms) & (hits["due_ms"] < end_ms)]
            number += 1
            if number > 0:
                hits = hits[np.argsort(hits["due_ms"], kind="stable")]
                yield self._with_faults(rng, hits, end_ms)

    def _session_rates(self, phase: Phase, at_ms: int) -> NDArray[np.float64]:
        """Sessions begun a second, by group of the audience."""
        busy = activity(at_ms) * self._country_share
        if not phase.rhythm:
            busy /= busy.sum()  # who comes follows the hour, how many come does not
        people = phase.rate * (1 - BOT_SHARE_OF_HITS) / self._mean_hits[0] * busy
        return np.append(people, phase.rate * BOT_SHARE_OF_HITS / self._mean_hits[1])

    def _sessions(self, rng: np.random.Generator, phase: Phase, begin_ms: int, end_ms: int) -> Hits:
        """All hits of the sessions that begin in [begin_ms, end_ms)."""
        rates = self._session_rates(phase, (begin_ms + end_ms) // 2)
        number = rng.poisson(rates * (end_ms - begin_ms) / 1000.0)
        group = np.repeat(np.arange(len(number)), number)
        bot = (group == self.audience.bots).astype(np.int8)
        # Squared: some people come again and again, most only now and then. Bots all come evenly.
        place = np.power(rng.random(len(group)), np.where(bot, 1.0, 2.0))
        first, size = self.audience.group_first[group], self.audience.group_size[group]
        visitor = (first + (place * size).astype(np.int64)).astype(np.int32)
        server = rng.integers(0, SERVERS, len(group), dtype=np.int8)

        session = np.arange(len(group))
        at_ms = rng.integers(begin_ms, end_ms, len(group))
        before = np.full(len(group), site.START, np.int16)
        walked: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16], NDArray[np.int16]]] = []
        for _ in range(site.MOST_STEPS):
            page = self._walks[bot[session], before, rng.integers(0, site.LEVELS, len(session))]
            stays = page != site.EXIT
            session, at_ms, page, before = session[stays], at_ms[stays], page[stays], before[stays]
            if not len(session):
                break
            walked.append((session, at_ms, page, before))
            gap = np.array(site.MEDIAN_GAP_MS)[bot[session]] * np.exp(0.8 * rng.standard_normal(len(session)))
            at_ms = at_ms + np.clip(gap, 300, site.LONGEST_GAP_MS).astype(np.int64)
            before = page
        hits = np.zeros(sum(len(step[0]) for step in walked), HIT)
        if not len(hits):
            return hits
        session, at_ms, page, before = (np.concatenate(column) for column in zip(*walked, strict=True))
        hits["due_ms"] = hits["ts_ms"] = at_ms
        hits["visitor"], hits["server"] = visitor[session], server[session]
        hits["page"] = page
        self._answer(rng, hits, before, bot[session].astype(bool))
        return hits

    def _answer(
        self, rng: np.random.Generator, hits: Hits, before: NDArray[np.int16], bot: NDArray[np.bool_]
    ) -> None:
        """Fill in method, status, bytes, latency, query and referrer of visited pages."""
        size, page = len(hits), hits["page"]
        again = page == before
        post = ~bot & (
            (again & ((page == site.CHECKOUT) | (page == site.CONTACT)))
            | ((page == site.CART) & (before >= site.FIRST_PRODUCT) & (before < site.FIRST_RETIRED))
        )
        head = bot & (rng.random(size) < 0.05)
        hits["method"] = np.select([post, head], [site.POST, site.HEAD], site.GET)
        in_shop = (page == site.CART) | (page == site.CHECKOUT)
        mix = np.select(
            [page >= site.FIRST_RETIRED, bot & in_shop, bot, post, page == site.CHECKOUT],
            [site.RETIRED_MIX, site.BOT_IN_SHOP_MIX, site.BOT_MIX, site.FORM_MIX, site.CHECKOUT_MIX],
            site.PAGE_MIX,
        )
        status = self._status[mix, rng.integers(0, site.LEVELS, size)]
        hits["status"] = status

        factor = np.select(
            [status == 504, status == 503, status == 500, status >= 400, status == 304],
            [0.0, 0.2, 3.0, 0.5, 0.25],
            np.where(post, 2.2, 1.0),
        )
        latency_ms = site.MEDIAN_LATENCY_MS[page] * factor * np.exp(0.55 * rng.standard_normal(size))
        latency_ms = np.where(status == 504, 30_000 + rng.random(size) * 400, np.clip(latency_ms, 0.3, 25_000))
        measured = rng.random(size) >= 0.02
        hits["latency_us"] = np.where(measured, np.rint(latency_ms * 1000), -1)

        full = np.where(status == 206, 0.4, 1.0) * site.MEDIAN_BYTES[page] * np.exp(0.1 * rng.standard_normal(size))
        small = rng.integers(180, 1600, size)
        empty = head | (status == 304) | (status == 204)
        hits["bytes"] = np.select([empty, status >= 300], [0, small], full)

        came = _ENTRY_REFERRERS[rng.integers(0, site.LEVELS, size)]
        from_start = before == site.START
        hits["referrer"] = np.where(bot, 0, np.where(from_start, came, site.FIRST_OWN_REFERRER + before))
        chance = rng.random(size)
        entry_query = rng.integers(site.FIRST_ENTRY_QUERY, site.FIRST_LIST_QUERY, size)
        list_query = rng.integers(site.FIRST_LIST_QUERY, len(site.QUERIES), size)
        advertised = from_start & ~bot & (chance < 0.12)
        paging = (page == site.ALL_PRODUCTS) & ~from_start & ~post & (chance < 0.4)
        hits["query"] = np.select([advertised, paging], [entry_query, list_query], 0)

    def _with_faults(self, rng: np.random.Generator, hits: Hits, end_ms: int) -> Hits:
        """Shift times, break records, number the records by source, put the duplicates in."""
        run, size = self.run, len(hits)
        age_ms = hits["due_ms"] - run.begin_ms  # no hit is older than the run's first instant
        chance = rng.random(size)
        delay = np.exp(rng.uniform(np.log(LEAST_LATE_MS), np.log(MOST_LATE_MS), size)).astype(np.int64)
        late = (chance < run.late) & (age_ms > LEAST_LATE_MS)
        early = (chance >= run.late) & (chance < run.late + run.out_of_order) & (age_ms > MOST_OUT_OF_ORDER_MS)
        hits["late"], hits["out_of_order"] = late, early
        hits["ts_ms"] -= np.where(late, np.minimum(delay, age_ms), 0)
        hits["ts_ms"] -= np.where(early, rng.integers(1_000, MOST_OUT_OF_ORDER_MS, size), 0)

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

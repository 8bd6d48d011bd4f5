"""Sessions of the generated site as arrays of hits: who comes, which way they walk, what they are answered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from producers import site_model as site
from producers.audience import COUNTRIES, SHARE_OF_HITS, Audience, activity
from producers.generator_run import SERVERS
from producers.hits import HIT, Hits

_ENTRY_REFERRERS = site.quantised(list(site.ENTRY_REFERRERS.values()))


class Sessions:
    """Draws sessions of an audience. Rates are sessions begun a second, by group of the audience."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self._walks = site.walk_tables()
        self._status = site.status_tables()
        self.mean_hits = site.mean_hits(self._walks)[audience.group_walker]  # of a session, by group
        weights = np.array([country.weight for country in COUNTRIES])
        self._country_share = weights / weights.sum()

    def rates(self, hits_per_second: float, rhythm: bool, at_ms: int) -> NDArray[np.float64]:
        """Rates at an instant. ``rhythm``: the wished rate is a week's mean, else it holds at every hour."""
        busy = activity(at_ms) * self._country_share
        if not rhythm:
            busy /= busy.sum()  # who comes follows the hour, how many come does not
        share = np.concatenate([SHARE_OF_HITS[0] * busy, SHARE_OF_HITS[1:]])
        return np.asarray(hits_per_second * share / self.mean_hits, dtype=float)

    def begun(
        self,
        rng: np.random.Generator,
        rates: NDArray[np.float64],
        begin_ms: int,
        end_ms: int,
        share: Callable[[NDArray[np.int64]], NDArray[np.float64]] | None = None,
    ) -> Hits:
        """All hits of the sessions that begin in [begin_ms, end_ms); ``share``: of the rates, at each instant."""
        number = rng.poisson(rates * (end_ms - begin_ms) / 1000.0)
        group = np.repeat(np.arange(len(number)), number)
        visitor, at_ms = self.visitors(rng, group), rng.integers(begin_ms, end_ms, len(group))
        if share is not None:
            begins = rng.random(len(group)) < share(at_ms)
            visitor, group, at_ms = visitor[begins], group[begins], at_ms[begins]
        return self.walk(rng, visitor, group, at_ms)

    def visitors(self, rng: np.random.Generator, group: NDArray[np.int64]) -> NDArray[np.int32]:
        """A visitor for each session, of its group."""
        # Squared: some people come again and again, most only now and then. Machines all come evenly.
        people = self.audience.group_walker[group] == site.VISITOR
        place = np.power(rng.random(len(group)), np.where(people, 2.0, 1.0))
        first, size = self.audience.group_first[group], self.audience.group_size[group]
        return (first + (place * size).astype(np.int64)).astype(np.int32)

    def walk(
        self,
        rng: np.random.Generator,
        visitor: NDArray[np.int32],
        group: NDArray[np.int64],
        begin_ms: NDArray[np.int64],
    ) -> Hits:
        """The hits of one session for each visitor, begun at ``begin_ms``."""
        walker = self.audience.group_walker[group]
        server = rng.integers(0, SERVERS, len(group), dtype=np.int8)
        session, at_ms = np.arange(len(group)), begin_ms
        before = np.full(len(group), site.START, np.int16)
        walked: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16], NDArray[np.int16]]] = []
        for _ in range(site.MOST_STEPS):
            page = self._walks[walker[session], before, rng.integers(0, site.LEVELS, len(session))]
            stays = page != site.EXIT
            session, at_ms, page, before = session[stays], at_ms[stays], page[stays], before[stays]
            if not len(session):
                break
            walked.append((session, at_ms, page, before))
            gap = site.MEDIAN_GAP_MS[walker[session]] * np.exp(0.8 * rng.standard_normal(len(session)))
            at_ms = at_ms + np.clip(gap, 300, site.LONGEST_GAP_MS).astype(np.int64)
            before = page
        hits = np.zeros(sum(len(step[0]) for step in walked), HIT)
        if not len(hits):
            return hits
        session, at_ms, page, before = (np.concatenate(column) for column in zip(*walked, strict=True))
        hits["due_ms"] = hits["ts_ms"] = at_ms
        hits["visitor"], hits["server"] = visitor[session], server[session]
        hits["page"] = page
        self._answer(rng, hits, before, walker[session])
        return hits

    def land(
        self,
        rng: np.random.Generator,
        visitor: NDArray[np.int32],
        at_ms: NDArray[np.int64],
        page: int,
    ) -> Hits:
        """One hit for each visitor, a person's, on a page that is all they came for."""
        hits = np.zeros(len(visitor), HIT)
        hits["due_ms"] = hits["ts_ms"] = at_ms
        hits["visitor"], hits["page"] = visitor, page
        hits["server"] = rng.integers(0, SERVERS, len(visitor), dtype=np.int8)
        before = np.full(len(visitor), site.START, np.int16)
        self._answer(rng, hits, before, np.full(len(visitor), site.VISITOR, np.int8))
        return hits

    def _answer(
        self, rng: np.random.Generator, hits: Hits, before: NDArray[np.int16], walker: NDArray[np.int8]
    ) -> None:
        """Fill in method, status, bytes, latency, query and referrer of visited pages."""
        size, page = len(hits), hits["page"]
        person, bot = walker == site.VISITOR, walker == site.BOT
        again = page == before
        post = person & (
            (again & ((page == site.CHECKOUT) | (page == site.CONTACT)))
            | ((page == site.CART) & (before >= site.FIRST_PRODUCT) & (before < site.FIRST_RETIRED))
        )
        head = bot & (rng.random(size) < 0.05)
        hits["method"] = np.select([post, head], [site.POST, site.HEAD], site.GET)
        in_shop = (page == site.CART) | (page == site.CHECKOUT)
        mix = np.select(
            [
                page >= site.FIRST_PROBE,
                page >= site.FIRST_FEED,
                page >= site.FIRST_RETIRED,
                bot & in_shop,
                bot,
                post,
                page == site.CHECKOUT,
            ],
            [
                site.PROBE_MIX,
                site.FEED_MIX,
                site.RETIRED_MIX,
                site.BOT_IN_SHOP_MIX,
                site.BOT_MIX,
                site.FORM_MIX,
                site.CHECKOUT_MIX,
            ],
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
        hits["referrer"] = np.where(person, np.where(from_start, came, site.FIRST_OWN_REFERRER + before), 0)
        chance = rng.random(size)
        entry_query = rng.integers(site.FIRST_ENTRY_QUERY, site.FIRST_LIST_QUERY, size)
        list_query = rng.integers(site.FIRST_LIST_QUERY, len(site.QUERIES), size)
        advertised = from_start & person & (chance < 0.12)
        paging = (page == site.ALL_PRODUCTS) & ~from_start & ~post & (chance < 0.4)
        hits["query"] = np.select([advertised, paging], [entry_query, list_query], 0)

"""The events of the benchmark, written by hand rather than by the product, and what is true of them."""

from __future__ import annotations

import random
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

START = 1_795_000_200  # epoch seconds, a multiple of 60
EVENTS_PER_SECOND = 10_000  # of simulated time
SOURCES = 8
# One address block of each country, as the registries have it.
ADDRESSES = {
    "DE": "85.214.0.", "FR": "90.0.0.", "GB": "81.128.0.", "US": "8.8.8.", "JP": "133.11.0.",
    "BR": "200.147.0.", "IN": "117.192.0.", "NL": "145.53.0.", "SE": "78.64.0.", "AU": "1.128.0.",
}  # fmt: skip
HOSTS = 250  # addresses of each block
PATHS = ["/home", "/products", "/about", "/contact", "/cart", "/checkout", *(f"/products/{n}" for n in range(40))]
STATUSES = [200] * 94 + [304, 301, 404, 404, 500, 503]
_WINDOWS, _MAC = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko)"
# (user agent, agent class, browser), the frequent ones first.
AGENTS = [
    (f"{_WINDOWS} {_ENGINE} Chrome/141.0.0.0 Safari/537.36", "human", "Chrome"),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.6 Mobile/15E148 Safari/604.1",
        "human",
        "Mobile Safari",
    ),
    (f"Mozilla/5.0 (Linux; Android 10; K) {_ENGINE} Chrome/141.0.0.0 Mobile Safari/537.36", "human", "Chrome Mobile"),
    (f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15", "human", "Safari"),
    (f"{_WINDOWS} {_ENGINE} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", "human", "Edge"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "human", "Firefox"),
    (f"{_MAC} {_ENGINE} Chrome/140.0.0.0 Safari/537.36", "human", "Chrome"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "Googlebot"),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bot", "bingbot"),
    ("curl/8.5.0", "tool", "curl"),
    ("python-requests/2.32.3", "tool", "Python Requests"),
    ("sqlmap/1.8#stable (https://sqlmap.org)", "scanner", ""),
]
REFERRERS = [
    ("https://www.google.com/", "google.com"), ("https://www.bing.com/", "bing.com"), (None, ""),
    ("https://www.example.org/search?q=shoes", "example.org"), ("https://t.co/abc", "t.co"),
    ("https://news.ycombinator.com/item?id=1", "news.ycombinator.com"),
]  # fmt: skip
CAMPAIGNS = ["", "?utm_source=mail", "?utm_source=ads&utm_medium=cpc&id={n}"]


class Event(NamedTuple):
    """One event and what it adds to; times in epoch seconds."""

    number: int
    key: bytes
    value: bytes
    second: int
    path: str
    country: str
    status: int
    address: str
    agent: int  # place in AGENTS
    referrer: int  # place in REFERRERS
    bytes_sent: int
    latency_us: int


def events(count: int, seed: int) -> Iterator[Event]:
    """The first so many events of a seed."""
    random_ = random.Random(seed)
    draw = random_.random
    countries = list(ADDRESSES)
    seqs = [0] * SOURCES
    for number in range(count):
        moment, fraction = divmod(number, EVENTS_PER_SECOND)
        second = START + moment
        clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        country = countries[int(draw() ** 2 * len(countries))]
        path = PATHS[int(draw() ** 2 * len(PATHS))]
        status = STATUSES[int(draw() * len(STATUSES))]
        host = int(draw() * HOSTS)
        # Behind one address stand up to four agents, most often the first of them.
        agent = int(((host * 37 % 100) / 100) ** 2 * len(AGENTS) + draw() ** 4 * 4) % len(AGENTS)
        referrer = int(draw() ** 2 * len(REFERRERS))
        query = CAMPAIGNS[int(draw() ** 2 * len(CAMPAIGNS))].format(n=number % 1000)
        size, latency_us = int(draw() * 50_000), int(draw() * 900_000)
        source = number % SOURCES
        seqs[source] += 1
        address = f"{ADDRESSES[country]}{host}"
        said = f'"referrer":"{REFERRERS[referrer][0]}",' if REFERRERS[referrer][0] else ""
        value = (
            f'{{"ts":"{clock}.{fraction * 1000 // EVENTS_PER_SECOND:03d}Z","site":"bench","ip":"{address}",'
            f'"method":"GET","path":"{path}{query}","status":{status},"bytes":{size},'
            f'"latency_ms":{latency_us / 1000},{said}"user_agent":"{AGENTS[agent][0]}",'
            f'"source":"filler-{source}","seq":{seqs[source]}}}'
        )
        yield Event(
            number, f"filler-{source}".encode(), value.encode(), second, path, country, status, address, agent,
            referrer, size, latency_us,
        )  # fmt: skip


Cell = tuple[int, str, str, int, str]  # bucket start, path, country, status class, agent class
Sums = tuple[int, int, int, int]  # hits, bytes, latency sum in microseconds, latency count


class Truth:
    """What is true of events, as they are added."""

    def __init__(self) -> None:
        self._cells: dict[Cell, list[int]] = {}
        self.visitors: dict[int, set[tuple[str, int]]] = {}  # by minute: (address, agent) of lines not answered 4xx
        self.latencies: dict[str, array[int]] = {}  # by path: microseconds
        self.dimensions: Counter[tuple[str, str]] = Counter()  # (dimension, value)

    def add(self, event: Event) -> None:
        status_class = event.status // 100
        _, agent_class, browser = AGENTS[event.agent]
        cell = (event.second - event.second % 10, event.path, event.country, status_class, agent_class)
        row = self._cells.setdefault(cell, [0, 0, 0, 0])
        row[0] += 1
        row[1] += event.bytes_sent
        row[2] += event.latency_us
        row[3] += 1
        if status_class != 4:
            minute = event.second - event.second % 60
            self.visitors.setdefault(minute, set()).add((event.address, event.agent))
        self.latencies.setdefault(event.path, array("q")).append(event.latency_us)
        self.dimensions["referrer", REFERRERS[event.referrer][1]] += 1
        self.dimensions["status", str(event.status)] += 1
        if browser:
            self.dimensions["browser", browser] += 1

    def cells(self) -> dict[Cell, Sums]:
        return {cell: (row[0], row[1], row[2], row[3]) for cell, row in self._cells.items()}

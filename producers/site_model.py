"""The generated site as data: its pages, how visitors and machines walk them, answers, sizes, referrers.

Weights in a table are relative. ``quantised`` turns them into tables that numpy draws from by index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

CORE_PAGES = ("/home", "/products", "/about", "/contact", "/cart", "/checkout")
PRODUCTS = tuple(
    f"/products/{slug}"
    for slug in (
        "aurora-lamp", "oak-desk", "linen-chair", "wool-rug", "steel-kettle", "walnut-shelf", "ceramic-mug",
        "garden-bench", "copper-pan", "cotton-throw", "brass-hook", "slate-board", "glass-carafe", "pine-stool",
        "felt-basket", "marble-tray", "bamboo-rack", "velvet-cushion", "iron-trivet", "cedar-chest",
        "rattan-lounger", "paper-lantern", "cork-mat", "teak-bowl", "silk-pillow", "leather-pouf", "clay-planter",
        "birch-mirror", "denim-apron", "ash-ladder", "caf%C3%A9-table", "wicker-tray", "enamel-jug", "jute-runner",
        "maple-clock", "satin-sheet", "stone-vase", "tin-bucket", "willow-crate", "zinc-tub",
    )
)  # fmt: skip
# Still linked from outside, sold out long ago: where the site's 404s and 410s come from.
RETIRED = tuple(f"/products/{slug}" for slug in ("orchid-lamp-2019", "plastic-chair", "retro-radio", "advent-box"))
PAGES = CORE_PAGES + PRODUCTS + RETIRED
# For machines: no page views, by their endings, but the last.
FEEDS = ("/robots.txt", "/sitemap.xml", "/products.json", "/health")
# What scanners ask for; the shop has none of it.
PROBES = (
    "/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/index.php", "/xmlrpc.php", "/wp-admin/setup-config.php",
    "/cgi-bin/luci", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/.aws/credentials", "/wp-config.php",
    "/boaform/admin/formLogin", "/solr/admin/info/system", "/manager/html", "/phpinfo.php",
)  # fmt: skip
PATHS = PAGES + FEEDS + PROBES
# Pages that incidents may be about.
INCIDENT_PAGES = PRODUCTS + CORE_PAGES
HOME, ALL_PRODUCTS, ABOUT, CONTACT, CART, CHECKOUT = range(6)
FIRST_PRODUCT, FIRST_RETIRED = len(CORE_PAGES), len(CORE_PAGES) + len(PRODUCTS)
FIRST_FEED, FIRST_PROBE = len(PAGES), len(PAGES) + len(FEEDS)

METHODS = ("GET", "POST", "HEAD")
GET, POST, HEAD = range(3)

# Who walks.
WALKERS = VISITOR, BOT, TOOL, SCANNER = range(4)
# A walk's states: the paths, then its two ends.
START, EXIT = len(PATHS), len(PATHS) + 1
MOST_STEPS = 24
LONGEST_GAP_MS = 30_000
LONGEST_SESSION_MS = MOST_STEPS * LONGEST_GAP_MS
MEDIAN_GAP_MS = np.array([9_000, 4_000, 1_000, 700])

# From a page (or the start) to: home, products, about, contact, cart, checkout, a product, a retired one, the end.
_VISITOR_STEPS: Mapping[str, tuple[float, ...]] = {
    "start": (43, 16, 4, 3, 1, 0, 31, 2, 0),
    "/home": (2, 35, 6, 4, 2, 0, 20, 0, 31),
    "/products": (4, 12, 1, 1, 3, 0, 54, 0.5, 24),
    "/about": (20, 20, 0, 15, 0, 0, 2, 0, 43),
    "/contact": (14, 4, 3, 21, 0, 0, 0, 0, 58),
    "/cart": (2, 18, 0, 1, 5, 42, 9, 0, 23),
    "/checkout": (9, 3, 0, 2, 4, 44, 0, 0, 38),
    "product": (4, 20, 1, 1, 15, 0, 25, 0.3, 34),
    "retired": (10, 38, 0, 2, 0, 0, 5, 0, 45),
}
_BOT_STEPS = (8, 10, 3, 2, 1, 1, 60, 6, 9)
_BOT_STARTS_AT_ROBOTS = 0.12
_TOOL_STARTS = {"/health": 55, "/products.json": 30, "/home": 10, "/robots.txt": 5}
_TOOL_GOES_ON = {"/products.json": 0.3, "/products": 0.2}
_SCANNER_GOES_ON = 0.93

_STATUS: Mapping[str, Mapping[int, float]] = {
    "page": {200: 922, 304: 52, 301: 8, 206: 2, 400: 1, 404: 5, 408: 1, 500: 3, 502: 1.5, 503: 2.5, 504: 0.6},
    "checkout": {200: 950, 302: 25, 400: 3, 500: 9, 502: 4, 503: 6, 504: 3},
    "form": {303: 840, 200: 40, 204: 20, 422: 70, 400: 6, 409: 4, 500: 10, 502: 4, 503: 5, 504: 3},
    "retired": {404: 80, 410: 20},
    "bot": {200: 880, 304: 85, 301: 8, 404: 8, 429: 12, 500: 3, 503: 4},
    "bot in the shop": {403: 60, 200: 30, 429: 10},
    "feed": {200: 960, 304: 20, 429: 10, 500: 4, 503: 6},
    "probe": {404: 88, 403: 9, 400: 3},
}
STATUS_MIX = tuple(_STATUS)
PAGE_MIX, CHECKOUT_MIX, FORM_MIX, RETIRED_MIX, BOT_MIX, BOT_IN_SHOP_MIX, FEED_MIX, PROBE_MIX = range(len(STATUS_MIX))
# What a site in trouble answers.
TROUBLE = {500: 55, 502: 15, 503: 25, 504: 5}

# Median answer, in milliseconds and bytes, per path.
MEDIAN_LATENCY_MS = np.array(
    [38, 65, 22, 20, 85, 180] + [52] * len(PRODUCTS) + [12] * len(RETIRED) + [3, 9, 70, 2] + [4] * len(PROBES)
)
MEDIAN_BYTES = np.array(
    [48_200, 61_500, 17_800, 12_400, 22_600, 27_900]
    + [31_000 + 730 * (i % 13) for i in range(len(PRODUCTS))]
    + [1_900] * len(RETIRED)
    + [240, 3_900, 18_300, 15]
    + [900] * len(PROBES)
)

# Who sent a visitor: class of referrer and weight; None: typed the address, or the browser keeps it to itself.
_ENTRIES: Mapping[str | None, tuple[str, float]] = {
    None: ("none", 41),
    "https://www.google.com/": ("search", 33),
    "https://www.bing.com/": ("search", 5),
    "https://duckduckgo.com/": ("search", 4),
    "https://l.instagram.com/": ("social", 6),
    "https://www.facebook.com/": ("social", 4),
    "https://www.pinterest.com/": ("social", 3),
    "https://t.co/": ("social", 2),
    "https://mail.google.com/": ("other", 2),
}
ENTRY_REFERRERS: Mapping[str | None, float] = {referrer: weight for referrer, (_, weight) in _ENTRIES.items()}
ENTRY_CLASSES = tuple(kind for kind, _ in _ENTRIES.values())
HOSTS = ("shop.example", "www.shop.example", "m.shop.example")
# By host, then by number: who sent the visitor, or the page of that host seen before.
REFERRERS: tuple[tuple[str | None, ...], ...] = tuple(
    (*_ENTRIES, *(f"https://{host}{path}" for path in PATHS)) for host in HOSTS
)
FIRST_OWN_REFERRER = len(_ENTRIES)
VIRAL_REFERRERS = tuple(number for number, kind in enumerate(ENTRY_CLASSES) if kind == "social")

# Query strings: none, of advertised entries, of the product list. They add no page; campaigns are counted apart.
QUERIES = (
    "",
    "?utm_source=newsletter&utm_medium=email&utm_campaign=autumn",
    "?utm_source=google&utm_medium=cpc",
    "?utm_source=instagram&utm_medium=social",
    "?page=2",
    "?page=3",
    "?sort=price",
    "?q=lamp",
)
FIRST_ENTRY_QUERY, FIRST_LIST_QUERY = 1, 4

Table = NDArray[np.int16]
LEVELS = 4096


def quantised(weights: Sequence[float], values: Sequence[int] | None = None) -> Table:
    """A table of ``LEVELS`` values in which each stands as often as its weight says: one lookup is one draw."""
    bounds = np.cumsum(np.asarray(weights, dtype=float)) / np.sum(weights)
    drawn = np.searchsorted(bounds, (np.arange(LEVELS) + 0.5) / LEVELS)
    return (drawn if values is None else np.asarray(values)[drawn]).astype(np.int16)


def _step_weights(steps: Sequence[float]) -> list[float]:
    popularity = 1.0 / (np.arange(len(PRODUCTS)) + 4.0)  # Zipf with a flattened head
    products = steps[6] * popularity / popularity.sum()
    retired = [steps[7] / len(RETIRED)] * len(RETIRED)
    return [*steps[:6], *products, *retired, *[0.0] * (len(FEEDS) + len(PROBES)), 0.0, steps[8]]


def _towards(chances: Mapping[str, float], end: float) -> list[float]:
    """Weights of next states by path, and of the end."""
    return [*(chances.get(path, 0.0) for path in PATHS), 0.0, end]


def _step_tables(walker: int) -> list[Table]:
    """Next state by level, for each path and the start."""
    machines = len(FEEDS) + len(PROBES)
    if walker == VISITOR:
        kinds = [*CORE_PAGES, *["product"] * len(PRODUCTS), *["retired"] * (len(RETIRED) + machines), "start"]
        return [quantised(_step_weights(_VISITOR_STEPS[kind])) for kind in kinds]
    if walker == BOT:
        goes_on = _step_weights(_BOT_STEPS)
        starts = _step_weights((*_BOT_STEPS[:8], 0.0))
        starts[FIRST_FEED] = _BOT_STARTS_AT_ROBOTS * sum(starts)
        after = [quantised(goes_on)] * len(PATHS)
        after[FIRST_FEED] = quantised(_towards({"/sitemap.xml": 0.5, "/products": 0.5}, 0.0))
        return [*after, quantised(starts)]
    if walker == TOOL:
        after = [quantised(_towards({}, 1.0))] * len(PATHS)
        after[PATHS.index("/products.json")] = quantised(_towards(_TOOL_GOES_ON, 0.5))
        return [*after, quantised(_towards(_TOOL_STARTS, 0.0))]
    probes = dict.fromkeys(PROBES, 1 / len(PROBES))
    goes_on = _towards(probes, 1 / _SCANNER_GOES_ON - 1)
    return [*[quantised(goes_on)] * len(PATHS), quantised(_towards(probes, 0.0))]


def walk_tables() -> NDArray[np.int16]:
    """Next state by [walker, state, level]."""
    return np.array([_step_tables(walker) for walker in WALKERS])


def mean_hits(walks: NDArray[np.int16]) -> NDArray[np.float64]:
    """Mean number of hits of a session, by [walker]: what a wished rate of hits is divided by."""
    means: list[float] = []
    for table in walks:
        chance = np.array([np.bincount(row, minlength=EXIT + 1) for row in table]) / LEVELS
        alive = np.zeros(START + 1)
        alive[START] = 1.0
        hits = 0.0
        for _ in range(MOST_STEPS):
            alive = np.append((alive @ chance)[:START], 0.0)
            hits += float(alive.sum())
        means.append(hits)
    return np.array(means)


def status_tables() -> Table:
    """Status code by [STATUS_MIX, level]."""
    tables: Any = [quantised(list(mix.values()), list(mix)) for mix in _STATUS.values()]
    return np.array(tables)

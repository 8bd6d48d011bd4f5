"""The generated site as data: its pages, how visitors and bots walk them, answers, sizes, browsers, referrers.

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
HOME, ALL_PRODUCTS, ABOUT, CONTACT, CART, CHECKOUT = range(6)
FIRST_PRODUCT, FIRST_RETIRED = len(CORE_PAGES), len(CORE_PAGES) + len(PRODUCTS)

METHODS = ("GET", "POST", "HEAD")
GET, POST, HEAD = range(3)

# A walk's states: the pages, then its two ends.
START, EXIT = len(PAGES), len(PAGES) + 1
MOST_STEPS = 24
LONGEST_GAP_MS = 30_000
LONGEST_SESSION_MS = MOST_STEPS * LONGEST_GAP_MS
MEDIAN_GAP_MS = (9_000, 4_000)  # visitors, bots

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

_STATUS: Mapping[str, Mapping[int, float]] = {
    "page": {200: 922, 304: 52, 301: 8, 206: 2, 400: 1, 404: 5, 408: 1, 500: 3, 502: 1.5, 503: 2.5, 504: 0.6},
    "checkout": {200: 950, 302: 25, 400: 3, 500: 9, 502: 4, 503: 6, 504: 3},
    "form": {303: 840, 200: 40, 204: 20, 422: 70, 400: 6, 409: 4, 500: 10, 502: 4, 503: 5, 504: 3},
    "retired": {404: 80, 410: 20},
    "bot": {200: 880, 304: 85, 301: 8, 404: 8, 429: 12, 500: 3, 503: 4},
    "bot in the shop": {403: 60, 200: 30, 429: 10},
}
STATUS_MIX = tuple(_STATUS)
PAGE_MIX, CHECKOUT_MIX, FORM_MIX, RETIRED_MIX, BOT_MIX, BOT_IN_SHOP_MIX = range(len(STATUS_MIX))

# Median answer, in milliseconds and bytes, per page.
MEDIAN_LATENCY_MS = np.array([38, 65, 22, 20, 85, 180] + [52] * len(PRODUCTS) + [12] * len(RETIRED))
MEDIAN_BYTES = np.array(
    [48_200, 61_500, 17_800, 12_400, 22_600, 27_900]
    + [31_000 + 730 * (i % 13) for i in range(len(PRODUCTS))]
    + [1_900] * len(RETIRED)
)

# Who sent a visitor; None: typed the address, or the browser keeps it to itself.
ENTRY_REFERRERS: Mapping[str | None, float] = {
    None: 41,
    "https://www.google.com/": 33,
    "https://www.bing.com/": 5,
    "https://duckduckgo.com/": 4,
    "https://l.instagram.com/": 6,
    "https://www.facebook.com/": 4,
    "https://www.pinterest.com/": 3,
    "https://t.co/": 2,
    "https://mail.google.com/": 2,
}
REFERRERS: tuple[str | None, ...] = (*ENTRY_REFERRERS, *(f"https://shop.example{page}" for page in PAGES))
FIRST_OWN_REFERRER = len(ENTRY_REFERRERS)

# Query strings: none, of advertised entries, of the product list. The stream drops them, so they add no page.
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

_WINDOWS, _MAC = "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7"
_KHTML, _GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)", "Gecko/20100101"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IPHONE, _IPAD = "iPhone; CPU iPhone OS 18_6 like Mac OS X", "iPad; CPU OS 17_7 like Mac OS X"
BROWSERS: Mapping[str | None, float] = {
    **{
        f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/{v}.0.0.0 Safari/537.36": w
        for v, w in ((141, 19), (140, 6), (109, 1))
    },
    f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0": 7,
    f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0": 1.5,
    **{
        f"Mozilla/5.0 ({_WINDOWS}; rv:{v}.0) {_GECKO} Firefox/{v}.0": w for v, w in ((144, 4), (140, 1.5), (115, 0.5))
    },
    f"Mozilla/5.0 ({_MAC}) {_KHTML} Chrome/141.0.0.0 Safari/537.36": 5,
    **{f"Mozilla/5.0 ({_MAC}) {_SAFARI} Version/{v} Safari/605.1.15": w for v, w in (("26.0", 3), ("18.6", 3))},
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) {_GECKO} Firefox/144.0": 1,
    f"Mozilla/5.0 (X11; Linux x86_64) {_KHTML} Chrome/141.0.0.0 Safari/537.36": 1.5,
    f"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:144.0) {_GECKO} Firefox/144.0": 1.5,
    f"Mozilla/5.0 ({_IPHONE}) {_SAFARI} Version/18.6 Mobile/15E148 Safari/604.1": 17,
    f"Mozilla/5.0 ({_IPHONE}) {_SAFARI} CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1": 2,
    f"Mozilla/5.0 ({_IPAD}) {_SAFARI} Version/17.7 Mobile/15E148 Safari/604.1": 2,
    f"Mozilla/5.0 (Linux; Android 10; K) {_KHTML} Chrome/141.0.0.0 Mobile Safari/537.36": 17,
    f"Mozilla/5.0 (Linux; Android 15; SM-S938B) {_KHTML} SamsungBrowser/28.0 Mobile Safari/537.36": 4,
    f"Mozilla/5.0 (Android 15; Mobile; rv:144.0) {_GECKO} Firefox/144.0": 1,
    None: 0.3,  # privacy tools that send no user agent at all
}

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
    return [*steps[:6], *products, *[steps[7] / len(RETIRED)] * len(RETIRED), 0.0, steps[8]]


def walk_tables() -> NDArray[np.int16]:
    """Next state by [visitor 0 or bot 1, state, level]."""
    kinds = [*CORE_PAGES, *["product"] * len(PRODUCTS), *["retired"] * len(RETIRED), "start"]
    visitor = [quantised(_step_weights(_VISITOR_STEPS[kind])) for kind in kinds]
    bot = [quantised(_step_weights((*_BOT_STEPS[:8], 0.0 if kind == "start" else _BOT_STEPS[8]))) for kind in kinds]
    return np.array([visitor, bot])


def mean_hits(walks: NDArray[np.int16]) -> NDArray[np.float64]:
    """Mean number of hits of a session, by [visitor 0 or bot 1]: what a wished rate of hits is divided by."""
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

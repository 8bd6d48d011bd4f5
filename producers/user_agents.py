"""The user agents of the generated audience, each with what it is: agent class, browser and operating system.

Families are the ones uap-core names, which the stream's parser carries too (a test asks it). Classes are the
generator's own knowledge of who sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

HUMAN, BOT, SCANNER, TOOL, UNKNOWN = AGENT_CLASSES = ("human", "bot", "scanner", "tool", "unknown")


UNRECOGNISED = "unrecognised"  # uap-core names no family


class Families(NamedTuple):
    agent_class: str
    browser: str
    os: str


_WINDOWS, _MAC = "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7"
_KHTML, _GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)", "Gecko/20100101"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IPHONE, _IPAD = "iPhone; CPU iPhone OS 18_6 like Mac OS X", "iPad; CPU OS 17_7 like Mac OS X"
_IPHONE_26 = "iPhone; CPU iPhone OS 26_0 like Mac OS X"
_INSTAGRAM = "Instagram 397.0.0.29.113"

# Browser family, operating system family, weight among the people.
_BROWSERS: Mapping[str, tuple[str, str, float]] = {
    **{
        f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/{version}.0.0.0 Safari/537.36": ("Chrome", "Windows", weight)
        for version, weight in ((141, 17), (140, 6), (139, 1), (109, 1))
    },
    f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0": ("Edge", "Windows", 7),
    f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0": ("Opera", "Windows", 1.5),
    **{
        f"Mozilla/5.0 ({_WINDOWS}; rv:{version}.0) {_GECKO} Firefox/{version}.0": ("Firefox", "Windows", weight)
        for version, weight in ((144, 4), (140, 1.5), (115, 0.5))
    },
    f"Mozilla/5.0 ({_MAC}) {_KHTML} Chrome/141.0.0.0 Safari/537.36": ("Chrome", "Mac OS X", 5),
    **{
        f"Mozilla/5.0 ({_MAC}) {_SAFARI} Version/{version} Safari/605.1.15": ("Safari", "Mac OS X", weight)
        for version, weight in (("26.0", 3), ("18.6", 3), ("17.6", 0.5))
    },
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) {_GECKO} Firefox/144.0": ("Firefox", "Mac OS X", 1),
    f"Mozilla/5.0 (X11; Linux x86_64) {_KHTML} Chrome/141.0.0.0 Safari/537.36": ("Chrome", "Linux", 1.5),
    f"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:144.0) {_GECKO} Firefox/144.0": ("Firefox", "Ubuntu", 1.5),
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_KHTML} Chrome/141.0.0.0 Safari/537.36": ("Chrome", "Chrome OS", 0.5),
    f"Mozilla/5.0 ({_IPHONE}) {_SAFARI} Version/18.6 Mobile/15E148 Safari/604.1": ("Mobile Safari", "iOS", 10),
    f"Mozilla/5.0 ({_IPHONE_26}) {_SAFARI} Version/26.0 Mobile/15E148 Safari/604.1": ("Mobile Safari", "iOS", 7),
    f"Mozilla/5.0 ({_IPHONE}) {_SAFARI} CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1": (
        "Chrome Mobile iOS", "iOS", 2,
    ),
    f"Mozilla/5.0 ({_IPHONE}) {_SAFARI} GSA/385.0.811458285 Mobile/15E148 Safari/604.1": ("Google", "iOS", 1),
    f"Mozilla/5.0 ({_IPHONE}) {_SAFARI} Mobile/22G86 {_INSTAGRAM} (iPhone15,2; iOS 18_6; de_DE; de; scale=3.00)": (
        "Instagram", "iOS", 1.5,
    ),
    f"Mozilla/5.0 ({_IPHONE}) {_SAFARI} Mobile/22G86 [FBAN/FBIOS;FBAV/530.0.0.40.71;FBDV/iPhone15,2;FBSV/18.6]": (
        "Facebook", "iOS", 1,
    ),
    f"Mozilla/5.0 ({_IPAD}) {_SAFARI} Version/17.7 Mobile/15E148 Safari/604.1": ("Mobile Safari", "iOS", 2),
    f"Mozilla/5.0 (Linux; Android 10; K) {_KHTML} Chrome/141.0.0.0 Mobile Safari/537.36": (
        "Chrome Mobile", "Android", 15,
    ),
    f"Mozilla/5.0 (Linux; Android 10; K) {_KHTML} Chrome/141.0.0.0 Safari/537.36": ("Chrome", "Android", 1),
    f"Mozilla/5.0 (Linux; Android 10; K) {_KHTML} Chrome/141.0.0.0 Mobile Safari/537.36 EdgA/141.0.0.0": (
        "Edge Mobile", "Android", 0.5,
    ),
    f"Mozilla/5.0 (Linux; Android 14; SM-A546B; wv) {_KHTML} Version/4.0 Chrome/141.0.7390.43 Mobile Safari/537.36": (
        "Chrome Mobile WebView", "Android", 0.5,
    ),
    f"Mozilla/5.0 (Linux; Android 15; SM-S938B) {_KHTML} SamsungBrowser/28.0 Mobile Safari/537.36": (
        "Samsung Internet", "Android", 4,
    ),
    f"Mozilla/5.0 (Android 15; Mobile; rv:144.0) {_GECKO} Firefox/144.0": ("Firefox Mobile", "Android", 1),
}  # fmt: skip

_BOTS = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "Googlebot",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": "bingbot",
    f"Mozilla/5.0 {_KHTML[:-1]}; compatible; GPTBot/1.2; +https://openai.com/gptbot)": "GPTBot",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)": "AhrefsBot",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)": "SemrushBot",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)": "YandexBot",
    "Mozilla/5.0 (Applebot/0.1; +http://www.apple.com/go/applebot)": "Applebot",
    "Blackbox Exporter/0.27.0": UNRECOGNISED,  # probes a site's health, and says so
}
_TOOLS = {
    "curl/8.5.0": "curl",
    "Wget/1.21.3": "Wget",
    "python-requests/2.32.3": "Python Requests",
    "Go-http-client/2.0": "Go-http-client",
}
_SCANNERS = (
    "Mozilla/5.0 zgrab/0.x",
    "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)",
    "sqlmap/1.8.4#stable (https://sqlmap.org)",
    "WPScan v3.8.25 (https://wpscan.com/wordpress-security-scanner)",
)
# What scanners without a name of their own pretend to be. No person of the audience has it.
PRETENDED_BROWSER = f"Mozilla/5.0 ({_WINDOWS}) {_KHTML} Chrome/78.0.3904.108 Safari/537.36"

BROWSERS: Mapping[str | None, float] = {
    **{text: weight for text, (_, _, weight) in _BROWSERS.items()},
    None: 0.3,  # privacy tools that send no user agent at all
}

# Agent class by who sends it: of the pretended browser, a scanner.
FAMILIES: Mapping[str | None, Families] = {
    **{text: Families(HUMAN, browser, os) for text, (browser, os, _) in _BROWSERS.items()},
    **{text: Families(BOT, browser, UNRECOGNISED) for text, browser in _BOTS.items()},
    **{text: Families(TOOL, browser, UNRECOGNISED) for text, browser in _TOOLS.items()},
    **{text: Families(SCANNER, UNRECOGNISED, UNRECOGNISED) for text in _SCANNERS},
    PRETENDED_BROWSER: Families(SCANNER, "Chrome", "Windows"),
    None: Families(UNKNOWN, "", ""),
}

GOOGLEBOT, BINGBOT, GPTBOT, AHREFSBOT, SEMRUSHBOT, YANDEXBOT, APPLEBOT, BLACKBOX = _BOTS
CURL, WGET, PYTHON_REQUESTS, GO_HTTP_CLIENT = _TOOLS
ZGRAB, NIKTO, SQLMAP, WPSCAN = _SCANNERS

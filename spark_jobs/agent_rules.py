"""Who asks: browser, system, device and class of an agent, from its user agent and from what it asks for.

``classify`` sees the user agent alone, ``line_rule`` method, path and answer alone: pure functions of one line, so
that neither the order of arrival nor a replay changes a class (docs/decisions/0034-agent-classes.md).
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
from ua_parser import Domain, Resolver, load_lazy_builtins
from ua_parser.lazy import UserAgentMatcher
from ua_parser.regex import Resolver as RegexResolver

from producers.access_log import MALFORMED_METHOD, MALFORMED_PATH
from spark_jobs.agent_lists import BOT, DECLARATIONS, HUMAN, SCANNER, UNKNOWN
from spark_jobs.canonical import mask_addresses
from spark_jobs.probing import LOOKED_FOR, probed
from spark_jobs.request_names import METHODS

RULES_VERSION = 1
LONGEST_USER_AGENT = 512  # bytes of it that are looked at
LONGEST_NAME = 100
CACHED_USER_AGENTS = 16_384

NO_USER_AGENT, UNRECOGNISED, BROWSER, APPLICATION = "no user agent", "unrecognised", "browser", "application"
PARSER_SPIDER, NAMES_NO_BROWSER = "parser: spider", "compatible, names no browser"
MALFORMED_REQUEST, UNKNOWN_METHOD, PROBING_PATH = "malformed request", "unknown method", "probing path"
REQUEST_TIMEOUT = 408  # browsers open connections ahead and let them lapse: no request line, and no attack

_UNPRINTABLE = re.compile(r"[^ -~]+")
_BROWSER_LIKE = re.compile(r"[\"' ]?(?:Mozilla|Opera)/")
_TEXT_BROWSER = re.compile(r"(?:Lynx|E?Links|w3m)\b")
_COMPATIBLE = re.compile(r"Mozilla/5\.0 \(compatible; ")


class Agent(msgspec.Struct, frozen=True):
    """What a user agent tells; every text printable ASCII, without addresses, of at most 100 characters."""

    browser: str
    os: str
    device: str
    agent_class: str
    rule: str


# ua-parser's resolver serves our list as well: its prefilter finds the first of 1,500 patterns that matches in a
# few microseconds, where one search after the other takes 300, and in time linear in the text.
_DECIDE: Resolver = RegexResolver(
    ([UserAgentMatcher(f"({pattern})", str(index)) for index, (_, _, pattern) in enumerate(DECLARATIONS)], [], [])
)
_PARSE: Resolver = RegexResolver(load_lazy_builtins())
_NOBODY = Agent("", "", "", UNKNOWN, NO_USER_AGENT)


def classify(user_agent: str | None) -> Agent:
    """The agent behind a user agent; of a long one, its first 512 bytes count."""
    if user_agent is None:
        return _NOBODY
    return _classify(user_agent[:LONGEST_USER_AGENT])


@lru_cache(maxsize=CACHED_USER_AGENTS)
def _classify(user_agent: str) -> Agent:
    text = user_agent.encode("utf-8", "replace")[:LONGEST_USER_AGENT].decode("utf-8", "replace").strip()
    if text in ("", "-"):
        return _NOBODY
    parsed = _PARSE(text, Domain.ALL)
    browser = _name(parsed.user_agent.family) if parsed.user_agent else ""
    system = _name(parsed.os.family) if parsed.os else ""
    device = _name(parsed.device.family) if parsed.device else ""
    decided = _DECIDE(text, Domain.USER_AGENT).user_agent
    agent_class, rule, _ = DECLARATIONS[int(decided.family)] if decided else ("", "", "")
    if not agent_class:
        if device == "Spider" and not decided:
            agent_class, rule = BOT, PARSER_SPIDER
        elif _COMPATIBLE.match(text) and not (browser or system):
            agent_class, rule = BOT, NAMES_NO_BROWSER
        elif browser and (system or device or _TEXT_BROWSER.match(text)):
            agent_class, rule = HUMAN, BROWSER if _BROWSER_LIKE.match(text) else APPLICATION
        else:
            agent_class, rule = UNKNOWN, UNRECOGNISED
    return Agent(browser or UNRECOGNISED, system or UNRECOGNISED, device or UNRECOGNISED, agent_class, rule)


@lru_cache(maxsize=4096)
def _name(family: str) -> str:
    return mask_addresses(_UNPRINTABLE.sub("?", family)[:LONGEST_NAME])[:LONGEST_NAME].strip()


def line_rule(method: str, path: str, status: int) -> str | None:
    """The rule by which a line comes from a scanner, whoever it says it is; None when nothing in it says so.

    path is canonical (``spark_jobs.canonical``). A request line that is none is no rule when it timed out.
    """
    if path == MALFORMED_PATH or method == MALFORMED_METHOD:
        return None if status == REQUEST_TIMEOUT else MALFORMED_REQUEST
    if method not in METHODS:
        return UNKNOWN_METHOD
    found = probed(path)
    if found is None or (found.only_when_refused and not 400 <= status < 500):
        return None
    return f"{PROBING_PATH}: {found.looked_for}"


def rule_classes() -> dict[str, str]:
    """Every rule there is, with its class: about 1,500, whatever is sent."""
    return {
        **{rule: agent_class for agent_class, rule, _ in DECLARATIONS if agent_class},
        **dict.fromkeys((BROWSER, APPLICATION), HUMAN),
        **dict.fromkeys((PARSER_SPIDER, NAMES_NO_BROWSER), BOT),
        **dict.fromkeys((NO_USER_AGENT, UNRECOGNISED), UNKNOWN),
        **dict.fromkeys((MALFORMED_REQUEST, UNKNOWN_METHOD), SCANNER),
        **{f"{PROBING_PATH}: {what}": SCANNER for what in LOOKED_FOR},
    }

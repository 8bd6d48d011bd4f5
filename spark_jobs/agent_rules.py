"""Who asks: browser, system, device and class of an agent, from its user agent and from what it asks for.

``classify`` sees the user agent alone, ``line_rule`` method, path and answer alone: pure functions of one line, so
that neither the order of arrival nor a replay changes a class. Rules and figures: docs/decisions/0034-agent-classes.md.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from ua_parser import Domain, Resolver, load_lazy_builtins
from ua_parser.lazy import UserAgentMatcher
from ua_parser.regex import Resolver as RegexResolver

from producers.access_log import MALFORMED_METHOD, MALFORMED_PATH
from spark_jobs.canonical import mask_addresses
from spark_jobs.probing import WHAT, probed

RULES_VERSION = 1
LONGEST_USER_AGENT = 512  # bytes of it that are looked at
LONGEST_NAME = 100
CACHED_USER_AGENTS = 16_384

HUMAN, BOT, SCANNER, TOOL, UNKNOWN = "human", "bot", "scanner", "tool", "unknown"
NO_USER_AGENT, UNRECOGNISED, BROWSER, APPLICATION = "no user agent", "unrecognised", "browser", "application"
SAYS_SCANNER, SAYS_BOT, GIVES_CONTACT = "says scanner", "says bot", "gives a web or mail address"
PARSER_SPIDER, NAMES_NO_BROWSER = "parser: spider", "compatible, names no browser"
MALFORMED_REQUEST, UNKNOWN_METHOD, PROBING_PATH = "malformed request", "unknown method", "probing path"

# The methods registered at https://www.iana.org/assignments/http-methods but PRI, which only opens HTTP/2.
METHODS = frozenset(
    """ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY
    MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PUT QUERY REBIND
    REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL""".split()
)
REQUEST_TIMEOUT = 408  # browsers open connections ahead and let them lapse: no request line, and no attack


# What reads like a crawler and is none, asked before anything else: phones and an app named like crawlers, browsers of
# search engines, browsers that name their maker's page.
_NO_DECLARATION = (
    r"(?i)CUBOT|[;(] ?(?:M|B|ID|POWER) ?bot\b|[;(] ?(?:M|B|ID) ?bot ?[0-9]|Butterfly(?: [0-9A-Z]+|_s)? Build/",
    r" Blackboard/[0-9]|; Opera Mini/|SogouMSE|SogouMobileBrowser|MetaSr|SmartTV/",
    r"(?i)bsalsa\.com|avantbrowser\.com|orcabrowser\.com|QtWeb|kangaroo-personal|vinn\.com",
    r"^Safari%20Technology%20Preview/",
)
# Who calls itself a scanner, bot or tool without being on the list, in the order asked.
_OWN_RULES = (
    (
        SCANNER,
        SAYS_SCANNER,
        r"(?i)\bscan(?:ner|ning)?\b|scanner|vulnerab|pentest|security[ -]?(?:audit|research|test)",
    ),
    (
        BOT,
        SAYS_BOT,
        r"(?i)bot(?:[^a-z]|$)|robot|crawl|spider|scrap(?:er|ing|y)|slurp|fetch(?:er|ing)?\b|monitor|check(?:er|ing)?\b"
        r"|validat|archiv|index(?:er|ing)\b|\bfeed|feed(?:er|s)?\b|\brss\b|probe|survey|research|analy[sz]|headless"
        r"|preview|search ?engine|\bnutch|\bheritrix|harvest|sitemap|backlink|\buptime"
        r"|page ?speed|search console|\bPTST\b|\bWPM\b|webkit2png|wkhtmlto|webthumb|websnap|web-capture|-google(?:/|\))",
    ),
    (
        BOT,
        GIVES_CONTACT,
        r"(?i)https?:/|\bwww\.|[a-z0-9._-](?:@|\(at\)|\[at\]| at )[a-z0-9-]+(?:\.|\(dot\)|\[dot\]| dot )[a-z]",
    ),
    (
        TOOL,
        "http library",
        r"(?i)^(?:java|python|php|ruby|perl|go|node|lua|curl|wget|lwp|libwww|okhttp|axios|got|guzzle|http|aio|rest|"
        r"apache|jakarta|restsharp|pip|git|kubectl|symbolicator|mojolicious|request\.js|curb|webdav|davclnt|microsoft-webdav|zend|snoopy|winhttp|mechanize|undici|reqwest|faraday|typhoeus|dart|deno|bun|coldfusion|powershell)"
        r"(?:$|[^a-z]|[-_. ]?(?:http|client|requests?|urllib|fetch|xmlrpc|simple|cli))",
    ),
    (TOOL, "http library", r"(?i)http[-_ ]?(?:client|request|kit|lib|unit)|\bfetch api\b|\burllib|\bxmlrpc|winhttp"),
)
_TOOL_TAGS = frozenset({"http-library", "browser-automation"})
_UNPRINTABLE = re.compile(r"[^ -~]+")
_BROWSER_LIKE = re.compile(r"[\"' ]?(?:Mozilla|Opera)/")
_NAMES_NO_BROWSER = re.compile(r"Mozilla/[45]\.[0-9] \(compatible; ")
_NAME_NOISE = re.compile(r"\\[sSdDwWb]|[\\^$*+?()\[\]{}]")


class Agent(msgspec.Struct, frozen=True):
    """What a user agent tells; every text printable ASCII, without addresses, of at most 100 characters."""

    browser: str
    os: str
    device: str
    agent_class: str
    rule: str


def _listed_class(tags: list[str]) -> str:
    if "scanner" in tags:
        return SCANNER
    return TOOL if _TOOL_TAGS.issuperset(tags) else BOT


def _rules() -> list[tuple[str, str, str]]:
    """(class, rule, pattern) in the order asked; the first that matches decides. An empty class: go on as a browser."""
    listed = [
        (_listed_class(entry["tags"]), _NAME_NOISE.sub("", entry["pattern"]).strip(" /-|")[:60], entry["pattern"])
        for entry in CRAWLER_USER_AGENTS_DATA
    ]
    listed.sort(key=lambda rule: (SCANNER, BOT, TOOL).index(rule[0]))
    words = {SCANNER: "scanner list", BOT: "crawler list", TOOL: "tool list"}
    no_declaration = [("", "", pattern) for pattern in _NO_DECLARATION]
    return (
        no_declaration
        + [(kind, f"{words[kind]}: {name}", pattern) for kind, name, pattern in listed]
        + list(_OWN_RULES)
    )


_RULES = _rules()
# ua-parser's resolver serves our list as well: the first pattern that matches, found by its prefilter over all of
# them in 4 us where one search after the other takes 313, and in time linear in the text.
_DECIDE: Resolver = RegexResolver(
    ([UserAgentMatcher(f"({pattern})", str(index)) for index, (_, _, pattern) in enumerate(_RULES)], [], [])
)
_PARSE: Resolver = RegexResolver(load_lazy_builtins())


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
    browser = _name(parsed.user_agent.family if parsed.user_agent else "")
    system = _name(parsed.os.family if parsed.os else "")
    device = _name(parsed.device.family if parsed.device else "")
    decided = _DECIDE(text, Domain.USER_AGENT).user_agent
    agent_class, rule, _ = _RULES[int(decided.family)] if decided else ("", "", "")
    if not agent_class:
        if device == "Spider" and not decided:
            agent_class, rule = BOT, PARSER_SPIDER
        elif _NAMES_NO_BROWSER.match(text) and not (browser or system):
            agent_class, rule = BOT, NAMES_NO_BROWSER
        elif browser and (system or device) and _BROWSER_LIKE.match(text):
            agent_class, rule = HUMAN, BROWSER
        elif browser and (system or device):
            agent_class, rule = HUMAN, APPLICATION
        else:
            agent_class, rule = UNKNOWN, UNRECOGNISED
    return Agent(browser or UNRECOGNISED, system or UNRECOGNISED, device or UNRECOGNISED, agent_class, rule)


@lru_cache(maxsize=4096)
def _name(family: str) -> str:
    return mask_addresses(_UNPRINTABLE.sub("?", family)[:LONGEST_NAME])[:LONGEST_NAME].strip()


_NOBODY = Agent("", "", "", UNKNOWN, NO_USER_AGENT)


def line_rule(method: str, path: str, status: int) -> str | None:
    """The rule by which a line comes from a scanner, whoever it says it is; None when nothing in it says so.

    path is canonical (``spark_jobs.canonical``). A request line that is none is no rule when it timed out.
    """
    if path == MALFORMED_PATH or method == MALFORMED_METHOD:
        return None if status == REQUEST_TIMEOUT else MALFORMED_REQUEST
    if method not in METHODS:
        return UNKNOWN_METHOD
    what = probed(path)
    if what is None or (what[1] and not 400 <= status < 500):
        return None
    return f"{PROBING_PATH}: {what[0]}"


def rule_classes() -> dict[str, str]:
    """Every rule there is, with its class: about 1,500, whatever is sent."""
    return dict(_CLASSES)


def agent_class_of(rule: str) -> str:
    """The class a rule gives; raises KeyError for a rule that is none of this version."""
    return _CLASSES[rule]


_CLASSES: dict[str, str] = {
    **{rule: agent_class for agent_class, rule, _ in _RULES if agent_class},
    **dict.fromkeys((BROWSER, APPLICATION), HUMAN),
    **dict.fromkeys((PARSER_SPIDER, NAMES_NO_BROWSER), BOT),
    **dict.fromkeys((NO_USER_AGENT, UNRECOGNISED), UNKNOWN),
    **dict.fromkeys((MALFORMED_REQUEST, UNKNOWN_METHOD, *(f"{PROBING_PATH}: {what}" for what in WHAT)), SCANNER),
}

"""Who declares itself a scanner, bot or tool by its user agent: the maintained list first, then our own patterns.

The list is the package crawler-user-agents (MIT): patterns with tags, kept current by its maintainers. Our own
patterns catch what declares itself in words without being on it, and name what only looks like a declaration. They
are written for a linear-time engine: no look-around, no back-reference.
"""

from __future__ import annotations

import re

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

HUMAN, BOT, SCANNER, TOOL, UNKNOWN = "human", "bot", "scanner", "tool", "unknown"

# Asked before anything else: phones and an app named like crawlers, browsers of search engines, browsers that name
# their maker's page.
_NO_DECLARATION = (
    r"(?i)CUBOT|[;(] ?(?:M|B|ID|POWER) ?bot\b|[;(] ?(?:M|B|ID) ?bot ?[0-9]|Butterfly(?: [0-9A-Z]+|_s)? Build/",
    r" Blackboard/[0-9]|; Opera Mini/|SogouMSE|SogouMobileBrowser|MetaSr|SmartTV/",
    r"(?i)bsalsa\.com|avantbrowser\.com|orcabrowser\.com|QtWeb Internet Browser|kangaroo-personal|vinn\.com",
    r"^Safari%20Technology%20Preview/",
)
_SAYS_SCANNER = r"(?i)\bscan(?:ning)?\b|scanner|vulnerab|pentest|security[ -]?(?:audit|research|test)"
_SAYS_BOT = (
    r"(?i)bot(?:[^a-z]|$)|robot|crawl|spider|scrap(?:er|ing|y)|slurp|fetch(?:er|ing)?\b|monitor|check(?:er|ing)?\b"
    r"|validat|archiv|index(?:er|ing)\b|\bfeed|feed(?:er|s)?\b|\brss\b|probe|survey|research|analy[sz]|headless"
    r"|preview|search ?engine|\bnutch|\bheritrix|harvest|sitemap|backlink|\buptime|page ?speed|search console"
    r"|\bPTST\b|\bWPM\b|webkit2png|wkhtmlto|webthumb|websnap|web-capture|-google(?:/|\))"
    r"|google-[a-z]|screenshot|grabber|collector|inspector|lookup|\brobo|transcod"
)
# Programs known by name that declare nothing else and are not on the list.
_KNOWN_BOTS = (
    r"(?i)^mail\.ru/|compatible; mail\.ru/|mnogosearch|^browsershots|\bdcv\b|sectigo\.com/|grub-client|^sprinklr"
    r"|dynatracesynthetic|\bowler\b|pocketimagecache|^facebookexternalua|barracuda sentinel|claude-web|cloudflare-?"
    r"(?:diagnostics|observatory)|\biplabel;|microsoft url control|^wordupinfo|^bidtellect|emailproxy|imageproxy"
)
_KNOWN_SCANNERS = r"(?i)^gobuster|^l9tcpid|\barachni\b|\$\{jndi:|assetnote"
# A web or mail address, also one written out ("info at example dot org"): whom a bot's maker wants to be asked.
_GIVES_CONTACT = (
    r"(?i)https?:/|\bwww\.|[a-z0-9._-](?:@|\(at\)|\[at\]| at )[a-z0-9-]+(?:\.|\(dot\)|\[dot\]| dot )[a-z]"
)
_LIBRARY_IN_FRONT = (
    r"(?i)^(?:java|python|php|ruby|perl|go|node|lua|curl|curb|wget|lwp|libwww|okhttp|axios|got|guzzle|http|aio|rest"
    r"|restsharp|apache|jakarta|zend|snoopy|winhttp|mechanize|undici|reqwest|faraday|typhoeus|dart|deno|bun|pip|git"
    r"|kubectl|symbolicator|mojolicious|request\.js|apachebench|webdav|davclnt|microsoft-webdav|coldfusion|powershell)"
    r"(?:$|[^a-z]|[-_. ]?(?:http|client|requests?|urllib|fetch|xmlrpc|simple|cli))"
)
_LIBRARY_WITHIN = r"(?i)http[-_ ]?(?:client|request|kit|lib|unit)|\bfetch api\b|\burllib|\bxmlrpc|winhttp"

_OWN = (
    (SCANNER, "known scanner", _KNOWN_SCANNERS),
    (SCANNER, "says scanner", _SAYS_SCANNER),
    (BOT, "known bot", _KNOWN_BOTS),
    (BOT, "says bot", _SAYS_BOT),
    (BOT, "gives a web or mail address", _GIVES_CONTACT),
    (TOOL, "http library", _LIBRARY_IN_FRONT),
    (TOOL, "http library", _LIBRARY_WITHIN),
)

_TOOL_TAGS = frozenset({"http-library", "browser-automation"})
_LIST_NAMES = {SCANNER: "scanner list", BOT: "crawler list", TOOL: "tool list"}
_PATTERN_SIGNS = re.compile(r"\\[sSdDwWb]|[\\^$*+?()\[\]{}]")
_FIRST_OF_SET = re.compile(r"\[(\w)\w?\]")
_LONGEST_LISTED_NAME = 60


def _listed_class(tags: list[str]) -> str:
    if "scanner" in tags:
        return SCANNER
    return TOOL if _TOOL_TAGS.issuperset(tags) else BOT


def _listed() -> list[tuple[str, str, str]]:
    rules = []
    for entry in CRAWLER_USER_AGENTS_DATA:
        kind, pattern = _listed_class(entry["tags"]), entry["pattern"]
        name = _PATTERN_SIGNS.sub("", _FIRST_OF_SET.sub(r"\1", pattern)).strip(" /-|")[:_LONGEST_LISTED_NAME]
        rules.append((kind, f"{_LIST_NAMES[kind]}: {name}", pattern))
    # A crawler that says which library it is made with is a crawler.
    return sorted(rules, key=lambda rule: (SCANNER, BOT, TOOL).index(rule[0]))


# (class, rule, pattern) in the order asked; the first that matches decides. Without a class: go on as a browser.
DECLARATIONS: list[tuple[str, str, str]] = [("", "", pattern) for pattern in _NO_DECLARATION] + [*_listed(), *_OWN]

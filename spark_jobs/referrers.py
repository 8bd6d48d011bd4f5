"""Who sent a visitor: the referrer's host and class, the campaign that a link names. Nothing else of a URL is kept.

The lists are short on purpose: the hosts that account for nearly all such visits, by the name they send as referrer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import quote, unquote

from spark_jobs.canonical import QUERY_START, mask_personal

LISTS_VERSION = 1
SEARCH, SOCIAL, INTERNAL, OTHER, NONE = "search", "social", "internal", "other", "none"
MALFORMED_REFERRER = "(malformed)"
CAMPAIGN_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
LONGEST_VALUE = 100
LONGEST_REFERRER = 512  # characters that are looked at; its host stands in front
LONGEST_QUERY = 4096
MOST_PARAMETERS = 100

# Web search. Mail, documents and log-in pages of the same companies are other sites, hence the few subdomains.
_SEARCH = re.compile(
    r"(?:(?:images|news|scholar|m|encrypted|cse|ipv4|ipv6)\.)?google\.(?:com|cat|[a-z]{2}|com?\.[a-z]{2})"
    r"|(?:(?:[a-z]{2}|cn|images|m|video|image|search)\.)?(?:bing\.com|ecosia\.org|qwant\.com|ask\.com|aol\.com|naver\.com)"
    r"|(?:[a-z-]{1,20}\.)?search\.yahoo\.(?:com|co\.jp)|(?:[a-z]{2}\.)?yahoo\.com"
    r"|(?:(?:html|lite|start|safe|r)\.)?duckduckgo\.com"
    r"|(?:(?:m|images)\.)?(?:yandex|ya)\.(?:ru|com|com\.tr|by|kz|uz|net|eu)"
    r"|(?:(?:m|wap|image|news)\.)?(?:baidu|sogou|so|sm|haosou)\.(?:com|cn)"
    r"|search\.(?:brave\.com|seznam\.cz|daum\.net|marginalia\.nu|naver\.com|aol\.com|lilo\.org|goo\.ne\.jp|avira\.com|alice\.it)"
    r"|(?:(?:eu|us|s[0-9]{1,2})(?:-browse)?\.)?startpage\.com"
    r"|(?:kagi|mojeek|metager|swisscows|gibiru|dogpile|presearch|you|coccoc|petalsearch|search-results)\.(?:com|org|de|es)"
    r"|com\.google\.android\.googlequicksearchbox"
)
_SOCIAL = re.compile(
    r"(?:[a-z0-9-]{1,20}\.)?(?:facebook|instagram|twitter|x|reddit|linkedin|pinterest|tumblr|tiktok|youtube|threads|vk"
    r"|weibo|snapchat|quora|xing|discord|whatsapp|messenger|flipboard|bilibili|zhihu|douban|odnoklassniki|mix"
    r"|stackexchange|stackoverflow|meetup|goodreads|slashdot|digg|stumbleupon|livejournal)\.(?:com|net)"
    r"|(?:[a-z]{1,2}\.)?(?:ok\.ru|fb\.me|fb\.com|t\.co|lnkd\.in|redd\.it|pin\.it|youtu\.be|t\.me|telegram\.org|telegram\.me|wa\.me)"
    r"|pinterest\.(?:[a-z]{2}|co\.[a-z]{2}|com\.[a-z]{2})"
    r"|bsky\.app|go\.bsky\.app|mastodon\.(?:social|online|cloud)|fosstodon\.org|mstdn\.(?:jp|social)|lemmy\.(?:world|ml)"
    r"|news\.ycombinator\.com|lobste\.rs|plus\.google\.com|out\.reddit\.com"
    r"|(?:com\.(?:facebook|instagram|twitter|reddit|linkedin|pinterest|tumblr|vkontakte|zhihu))\.[a-z.]{1,40}"
    r"|org\.telegram\.[a-z.]{1,40}"
)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,252}[a-z0-9])?|:ip")
# A value may be a link with a query string, or a fragment, of its own: what names a parameter ends it.
_PARAMETER = re.compile(r"[&#;][^&#;= ]{1,64}=")
_UNPRINTABLE = re.compile(r"[^ -~]+")


def host_name(text: str) -> str:
    """A host in lower case, in ASCII (IDNA), without port, final dot and ``www.``; addresses are masked.

    What is no host name is ``(malformed)``. Of a long name the last 100 characters are kept: they say whose it is.
    """
    host = text[:-1] if text.endswith(".") else text
    if host.startswith("["):
        host = mask_personal(host[1:].partition("]")[0])
    elif ":" in host:
        host = host.partition(":")[0]
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:  # a label that is empty, too long, or holds what no host may
            return MALFORMED_REFERRER
    host = mask_personal(host.lower().rstrip(".").removeprefix("www."))[-LONGEST_VALUE:].lstrip("._-")
    return host if _HOST.fullmatch(host) else MALFORMED_REFERRER


_cached_host_name = lru_cache(maxsize=16_384)(host_name)


@lru_cache(maxsize=16_384)
def _outside_class(host: str) -> str:
    if _SEARCH.fullmatch(host):
        return SEARCH
    return SOCIAL if _SOCIAL.fullmatch(host) else OTHER


def classify(referrer: str | None, own_hosts: Collection[str]) -> tuple[str, str]:
    """(class, host) of a referrer: search, social, internal, other, or none without one.

    own_hosts: the names the site is known by, as ``host_name`` gives them. A bare path is of the same site.
    """
    if referrer is None or referrer in ("", "-"):
        return NONE, ""
    text = referrer[:LONGEST_REFERRER].strip()
    scheme, found, rest = text.partition("://")
    if not found or not scheme.replace("-", "").isalnum():
        return (INTERNAL, "") if text.startswith("/") and not text.startswith("//") else (OTHER, MALFORMED_REFERRER)
    for end in "/?#\\":
        rest = rest.partition(end)[0]
    host = _cached_host_name(rest.rpartition("@")[2])
    return (INTERNAL if host in own_hosts else _outside_class(host)), host


def campaign(target: str) -> dict[str, str]:
    """The campaign parameters (utm_*) of a request target's query string: name -> value, decoded, in printable ASCII.

    Of a parameter given twice the first counts. Network and e-mail addresses are masked, everything else of the
    query string is dropped, and so is that of a link within a value.
    """
    if "utm_" not in target:
        return {}
    query = target.partition("?")[2].partition("#")[0][:LONGEST_QUERY]
    found: dict[str, str] = {}
    for parameter in query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
        name, _, value = parameter.partition("=")
        if name in CAMPAIGN_PARAMETERS and name not in found:
            value = printable(value)
            if value:
                found[name] = value
    return found


@lru_cache(maxsize=16_384)
def printable(value: str) -> str:
    """A query string's value as it is stored: decoded, masked, other than printable ASCII percent-encoded, cut.

    It ends where a query string of its own begins (``?`` or ``%3F``), or another parameter (``&token=``).
    """
    value = value.replace("+", " ")
    for _ in range(3):  # as often as the path, so that nothing hides behind another encoding
        value = unquote(value, errors="backslashreplace")
    value = _PARAMETER.split(QUERY_START.split(value, maxsplit=1)[0], maxsplit=1)[0]
    value = _UNPRINTABLE.sub(lambda found: quote(found[0], errors="backslashreplace"), mask_personal(value))
    return mask_personal(value[:LONGEST_VALUE])[:LONGEST_VALUE].strip()

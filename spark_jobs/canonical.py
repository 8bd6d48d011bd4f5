"""What a stranger typed, made fit to be stored: one canonicaliser for everything that reaches Postgres."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address
from urllib.parse import quote, unquote

from iptocc import country_code

from producers.access_log import MALFORMED_PATH
from sql.stored_text import ADDRESS

LONGEST_PATH = 512
LONGEST_SEARCHED = 2048  # characters of a path that are looked through for addresses; what is behind is cut anyway
MASK = ":ip"
PERSONAL = ":id"

# RFC 3986 section 3.3 (pchar and "/"), and "%" so that what was encoded stays as it was.
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~%"
# Where a query string begins, also when its question mark is percent-encoded, however often.
QUERY_START = re.compile(r"\?|%(?:25)*3[Ff]")
_ABSOLUTE_FORM = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
# A candidate is bounded and taken whole, so that no text makes the search slower than linear.
_CANDIDATE = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:.]{2,64}(?![0-9A-Za-z:])")
# What names one person or lets one in: an e-mail address (not logo@2x.png), a JSON Web Token (RFC 7519) or what is
# built like one, a session's id, and a path's segment that is nothing but a UUID or 32 hexadecimal digits and more.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}([A-Za-z]{2,63})")
_FILE_ENDINGS = frozenset(
    (
        "avif",
        "css",
        "gif",
        "htm",
        "html",
        "ico",
        "jpeg",
        "jpg",
        "js",
        "json",
        "map",
        "mjs",
        "php",
        "png",
        "svg",
        "webp",
    )
)
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}")
_SESSION = re.compile(r"(?i)(;[a-z]{0,5}(?:session_?id|sessid|sid)=)[^/;]*")
_LONE_ID = re.compile(
    r"(?<![^/])(?:[0-9A-Fa-f]{32,128}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})(?![^/])"
)


def _mask_if_address(match: re.Match[str]) -> str:
    text = match.group()
    address = text.rstrip(".:") if not text.endswith("::") else text
    try:
        ip_address(address)
    except ValueError:
        return text
    return MASK + text[len(address) :]


def mask_addresses(text: str) -> str:
    """The text with every IPv4 and IPv6 address replaced by ``:ip``: no address is stored in Postgres."""
    masked = _CANDIDATE.sub(_mask_if_address, text)
    while ADDRESS.search(masked):  # also what only looks like one, and would turn a seal red
        masked = ADDRESS.sub(MASK, masked)
    return masked


def _mask_if_email(match: re.Match[str]) -> str:
    return match.group() if match.group(1).lower() in _FILE_ENDINGS else PERSONAL


def mask_personal(text: str) -> str:
    """The text without network addresses (``:ip``), e-mail addresses and tokens (``:id``)."""
    if "@" in text:
        text = _EMAIL.sub(_mask_if_email, text)
    if "eyJ" in text:
        text = _TOKEN.sub(PERSONAL, text)
    return mask_addresses(text)


def _mask_encoded(path: str) -> str:
    """The path without what names a person, also where it is percent-encoded, up to three times."""
    plain = path
    for _ in range(3):
        plain = unquote(plain, errors="backslashreplace")
    plain, query, _ = plain.partition("?")  # one whose own percent-encoding was encoded
    masked = _mask_segments(plain)
    return masked if query or masked != plain else _mask_segments(path)


def _mask_segments(path: str) -> str:
    return mask_personal(_LONE_ID.sub(PERSONAL, _SESSION.sub(rf"\g<1>{PERSONAL}", path)))


def canonical_path(target: str) -> str:
    """Path of a request target: no scheme, authority, query (``?`` or ``%3F``) or fragment; printable ASCII; bounded.

    Percent-encodes what RFC 3986 does not allow in a path, masks what names a person (``:ip``, ``:id``), and cuts
    what is longer than 512 bytes with a hash of the whole, so that different long paths stay different.
    A target that is no path (``*`` aside) becomes ``(malformed)``. Case is kept.
    """
    # Cached without the query string, which differs from line to line.
    return MALFORMED_PATH if target.startswith("?") else _canonical_path(target.partition("?")[0])


@lru_cache(maxsize=65_536)
def _canonical_path(target: str) -> str:
    path = (_ABSOLUTE_FORM.sub("", target, count=1) or "/").partition("#")[0] or "/"
    path = QUERY_START.split(path, maxsplit=1)[0]
    if path == "*":
        return path
    if not path.startswith("/"):
        return MALFORMED_PATH
    whole = path
    path = quote(_mask_encoded(path[:LONGEST_SEARCHED]), safe=_PATH_CHARACTERS, errors="backslashreplace")
    if len(path) > LONGEST_PATH or len(whole) > LONGEST_SEARCHED:
        tail = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        path = f"{path[: LONGEST_PATH - len(tail) - 1]}~{tail}"
    # Encoding and cutting may have made something that reads as an address again.
    return _mask_segments(path)


@lru_cache(maxsize=65_536)
def registered_country(ip: str) -> str:
    """ISO 3166 alpha-2 code of the country where the address is registered; empty when unknown.

    Source: the five registries' delegation files as packaged by ``iptocc``.
    """
    address = ip.removeprefix("::ffff:").removeprefix("::FFFF:")
    return country_code(address) or ""

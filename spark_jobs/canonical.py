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
LONGEST_SAMPLE = 1024
MASK = ":ip"
PERSONAL = ":id"
HIDDEN = ":text"

# RFC 3986 section 3.3 (pchar and "/"), and "%" so that what was encoded stays as it was.
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~%"
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
# What a sample of a record must not show: the client's name, and what stands behind a question mark.
_CLIENT_FIELD = re.compile(r'("ip"\s*:\s*")[^"]*')
# Text of fields that are not the contract's, and of those that tell of a person; also where the sample is cut.
_OTHER_FIELD = re.compile(
    r'("(?!(?:ts|ip|method|path|status|bytes|site|latency_ms|country|source|seq|error|raw|protocol|host)")'
    r'[^"\\]{0,64}"\s*:\s*")(?:[^"\\]|\\.)*("|\\?$)'
)
_RAW_LINE = re.compile(r'"raw"\s*:\s*"')
_FIRST_WORD = re.compile(r'\A[^ "]+')
_ANSWER = re.compile(r"[ 0-9-]{0,24}")
_QUERY = re.compile(r'\?[^ "]*')


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
    masked = _mask_segments(plain)
    return masked if masked != plain else _mask_segments(path)


def _mask_segments(path: str) -> str:
    return mask_personal(_LONE_ID.sub(PERSONAL, _SESSION.sub(rf"\g<1>{PERSONAL}", path)))


def canonical_path(target: str) -> str:
    """Path of a request target: no scheme, authority, query or fragment; printable ASCII; bounded.

    Percent-encodes what RFC 3986 does not allow in a path, masks what names a person (``:ip``, ``:id``), and cuts
    what is longer than 512 bytes with a hash of the whole, so that different long paths stay different.
    A target that is no path (``*`` aside) becomes ``(malformed)``. Case is kept.
    """
    # Cached without the query string, which differs from line to line.
    return MALFORMED_PATH if target.startswith("?") else _canonical_path(target.partition("?")[0])


@lru_cache(maxsize=65_536)
def _canonical_path(target: str) -> str:
    path = (_ABSOLUTE_FORM.sub("", target, count=1) or "/").partition("#")[0] or "/"
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


def printable_sample(record: bytes) -> str:
    """The start of a record as printable ASCII, other bytes as ``\\xNN``, without what tells of a person.

    Of a log line, also one within ``raw``, the request and the numbers behind it stay; of a JSON object the fields of
    the wire contract but client, referrer and user agent. Query strings, addresses and the like go everywhere.
    """
    text = record[:LONGEST_SAMPLE].decode("ascii", "backslashreplace")
    escaped = "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)
    raw = _RAW_LINE.search(escaped)
    if raw is not None:
        line = _FIRST_WORD.sub(MASK, escaped[raw.end() :], count=1)
        escaped = escaped[: raw.end()] + _request_only(line, '\\"')
    elif not escaped.lstrip().startswith("{"):
        escaped = _request_only(escaped, '"')
    escaped = _OTHER_FIELD.sub(rf"\g<1>{HIDDEN}\g<2>", _CLIENT_FIELD.sub(rf"\g<1>{MASK}", escaped))
    return mask_personal(_QUERY.sub("?", escaped)[:2000])[:2000]


def _request_only(line: str, quote: str) -> str:
    """Client and user names stand before the time, in brackets; referrer and user agent behind the request."""
    parts = line.split(quote, 2)
    if len(parts) < 3:
        return line
    _, bracket, time = parts[0].partition("[")
    answer = _ANSWER.match(parts[2])
    return f"{MASK} {bracket}{time}{quote}{parts[1]}{quote}{answer[0] if answer else ''}{HIDDEN}"

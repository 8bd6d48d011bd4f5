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

# RFC 3986 section 3.3 (pchar and "/"), and "%" so that what was encoded stays as it was.
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~%"
_ABSOLUTE_FORM = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
# A candidate is bounded and taken whole, so that no text makes the search slower than linear.
_CANDIDATE = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:.]{2,64}(?![0-9A-Za-z:])")
# An e-mail address, and a JSON Web Token (RFC 7519) or what is built like one: they name or let in one person.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}")
# What a sample of a record must not show: the client's name, and what stands behind a question mark.
_CLIENT_FIELD = re.compile(r'("ip"\s*:\s*")[^"]*')
_FIRST_WORD = re.compile(r'("raw"\s*:\s*")[^ "]*')
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


def mask_personal(text: str) -> str:
    """The text without network addresses (``:ip``), e-mail addresses and tokens (``:id``)."""
    if "@" in text:
        text = _EMAIL.sub(PERSONAL, text)
    if "eyJ" in text:
        text = _TOKEN.sub(PERSONAL, text)
    return mask_addresses(text)


def _mask_encoded(path: str) -> str:
    """The path without addresses, also where they are percent-encoded, up to three times."""
    plain = path
    for _ in range(3):
        plain = unquote(plain, errors="backslashreplace")
    masked = mask_addresses(plain)
    return masked if masked != plain else mask_addresses(path)


@lru_cache(maxsize=65_536)
def canonical_path(target: str) -> str:
    """Path of a request target: no scheme, authority, query or fragment; printable ASCII; bounded.

    Percent-encodes what RFC 3986 does not allow in a path, masks addresses, and cuts what is longer than
    512 bytes with a hash of the whole, so that different long paths stay different.
    A target that is no path (``*`` aside) becomes ``(malformed)``. Case is kept.
    """
    path = _ABSOLUTE_FORM.sub("", target, count=1) or "/"
    path = path.split("?", 1)[0].split("#", 1)[0]
    if path == "*":
        return path
    if not path.startswith("/"):
        return "/" if path == "" and target != "" and target[0] != "?" else MALFORMED_PATH
    whole = path
    path = quote(_mask_encoded(path[:LONGEST_SEARCHED]), safe=_PATH_CHARACTERS, errors="backslashreplace")
    if len(path) > LONGEST_PATH or len(whole) > LONGEST_SEARCHED:
        tail = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        path = f"{path[: LONGEST_PATH - len(tail) - 1]}~{tail}"
    # Encoding and cutting may have made something that reads as an address again.
    return mask_addresses(path)


@lru_cache(maxsize=65_536)
def registered_country(ip: str) -> str:
    """ISO 3166 alpha-2 code of the country where the address is registered; empty when unknown.

    Source: the five registries' delegation files as packaged by ``iptocc``.
    """
    address = ip.removeprefix("::ffff:").removeprefix("::FFFF:")
    return country_code(address) or ""


def printable_sample(record: bytes) -> str:
    """The start of a record as printable ASCII: other bytes as ``\\xNN``, no client, address, or query string."""
    text = record[:LONGEST_SAMPLE].decode("ascii", "backslashreplace")
    escaped = "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)
    escaped = _FIRST_WORD.sub(rf"\g<1>{MASK}", _CLIENT_FIELD.sub(rf"\g<1>{MASK}", escaped))
    return mask_addresses(_QUERY.sub("?", escaped)[:2000])

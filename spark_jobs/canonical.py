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
LONGEST_SAMPLE = 1024
MASK = ":ip"

# RFC 3986 section 3.3 (pchar and "/"), and "%" so that what was encoded stays as it was.
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~%"
_ABSOLUTE_FORM = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_IPV4 = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.]*[0-9])")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?![0-9A-Za-z:])")


def _mask_if_address(match: re.Match[str]) -> str:
    text = match.group()
    try:
        ip_address(text)
    except ValueError:
        return text
    return MASK


def mask_addresses(text: str) -> str:
    """The text with every IPv4 and IPv6 address replaced by ``:ip``: no address is stored in Postgres."""
    masked = _IPV6.sub(_mask_if_address, _IPV4.sub(_mask_if_address, text))
    while ADDRESS.search(masked):  # what only looks like one, and would turn a seal red
        masked = ADDRESS.sub(MASK, masked)
    return masked


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
    path = quote(_mask_encoded(path), safe=_PATH_CHARACTERS, encoding="utf-8", errors="backslashreplace")
    if len(path) > LONGEST_PATH:
        tail = blake2b(path.encode("ascii"), digest_size=8).hexdigest()
        path = f"{path[: LONGEST_PATH - len(tail) - 1]}~{tail}"
    return path


@lru_cache(maxsize=65_536)
def registered_country(ip: str) -> str:
    """ISO 3166 alpha-2 code of the country where the address is registered; empty when unknown.

    Source: the five registries' delegation files as packaged by ``iptocc``.
    """
    address = ip.removeprefix("::ffff:").removeprefix("::FFFF:")
    return country_code(address) or ""


def printable_sample(record: bytes) -> str:
    """The start of a record as printable ASCII: other bytes as ``\\xNN``, addresses masked."""
    text = record[:LONGEST_SAMPLE].decode("ascii", "backslashreplace")
    escaped = "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)
    return mask_addresses(escaped)[:2000]

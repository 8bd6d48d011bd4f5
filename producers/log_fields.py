"""Repair of single log fields: escapes back to bytes, bytes to safe text, request lines, timestamps.

Methods, targets, user agents and referrers are whatever a stranger typed, so nothing here may raise on them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote_from_bytes

from apachelogs import parse_apache_timestamp

from producers.access_log import LONGEST_HOST, MALFORMED_METHOD, MALFORMED_PATH

_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPED_LETTERS = {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
_RAW = re.compile(rb"[^ -~]")
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ([^ ]+) (HTTP/[0-9](?:\.[0-9])?)")
_PROTOCOL = re.compile(r"HTTP/[0-9](?:\.[0-9])?")
_SCHEME_AND_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_APACHE_TIME = re.compile(
    r"\[([0-9]{2}/[A-Za-z]{3}/[0-9]{4}):([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60) ([+-][0-9]{4})\]"
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def escape_raw_bytes(line: bytes) -> bytes:
    r"""Write every byte that is not printable ASCII as ``\xHH``, as Apache itself does."""
    return _RAW.sub(lambda match: b"\\x%02x" % match[0][0], line)


def unescape(field: str) -> bytes:
    r"""The bytes behind a logged field: ``\"``, ``\\``, ``\xHH`` and the letter escapes undone."""
    data = field.encode("latin-1")
    return _ESCAPE.sub(_unescape_one, data) if b"\\" in data else data


def _unescape_one(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes.fromhex(match[1].decode("ascii"))
    return _ESCAPED_LETTERS.get(match[2], match[2])


def text(field: str) -> str | None:
    """A logged user agent or referrer as text; ``-`` is None, bytes that are not UTF-8 stay visible."""
    if field == "-":
        return None
    return field if "\\" not in field else unescape(field).decode("utf-8", "backslashreplace")


def request(field: str) -> tuple[str, str, str | None]:
    """(method, target, protocol) of a logged request line.

    One that is not ``METHOD target HTTP/x`` is malformed, and its protocol unknown.
    """
    match = _REQUEST.fullmatch(unescape(field))
    if match is None:
        return MALFORMED_METHOD, MALFORMED_PATH, None
    return match[1].decode("ascii"), target(match[2]), match[3].decode("ascii")


def host(field: str | None) -> str | None:
    """A logged virtual host; what a client sent as one may have any length, so it is cut."""
    return None if field in (None, "", "-") else (text(field) or "")[:LONGEST_HOST]


def protocol(field: str | None) -> str | None:
    """A protocol logged on its own (``%H``), when it is one."""
    return field if field is not None and _PROTOCOL.fullmatch(field) else None


def target(data: bytes) -> str:
    """A request target in printable ASCII: other bytes percent-encoded, scheme and authority cut off."""
    path = quote_from_bytes(data, safe=_PRINTABLE)
    if "://" in path:
        origin_form = _SCHEME_AND_AUTHORITY.match(path)
        if origin_form is not None:
            path = path[origin_form.end() :]
            if not path.startswith("/"):
                path = "/" + path
    return path


def apache_time(field: str) -> datetime:
    """``[17/May/2015:10:05:03 +0000]`` in UTC; second 60 is the next second. Raises ValueError."""
    match = _APACHE_TIME.fullmatch(field)
    if match is None:
        raise ValueError(field)
    date, hours, minutes, seconds, offset = match.groups()
    return _midnight(date, offset) + timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))


@lru_cache(maxsize=1024)
def _midnight(date: str, offset: str) -> datetime:
    midnight: datetime = parse_apache_timestamp(f"{date}:00:00:00 {offset}")
    return midnight.astimezone(UTC)

"""The formats a log may have: nicknames, Apache LogFormat strings, JSON lines of the wire contract.

Two of them are recognised from a log's first lines; everything else is named by the user.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable

import apachelogs
import msgspec

from producers.access_log import AccessEvent
from producers.apache_format import ApacheFormat, FormatUnusable, Unparsable

AUTO = "auto"
JSON = "json"
NICKNAMES = {
    "combined": apachelogs.COMBINED,
    "common": apachelogs.COMMON,
    "vhost_combined": apachelogs.VHOST_COMBINED,
    "vhost_common": apachelogs.VHOST_COMMON,
}
CHOICES = f"{', '.join(NICKNAMES)}, {JSON}, or the server's own LogFormat string"
RECOGNISED_WITHIN_LINES = 100

LineParser = Callable[[bytes], AccessEvent]

_JSON_EVENT = msgspec.json.Decoder(AccessEvent)
_JSON_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)


def parser(log_format: str) -> LineParser:
    """The parser of a nickname, ``json`` or a LogFormat string; raises FormatUnusable."""
    if log_format.lower() == JSON:
        return parse_json
    log_format = NICKNAMES.get(log_format.lower(), log_format)
    if "%" not in log_format:
        raise FormatUnusable(f"unknown format {log_format!r}. Known: {CHOICES}")
    return ApacheFormat(log_format.replace('\\"', '"'))


def candidates(log_format: str) -> list[LineParser]:
    """The parsers a log may need: one, or with ``auto`` all nicknames'; raises FormatUnusable."""
    return [parser(name) for name in NICKNAMES] if log_format == AUTO else [parser(log_format)]


def recognise(lines: Iterable[bytes], log_format: str = AUTO) -> tuple[LineParser, AccessEvent]:
    """The parser that fits a log, and its first event: that of the first line, among 100, which fits any.

    Raises FormatUnusable when no line fits.
    """
    parsers = candidates(log_format)
    reason = "it is not there"
    for number, line in enumerate(lines, start=1):
        for candidate in parsers:
            try:
                event = candidate(line)
            except Unparsable as error:
                reason = reason if number > 1 else str(error)
            else:
                return candidate, event
        if number == RECOGNISED_WITHIN_LINES:
            break
    if log_format == AUTO:
        raise FormatUnusable(
            "format not recognised: line 1 is neither in combined nor in common log format, nor is one of the "
            f"{RECOGNISED_WITHIN_LINES - 1} after it. Name it with FORMAT (--format): {CHOICES}"
        )
    raise FormatUnusable(
        f"line 1 and those after it are not in the format {log_format!r} (line 1: {reason}). "
        f"Name the right one with FORMAT (--format): {CHOICES}"
    )


def parse_json(line: bytes) -> AccessEvent:
    r"""The event of a JSON line with the wire contract's fields; raises Unparsable.

    Servers write JSON that is none: Apache ``\xHH`` escapes, nginx bytes that are not UTF-8. Both are repaired
    (as ``%HH`` where they are no UTF-8).
    """
    if not line:
        raise Unparsable("empty line")
    try:
        return _JSON_EVENT.decode(line)
    except msgspec.ValidationError as error:
        raise Unparsable(str(error)[:200]) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    repaired = _JSON_ESCAPE.sub(_repair_escape, line).decode("utf-8", "footfall-percent")
    try:
        return _JSON_EVENT.decode(repaired)
    except msgspec.ValidationError as error:
        raise Unparsable(str(error)[:200]) from error
    except msgspec.DecodeError as error:
        raise Unparsable("not JSON") from error


def _repair_escape(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return match[0]
    byte = int(match[1], 16)
    return bytes([byte]) if byte >= 0x80 else b"\\u%04x" % byte


def _percent_encode(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"%{byte:02X}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("footfall-percent", _percent_encode)

"""One Apache LogFormat string as a parser from a line's bytes to an access event.

``apachelogs`` compiles the format; matching and the conversion of the few fields that travel are ours, because
its own conversion of every field costs three times as much (docs/decisions/0011-log-line-parsing.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import apachelogs
from apachelogs.directives import PLAIN_DIRECTIVES, format2regex
from apachelogs.timeutil import assemble_datetime
from apachelogs.util import FieldType, clf, integer

from producers import log_fields
from producers.access_log import AccessEvent

# An escaped string never holds a bare quote and a host never holds a space: this keeps matching linear in the
# length of a hostile line, and fast.
_ESCAPED = FieldType(r'[^"\\]*?(?:\\.[^"\\]*?)*?', str)
_WORD = FieldType(r'[^ "]+', str)
_DIRECTIVES = PLAIN_DIRECTIVES | {
    "a": ("remote_address", _WORD),
    "h": ("remote_host", _WORD),
    "l": ("remote_logname", _WORD),
    "r": ("request_line", _ESCAPED),
    "u": ("remote_user", FieldType(rf'(?:{_ESCAPED.regex}|"")', str)),
    "U": ("request_uri", _ESCAPED),
    "B": ("bytes_sent", clf(integer)),
    "D": ("request_duration_microseconds", clf(integer)),
    "T": ("request_duration_seconds", clf(integer)),
}
_MILLISECONDS = {
    "request_duration_microseconds": 0.001,
    "request_duration_milliseconds": 1.0,
    "request_duration_seconds": 1000.0,
}


class FormatUnusable(Exception):
    """A format cannot be used or recognised; the message says what to give instead."""


class Unparsable(Exception):
    """A line is not in the format; the message is the reason, one of a small set of sentences."""


class ApacheFormat:
    """Parser of the lines of one LogFormat; raises FormatUnusable when it lacks what an event needs."""

    def __init__(self, log_format: str) -> None:
        try:
            groups, pattern = format2regex(log_format, _DIRECTIVES)
        except (apachelogs.UnknownDirectiveError, apachelogs.InvalidDirectiveError) as error:
            raise FormatUnusable(f"{log_format!r} is not an Apache LogFormat: {error}") from error
        self._match = re.compile(pattern, re.DOTALL).fullmatch
        self._times: list[tuple[int, str, Callable[[Any], Any]]] = []
        self._index: dict[str, int] = {}
        for index, (name, _, convert) in enumerate(groups):
            if isinstance(name, tuple) and name[0].endswith("request_time_fields"):
                self._times.append((index, name[1], convert))
            else:
                flat = ".".join(name) if isinstance(name, tuple) else name
                self._index.setdefault(flat.lower(), index)
        self._plain_time = [kind for _, kind, _ in self._times] == ["timestamp"]
        self._ip = self._place("remote_address", "remote_host", "remote_client_address")
        self._request = self._place("request_line", "original_request_line", "final_request_line")
        self._path = self._place("request_uri", "original_request_uri", "final_request_uri")
        self._method = self._place("request_method")
        self._query = self._place("request_query")
        self._status = self._place("final_status", "status", "original_status")
        self._bytes = self._place("bytes_sent", "bytes_out")
        self._referrer = self._place("headers_in.referer")
        self._user_agent = self._place("headers_in.user-agent")
        self._protocol = self._place("request_protocol")
        # The server's own name for the virtual host comes first: the Host header is whatever a client sent.
        self._host = self._place("virtual_host", "server_name", "headers_in.host")
        self._latencies = [(self._index[n], factor) for n, factor in _MILLISECONDS.items() if n in self._index]
        needed = {
            "%h or %a": self._ip is not None,
            "%t": bool(self._times),
            "%r, or %m and %U": self._request is not None or None not in (self._method, self._path),
            "%>s": self._status is not None,
            "%b, %B or %O": self._bytes is not None,
        }
        missing = [directive for directive, there in needed.items() if not there]
        if missing:
            raise FormatUnusable(f"the LogFormat {log_format!r} lacks {'; '.join(missing)}")

    def _place(self, *names: str) -> int | None:
        return next((self._index[name] for name in names if name in self._index), None)

    def __call__(self, line: bytes) -> AccessEvent:
        """The event of a line without its line ending; raises Unparsable."""
        if not line:
            raise Unparsable("empty line")
        logged = line.decode("latin-1")
        if not (logged.isascii() and logged.isprintable()):
            logged = log_fields.escape_raw_bytes(line).decode("ascii")
        match = self._match(logged)
        if match is None:
            raise Unparsable("not in the log format")
        fields = match.groups()
        method, path, protocol = self._request_parts(fields)
        return AccessEvent(
            ts=self._time(fields),
            ip=_field(fields, self._ip, "client address"),
            method=method,
            path=path,
            status=_number(_field(fields, self._status, "status"), "status"),
            bytes=0 if (size := _field(fields, self._bytes, "bytes")) == "-" else _number(size, "bytes"),
            latency_ms=self._latency(fields),
            referrer=None if self._referrer is None else log_fields.text(fields[self._referrer]),
            user_agent=None if self._user_agent is None else log_fields.text(fields[self._user_agent]),
            protocol=protocol,
            host=None if self._host is None else log_fields.host(fields[self._host]),
        )

    def _request_parts(self, fields: tuple[str | None, ...]) -> tuple[str, str, str | None]:
        if self._request is not None:
            return log_fields.request(_field(fields, self._request, "request"))
        query = fields[self._query] if self._query is not None else None
        # Named apart, the parts pass through the same check as a whole request line.
        path = log_fields.target(log_fields.unescape(_field(fields, self._path, "path")))
        method, path, _ = log_fields.request(f"{_field(fields, self._method, 'method')} {path}{query or ''} HTTP/1.1")
        return method, path, log_fields.protocol(None if self._protocol is None else fields[self._protocol])

    def _time(self, fields: tuple[str | None, ...]) -> datetime:
        try:
            if self._plain_time:
                return log_fields.apache_time(fields[self._times[0][0]] or "")
            parts = {kind: convert(fields[index]) for index, kind, convert in self._times}
            leap = parts.get("sec") == 60
            if leap:
                parts["sec"] = 59
            if parts.get("tzname") not in (None, "UTC", "GMT"):
                parts["tzname"] = None  # apachelogs would ask this machine's own time zone
            moment: datetime | None = assemble_datetime(parts)
            if moment is not None and moment.tzinfo is not None:
                return moment.astimezone(UTC) + timedelta(seconds=int(leap))
        except (ValueError, OverflowError) as error:
            raise Unparsable("no such time") from error
        raise Unparsable("time without a zone")

    def _latency(self, fields: tuple[str | None, ...]) -> float | None:
        for index, factor in self._latencies:
            field = fields[index]
            if field is not None and field != "-":
                return _number(field, "duration") * factor
        return None


def _field(fields: tuple[str | None, ...], index: int | None, what: str) -> str:
    field = None if index is None else fields[index]
    if field is None:
        raise Unparsable(f"no {what}")
    return field


def _number(field: str, what: str) -> int:
    try:
        return int(field)
    except ValueError as error:
        raise Unparsable(f"{what} is not a number") from error

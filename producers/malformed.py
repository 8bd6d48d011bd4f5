"""Records that break the wire contract on purpose, one function a fault.

Two families. A *readable* one is a JSON object that still tells its ``source`` and ``seq``, so the stream can
book that place as rejected. An *unreadable* one tells nothing; it is made of an event without source and seq,
and takes no place in a source, so that no reader, however lenient, can find a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from producers.access_log import AccessEvent

Fields = dict[str, Any]


def _with(**values: object) -> Callable[[Fields], Fields]:
    return lambda fields: fields | values


def _without(name: str) -> Callable[[Fields], Fields]:
    return lambda fields: {key: value for key, value in fields.items() if key != name}


READABLE: dict[str, Callable[[Fields], Fields]] = {
    "status as a word": _with(status="OK"),
    "status as a string": lambda fields: fields | {"status": str(fields["status"])},
    "status out of range": _with(status=999),
    "negative bytes": _with(bytes=-1),
    "bytes beyond 64 bits": _with(bytes=10**30),
    "fractional bytes": _with(bytes=12.5),
    "no path": _without("path"),
    "no time": _without("ts"),
    "null address": _with(ip=None),
    "empty path": _with(path=""),
    "nested path": _with(path={"path": "/home"}),
    "time without offset": lambda fields: fields | {"ts": fields["ts"].removesuffix("Z")},
    "time that is none": _with(ts="yesterday at noon"),
    "time in an impossible month": _with(ts="2026-13-01T00:00:00Z"),
    "negative latency": _with(latency_ms=-4.2),
    "latency over a day": _with(latency_ms=1e12),
    "country in words": _with(country="Germany"),
    "user agent as a list": _with(user_agent=["Mozilla/5.0"]),
}

UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda value: value[: len(value) // 2],
    "empty": lambda value: b"",
    "null": lambda value: b"null",
    "an array": lambda value: b"[" + value + b"]",
    "plain text": lambda value: b"GET /home HTTP/1.1",
    "two documents": lambda value: value + b"\n" + value,
    "rubbish behind": lambda value: value + b"}}",
    "NaN": lambda value: value[:-1] + b',"latency_ms":NaN}',
    "lone surrogate": lambda value: value[:-1] + b',"referrer":"\\ud83d"}',
    "invalid UTF-8": lambda value: value[:-1] + b',"referrer":"caf\xe9"}',
    "raw control byte": lambda value: value[:-1] + b',"referrer":"a\x00b"}',
    "not JSON at all": lambda value: bytes(255 - byte for byte in value[:64]),
}

FAULTS = (*READABLE, *UNREADABLE)


def is_readable(fault: int) -> bool:
    """Whether a record with this fault (1-based index into FAULTS) still tells its source and seq."""
    return fault <= len(READABLE)


def malformed(event: AccessEvent, fault: int, encode: Callable[[object], bytes]) -> bytes:
    """The event's record, broken. ``fault`` is a 1-based index into FAULTS."""
    name = FAULTS[fault - 1]
    if name in READABLE:
        return encode(READABLE[name](msgspec.to_builtins(event)))
    return UNREADABLE[name](encode(msgspec.structs.replace(event, source=None, seq=None)))

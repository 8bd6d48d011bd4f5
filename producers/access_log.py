"""The wire contract: what may be put on the topic ``web.access``.

One Kafka record is one JSON object, keyed by ``source``. Producers encode these structs, the stream job
decodes with them: types, ranges, one document per record and UTF-8 are checked by the decoder itself.
``docs/access_event.schema.json`` is this module's JSON Schema.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

TOPIC = "web.access"
MALFORMED_METHOD = "-"
MALFORMED_PATH = "(malformed)"

# A sum of 2^22 largest values still fits a signed 64-bit integer.
LARGEST_BYTES = 2**40
LARGEST_LATENCY_MS = 86_400_000  # one day
LARGEST_SEQ = 2**62
LONGEST_PROTOCOL = 16
LONGEST_HOST = 255

SITE_PATTERN = r"^[A-Za-z0-9._:-]{1,64}$"
SOURCE_PATTERN = r"^[!-~]{1,128}$"
COUNTRY_PATTERN = r"^[A-Z]{2}$"


def _pattern(pattern: str) -> Meta:
    # Python's $ lets a final newline pass, \\Z does not; JSON Schema knows only ^ and $.
    return Meta(pattern=pattern.replace("$", r"\Z"), extra_json_schema={"pattern": pattern})


def _name(longest: int, pattern: str, description: str) -> Meta:
    return Meta(max_length=longest, description=description, extra_json_schema={"pattern": pattern})


Site = Annotated[str, _pattern(SITE_PATTERN)]
Source = Annotated[str, _pattern(SOURCE_PATTERN)]
Country = Annotated[str, _pattern(COUNTRY_PATTERN)]
Seq = Annotated[int, Meta(ge=1, le=LARGEST_SEQ, description="line number within the source")]


class AccessEvent(Struct, omit_defaults=True, gc=False):
    """One access: a line of a web server's log."""

    ts: Annotated[datetime, Meta(tz=True, description="RFC 3339 with offset or Z")]
    ip: Annotated[str, Meta(min_length=1, max_length=255, description="client address or host name")]
    method: Annotated[str, Meta(min_length=1, max_length=64)]
    path: Annotated[str, Meta(min_length=1, description="request target; a query string is dropped later")]
    status: Annotated[int, Meta(ge=100, le=599)]
    bytes: Annotated[int, Meta(ge=0, le=LARGEST_BYTES, description="bytes sent")]
    site: Annotated[str, _name(64, SITE_PATTERN, "which site")] = "default"
    latency_ms: Annotated[float, Meta(ge=0, le=LARGEST_LATENCY_MS)] | None = None
    referrer: str | None = None
    user_agent: str | None = None
    country: Annotated[str, _name(2, COUNTRY_PATTERN, "ISO 3166 alpha-2")] | None = None
    source: Annotated[str, _name(128, SOURCE_PATTERN, "fingerprint of the log file or run")] | None = None
    seq: Seq | None = None
    protocol: Annotated[str, Meta(max_length=LONGEST_PROTOCOL, description="such as HTTP/1.1")] | None = None
    host: Annotated[str, Meta(max_length=LONGEST_HOST, description="virtual host, as logged")] | None = None


class Names(Struct, frozen=True):
    """An event's names with their patterns: a reader checks each distinct combination once.

    Patterns within AccessEvent would cost every record 1.1 of 2.4 microseconds, for values that repeat.
    """

    site: Site
    source: Source | None
    country: Country | None

    @classmethod
    def checked(cls, site: str, source: str | None, country: str | None) -> Names:
        """Raises msgspec.ValidationError, naming the field, when one breaks its pattern."""
        return msgspec.convert({"site": site, "source": source, "country": country}, cls)


class UnparsedLine(Struct, omit_defaults=True, gc=False):
    """A line its shipper could not parse: counted as rejected, so that no line is lost on the way."""

    source: Source
    seq: Seq
    error: Annotated[str, Meta(min_length=1, max_length=200, description="why, in words")]
    raw: Annotated[str, Meta(max_length=4096, description="the line, escaped and cut")]
    site: Site = "default"


class Origin(Struct, gc=False):
    """What can still be told of a record that breaks the contract: which line of which source it was."""

    source: Source
    seq: Seq


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a record's value."""
    references, components = msgspec.json.schema_components(
        [AccessEvent, UnparsedLine], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A record of the topic {TOPIC}",
        "anyOf": list(references),
        "$defs": components,
    }

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

Site = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._:-]{1,64}\Z", description="which site")]
Source = Annotated[
    str,
    Meta(pattern=r"\A[!-~]{1,128}\Z", description="where the line came from: a log file's or run's fingerprint"),
]
Seq = Annotated[int, Meta(ge=1, le=LARGEST_SEQ, description="line number within the source")]


class AccessEvent(Struct, omit_defaults=True, gc=False):
    """One access: a line of a web server's log."""

    ts: Annotated[datetime, Meta(tz=True, description="RFC 3339 with offset or Z")]
    ip: Annotated[str, Meta(min_length=1, max_length=255, description="client address or host name")]
    method: Annotated[str, Meta(min_length=1, max_length=64)]
    path: Annotated[str, Meta(min_length=1, description="request target; a query string is dropped later")]
    status: Annotated[int, Meta(ge=100, le=599)]
    bytes: Annotated[int, Meta(ge=0, le=LARGEST_BYTES, description="bytes sent")]
    site: Site = "default"
    latency_ms: Annotated[float, Meta(ge=0, le=LARGEST_LATENCY_MS)] | None = None
    referrer: str | None = None
    user_agent: str | None = None
    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z", description="ISO 3166 alpha-2")] | None = None
    source: Source | None = None
    seq: Seq | None = None


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

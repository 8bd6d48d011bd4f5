"""From a cell of a report back to its lines: which records of Kafka belong to it, fit to be shown to a person.

Shown are the same values that Postgres holds: no address but its network's first half, no query string but the
campaign, of a user agent its family, of a referrer its host.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address

import msgspec

from producers.access_log import AccessEvent, Names
from spark_jobs.agent_rules import classify, line_rule
from spark_jobs.canonical import canonical_path, registered_country
from spark_jobs.referrers import campaign, host_name
from spark_jobs.referrers import classify as classify_referrer
from spark_jobs.request_names import stored_method, stored_protocol

HIDDEN = "x"


class Wanted(msgspec.Struct, frozen=True):
    """A cell: a site's hour, of which perhaps one page, one status (404) or one class of statuses (4)."""

    site: str
    hour_start: datetime
    path: str | None = None
    status: int | None = None

    def has(self, event: AccessEvent) -> bool:
        """Whether an event is counted in this cell; path as the report shows it."""
        if event.site != self.site or not timedelta(0) <= event.ts - self.hour_start < timedelta(hours=1):
            return False
        if self.status is not None and self.status not in (event.status, event.status // 100):
            return False
        return self.path is None or canonical_path(event.path) == self.path


class Shown(msgspec.Struct, frozen=True):
    """One record as it may be shown; every text is printable ASCII."""

    kafka_partition: int
    kafka_offset: int
    ts: datetime
    source: str | None
    seq: int | None
    repeated: bool  # its line stands in an earlier record too, and is counted once
    network: str
    country: str
    method: str
    path: str
    campaign: dict[str, str]
    protocol: str
    host: str
    status: int
    bytes_sent: int
    latency_ms: float | None
    referrer: str
    browser: str
    os: str
    agent_class: str
    rule: str


class EvidenceReader:
    """Goes through records in the order of their offsets and picks those of one cell."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._decode = msgspec.json.Decoder(AccessEvent).decode
        self._lines: set[tuple[str, int]] = set()

    def shown(self, partition: int, offset: int, value: bytes | None) -> Shown | None:
        """The record when it is of the cell; None for one of another cell or one that was rejected."""
        try:
            event = self._decode(value or b"")
            if not self._wanted.has(event):
                return None
            Names.checked(event.site, event.source, event.country)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # rejected: it is in no cell
        line = (event.source, event.seq) if event.source is not None and event.seq is not None else None
        repeated = line is not None and line in self._lines
        if line is not None:
            self._lines.add(line)
        path = canonical_path(event.path)
        agent = classify(event.user_agent)
        betrayed = line_rule(event.method, path, event.status)
        return Shown(
            kafka_partition=partition,
            kafka_offset=offset,
            ts=event.ts.astimezone(UTC),
            source=event.source,
            seq=event.seq,
            repeated=repeated,
            network=network(event.ip),
            country=event.country if event.country is not None else registered_country(event.ip),
            method=stored_method(event.method),
            path=path,
            campaign=campaign(event.path),
            protocol=stored_protocol(event.protocol),
            host=host_name(event.host) if event.host else "",
            status=event.status,
            bytes_sent=event.bytes,
            latency_ms=event.latency_ms,
            referrer=classify_referrer(event.referrer, ())[1],
            browser=agent.browser,
            os=agent.os,
            agent_class="scanner" if betrayed else agent.agent_class,
            rule=betrayed or agent.rule,
        )


def network(address: str) -> str:
    """The first half of an IPv4 address, the first quarter of an IPv6 address; of a host name nothing."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "(host name)"
    mapped = None if isinstance(ip, IPv4Address) else ip.ipv4_mapped
    if isinstance(ip, IPv4Address) or mapped is not None:
        return ".".join([*str(mapped or ip).split(".")[:2], HIDDEN, HIDDEN])
    return ":".join([*ip.exploded.split(":")[:2], HIDDEN])

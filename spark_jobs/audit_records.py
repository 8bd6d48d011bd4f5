"""Kafka's records as rows of single lines, for the audit: decoded anew, nothing added up.

It shares with the stream what a value means (the wire contract, the canonical path, the country of an address, the
class of a user agent, the referrer's host), and nothing that counts. A visitor is a hash under a key of this audit
alone: it tells the same from the different, and nobody can compare it with anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from producers.access_log import AccessEvent, Names, Origin, UnparsedLine
from spark_jobs.agent_rules import classify, line_rule
from spark_jobs.audit_ledger import NOT_COUNTED, Ledger
from spark_jobs.canonical import canonical_path, registered_country
from spark_jobs.counting import EARLIEST_TS, FUTURE_TOLERANCE_SECONDS, LARGEST_RECORD
from spark_jobs.dimensions import own_hosts
from spark_jobs.referrers import campaign, host_name
from spark_jobs.referrers import classify as classify_referrer
from spark_jobs.request_names import stored_method, stored_protocol
from spark_jobs.visitor_hash import canonical_address
from spark_jobs.visits import is_page

CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# What is worked out once for each distinct client, target and surroundings of an Arrow batch.
_CLIENT = ("site", "country", "visitor", "own_class", "own_rule", "browser", "os", "device")
_TARGET = ("path", "method", "is_page", *CAMPAIGN)
_SURROUNDINGS = ("referrer_class", "referrer", "protocol", "host")
# The further dimensions, those together that go together.
AGENT = ("agent_rule", "browser", "os", "device")
REQUEST = ("method", "protocol", "host", "status")
REFERRER = ("referrer_class", "referrer")
_KEPT = 65_536  # distinct things remembered from batch to batch

ROW = pa.schema(
    [
        ("ledger_id", pa.int64()),
        ("committed_us", pa.int64()),  # when its batch was written
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
        ("source", pa.string()),
        ("seq", pa.int64()),
        ("valid", pa.bool_()),  # false: rejected; what follows is null
        ("ts_us", pa.int64()),
        ("status_code", pa.int32()),
        ("bytes_sent", pa.int64()),
        ("latency_us", pa.int64()),
        ("agent_class", pa.string()),
        ("agent_rule", pa.string()),
        ("site", pa.string()),
        ("country", pa.string()),
        ("visitor", pa.int64()),
        *[(name, pa.string()) for name in ("browser", "os", "device", "path", "method")],
        ("is_page", pa.bool_()),
        *[(name, pa.string()) for name in (*CAMPAIGN, *_SURROUNDINGS)],
    ]
)
_SPARK_KINDS = {pa.int64(): "long", pa.int32(): "int", pa.string(): "string", pa.bool_(): "boolean"}
SPARK_ROW = ", ".join(f"{column.name} {_SPARK_KINDS[column.type]}" for column in ROW)


class Remembered(dict[Any, tuple[Any, ...]]):
    """Values of things met before; forgets everything rather than grow without bound."""

    def keep(self, thing: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(self) >= _KEPT:
            self.clear()
        self[thing] = values
        return values


@dataclass
class Lines:
    """Valid records of one Arrow batch: numbers, and places in the lists of distinct things."""

    place: list[int] = field(default_factory=list)  # in the Arrow batch
    source: list[str | None] = field(default_factory=list)
    seq: list[int | None] = field(default_factory=list)
    ts_us: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    bytes_sent: list[int] = field(default_factory=list)
    latency_us: list[int | None] = field(default_factory=list)
    client: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    surroundings: list[int] = field(default_factory=list)
    clients: dict[Any, int] = field(default_factory=dict)
    targets: dict[Any, int] = field(default_factory=dict)
    places: dict[Any, int] = field(default_factory=dict)
    rejected: list[int] = field(default_factory=list)
    origins: list[Origin | None] = field(default_factory=list)  # of the rejected


class RecordReader:
    """Decodes records; one per Spark task. secret: the key of this audit's visitor hashes, at most 64 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._event = msgspec.json.Decoder(AccessEvent).decode
        self._unparsed = msgspec.json.Decoder(UnparsedLine).decode
        self._origin = msgspec.json.Decoder(Origin).decode
        self._clients, self._targets, self._places = Remembered(), Remembered(), Remembered()
        self._rules: dict[tuple[str, str, int], str | None] = {}
        self._names: set[tuple[str, str | None, str | None]] = set()

    def decode(self, values: Sequence[bytes | None], latest_s: Sequence[float]) -> Lines:
        """The records of a batch; latest_s: for each, the largest time that was not yet the future."""
        lines = Lines()
        clients, targets, places = lines.clients, lines.targets, lines.places
        for place, value in enumerate(values):
            try:
                event = self._checked(value, latest_s[place])
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                lines.rejected.append(place)
                lines.origins.append(self._origin_of(value))
                continue
            lines.place.append(place)
            sourced = event.source is not None and event.seq is not None
            lines.source.append(event.source if sourced else None)
            lines.seq.append(event.seq if sourced else None)
            lines.ts_us.append(round(event.ts.timestamp() * 1e6))
            lines.status.append(event.status)
            lines.bytes_sent.append(event.bytes)
            lines.latency_us.append(None if event.latency_ms is None else round(event.latency_ms * 1000))
            client = (event.site, event.ip, event.user_agent, event.country)
            lines.client.append(clients.setdefault(client, len(clients)))
            target = (event.method, event.path)
            lines.target.append(targets.setdefault(target, len(targets)))
            where = (event.site, event.referrer, event.protocol, event.host)
            lines.surroundings.append(places.setdefault(where, len(places)))
        return lines

    def _checked(self, value: bytes | None, latest_s: float) -> AccessEvent:
        if value is None or len(value) > LARGEST_RECORD:
            raise msgspec.DecodeError("no value, or too large a one")
        event = self._event(value)
        names = (event.site, event.source, event.country)
        if names not in self._names:
            Names.checked(*names)
            self._names.add(names)
        if not EARLIEST_TS <= int(event.ts.timestamp()) <= latest_s:
            raise msgspec.ValidationError("before 1995 or in the future")
        return event

    def _origin_of(self, value: bytes | None) -> Origin | None:
        """Which line of which source a rejected record was; None when nobody can tell."""
        record = (value or b"")[:LARGEST_RECORD]
        for decode in (self._unparsed, self._origin):
            try:
                found = decode(record)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            return Origin(found.source, found.seq)
        return None

    def columns(self, lines: Lines) -> dict[str, pa.Array]:
        """What the lines are, by column of ROW; without the columns that say where a record stands."""
        clients = [self._clients.get(one) or self._clients.keep(one, self._client(*one)) for one in lines.clients]
        targets = [self._targets.get(one) or self._targets.keep(one, self._target(*one)) for one in lines.targets]
        places = [self._places.get(one) or self._places.keep(one, self._place(*one)) for one in lines.places]
        columns = (
            _spread(_CLIENT, clients, lines.client)
            | _spread(_TARGET, targets, lines.target)
            | _spread(_SURROUNDINGS, places, lines.surroundings)
        )
        rules = [
            self._rule(targets[target], method, status)
            for target, status, (method, _) in zip(
                lines.target, lines.status, map(list(lines.targets).__getitem__, lines.target), strict=True
            )
        ]
        scanner = pa.array([rule is not None for rule in rules], pa.bool_())
        by_line = pa.array(rules, pa.string())
        columns["agent_class"] = pc.if_else(scanner, "scanner", columns.pop("own_class"))
        columns["agent_rule"] = pc.coalesce(by_line, columns.pop("own_rule"))
        return columns | {
            "source": pa.array(lines.source, pa.string()),
            "seq": pa.array(lines.seq, pa.int64()),
            "ts_us": pa.array(lines.ts_us, pa.int64()),
            "status_code": pa.array(lines.status, pa.int32()),
            "bytes_sent": pa.array(lines.bytes_sent, pa.int64()),
            "latency_us": pa.array(lines.latency_us, pa.int64()),
        }

    def _client(self, site: str, ip: str, user_agent: str | None, country: str | None) -> tuple[Any, ...]:
        who = f"{site}\x1f{canonical_address(ip)}\x1f{user_agent or ''}".encode()
        digest = blake2b(who, digest_size=8, key=self._secret).digest()
        agent = classify(user_agent)
        return (
            site,
            country if country is not None else registered_country(ip),
            int.from_bytes(digest, "big", signed=True),
            agent.agent_class,
            agent.rule,
            agent.browser,
            agent.os,
            agent.device,
        )

    def _target(self, method: str, target: str) -> tuple[Any, ...]:
        path = canonical_path(target)
        found = campaign(target)
        return (path, stored_method(method), is_page(method, path), *(found.get(name) for name in CAMPAIGN))

    def _place(self, site: str, referrer: str | None, protocol: str | None, host: str | None) -> tuple[Any, ...]:
        kind, referring = classify_referrer(referrer, own_hosts(site, host))
        return (kind, referring, stored_protocol(protocol), host_name(host) if host else "")

    def _rule(self, target: tuple[Any, ...], method: str, status: int) -> str | None:
        asked = (method, target[0], status)
        if asked not in self._rules:
            if len(self._rules) >= _KEPT:
                self._rules.clear()
            self._rules[asked] = line_rule(*asked)
        return self._rules[asked]


def _spread(names: Sequence[str], values: list[tuple[Any, ...]], place: list[int]) -> dict[str, pa.Array]:
    """Columns of what is known of distinct things, one entry a line."""
    taken = pa.array(place, pa.int64())
    kinds = {"visitor": pa.int64(), "is_page": pa.bool_()}
    return {
        name: pa.array([one[index] for one in values], kinds.get(name, pa.string())).take(taken)
        for index, name in enumerate(names)
    }


def read_records(batches: Iterable[pa.RecordBatch], secret: bytes, ledger: Ledger) -> Iterator[pa.RecordBatch]:
    """What one Spark task does: Arrow batches of Kafka rows (partition, offset, value) in, rows of ROW out.

    One row for each record that a row of the ledger has counted; others came later than the audited moment.
    """
    reader = RecordReader(secret)
    for batch in batches:
        partitions = batch.column("partition").to_numpy()
        for partition in np.unique(partitions):
            rows = ledger.get(int(partition))
            if rows is None:
                continue
            offsets = batch.column("offset").to_numpy()
            place = np.where(partitions == partition, rows.place_of(offsets), NOT_COUNTED)
            counted = np.flatnonzero(place != NOT_COUNTED)
            if not len(counted):
                continue
            place = place[counted]
            where = {
                "ledger_id": rows.ledger_id[place],
                "committed_us": rows.committed_us[place],
                "kafka_partition": np.full(len(counted), partition, dtype=np.int32),
                "kafka_offset": offsets[counted],
            }
            latest = where["committed_us"] / 1e6 + FUTURE_TOLERANCE_SECONDS
            lines = reader.decode(batch.column("value").take(pa.array(counted)).to_pylist(), latest.tolist())
            yield _batch(where, lines.place, True, reader.columns(lines))
            if lines.rejected:
                origins = {
                    "source": pa.array([origin and origin.source for origin in lines.origins], pa.string()),
                    "seq": pa.array([origin and origin.seq for origin in lines.origins], pa.int64()),
                }
                yield _batch(where, lines.rejected, False, origins)


def _batch(where: dict[str, Any], taken: list[int], valid: bool, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    place = np.array(taken, dtype=np.int64)
    known = {name: pa.array(column[place]) for name, column in where.items()} | columns
    known["valid"] = pa.array(np.full(len(taken), valid))
    return pa.RecordBatch.from_arrays(
        [known[column.name] if column.name in known else pa.nulls(len(taken), column.type) for column in ROW],
        schema=ROW,
    )

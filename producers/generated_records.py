"""From rows of generated hits to records of the topic: (key, value) as the wire contract wants them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from producers.access_log import AccessEvent
from producers.audience import AGENTS, PROTOCOLS, Audience
from producers.generator_run import Run
from producers.hits import SERVER_THAT_KNOWS_COUNTRIES, Hits
from producers.malformed import malformed
from producers.site_model import HOSTS, METHODS, PATHS, QUERIES, REFERRERS
from producers.traffic import Traffic

_COLUMNS = (
    "ts_ms", "visitor", "method", "page", "query", "status", "bytes", "latency_us", "referrer", "server", "seq",
    "malformed",
)  # fmt: skip


def records(hits: Hits, run: Run, audience: Audience) -> Iterator[tuple[bytes, bytes]]:
    """Encode hits in their order; a duplicate is the very bytes of its original."""
    encode = msgspec.json.Encoder().encode
    at = datetime.fromtimestamp
    site, sources, keys = run.site, run.sources, [source.encode() for source in run.sources]
    addresses = audience.addresses
    countries = [country or None for country in audience.countries]
    columns = [hits[name].tolist() for name in _COLUMNS]
    who = hits["visitor"]
    traits = [
        trait[who].tolist()
        for trait in (audience.agent_index, audience.country_index, audience.protocol, audience.host)
    ]
    for (
        ts, visitor, method, page, query, status, size, latency, referrer, server, seq, fault,
        agent, country, protocol, host,
    ) in zip(*columns, *traits, strict=True):  # fmt: skip
        event = AccessEvent(
            at(ts / 1000, UTC),
            addresses[visitor],
            METHODS[method],
            PATHS[page] + QUERIES[query],
            status,
            size,
            site,
            None if latency < 0 else latency / 1000,
            REFERRERS[host][referrer],
            AGENTS[agent],
            countries[country] if server == SERVER_THAT_KNOWS_COUNTRIES else None,
            sources[server],
            seq or None,
            PROTOCOLS[protocol],
            HOSTS[host],
        )
        yield keys[server], encode(event) if not fault else malformed(event, fault, encode)


def events(run: Run, live_ms: int | None) -> Iterator[tuple[bytes, bytes]]:
    """Every record of a run, as fast as it is asked for."""
    traffic = Traffic(run)
    for hits in traffic.slices(live_ms):
        yield from records(hits, run, traffic.audience)

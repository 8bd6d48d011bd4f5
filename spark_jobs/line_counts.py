"""What lines count up to: cells, latencies, dimensions, visitors, visits, and where they stand in Kafka."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np
import pyarrow as pa

from spark_jobs.count_tables import CELLS, LATENCIES, SKETCHES, CountTables, visits_table
from spark_jobs.dimensions import dimension_table
from spark_jobs.grouping import Column, Groups, combined
from spark_jobs.latency_bins import bins_of
from spark_jobs.lines import Lines
from spark_jobs.visitor_hash import PeriodKeys, periods_of, visitor_hash
from spark_jobs.visitor_sketches import sketch_of
from spark_jobs.visits import AGENT_CLASSES, NONE, Fragments

BUCKET_SECONDS = 10
_CLASS_NAMES = pa.array(AGENT_CLASSES)


class HourOffsets(msgspec.Struct, frozen=True):
    """Offsets [start, until) of a partition among which all accepted records of an hour stand."""

    kafka_partition: int
    hour_start: int  # epoch seconds
    start: int
    until: int


@dataclass(frozen=True)
class Visitors:
    """The visitors of lines. who: for each line, which; the three lists say of what site, key and hash that is."""

    who: Column
    sites: pa.Array
    key_ids: pa.Array
    hashes: pa.Array


def missing_periods(lines: Lines, keys: PeriodKeys) -> list[str]:
    """Periods of the lines that have no key."""
    periods, _ = periods_of(keys.kind, lines.second)
    return [period for period in periods if period not in keys.keys]


def count_lines(lines: Lines, keys: PeriodKeys) -> CountTables:
    """All tables; every period of the lines has a key."""
    visitors = _visitors(lines, keys)
    return CountTables(
        cells=_cells(lines),
        latencies=_latencies(lines),
        dimensions=dimension_table(lines),
        sketches=_sketches(lines, visitors),
        visits=_visits(lines, visitors),
    )


def hour_offsets(lines: Lines) -> list[HourOffsets]:
    """Where the lines of each hour stand."""
    hours, hour = np.unique(lines.second - lines.second % 3600, return_inverse=True)
    groups = Groups(combined((lines.partition, int(lines.partition.max(initial=0)) + 1), (hour, len(hours))))
    columns = (
        groups.first(lines.partition),
        hours[groups.first(hour)],
        groups.smallest(lines.offset),
        groups.largest(lines.offset) + 1,
    )
    return [HourOffsets(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def deciding_rules(lines: Lines) -> dict[str, str]:
    """The rules that decided the class of any of these lines' agents, with that class."""
    by_agent = {lines.agents[place] for place in np.unique(lines.agent[lines.rule < 0]).tolist()}
    return {agent.rule: agent.agent_class for agent in by_agent} | dict.fromkeys(lines.rules, "scanner")


def _cells(lines: Lines) -> pa.Table:
    buckets, bucket = np.unique(lines.second - lines.second % BUCKET_SECONDS, return_inverse=True)
    status_class = lines.status // 100
    groups = Groups(
        combined(
            (bucket, len(buckets)),
            (lines.site, len(lines.sites)),
            (lines.path, len(lines.paths)),
            (lines.country, len(lines.countries)),
            (status_class, 6),
            (lines.agent_class, len(AGENT_CLASSES)),
        )
    )
    timed = lines.latency_us >= 0
    return pa.table(
        [
            buckets[groups.first(bucket)],
            pa.array(lines.sites, pa.string()).take(pa.array(groups.first(lines.site))),
            lines.paths.take(pa.array(groups.first(lines.path))),
            pa.array(lines.countries, pa.string()).take(pa.array(groups.first(lines.country))),
            groups.first(status_class),
            _CLASS_NAMES.take(pa.array(groups.first(lines.agent_class))),
            groups.rows(),
            groups.sums(lines.bytes_sent),
            groups.sums(np.where(timed, lines.latency_us, 0)),
            groups.sums(timed.astype(np.int64)),
        ],
        schema=CELLS,
    )


def _latencies(lines: Lines) -> pa.Table:
    timed = lines.latency_us >= 0
    latency_us, site, path, second = (
        column[timed] for column in (lines.latency_us, lines.site, lines.path, lines.second)
    )
    buckets, bucket = np.unique(second - second % BUCKET_SECONDS, return_inverse=True)
    bins = bins_of(latency_us)
    groups = Groups(
        combined(
            (bucket, len(buckets)),
            (site, len(lines.sites)),
            (path, len(lines.paths)),
            (bins + 1, int(bins.max(initial=0)) + 2),
        )
    )
    return pa.table(
        [
            buckets[groups.first(bucket)],
            pa.array(lines.sites, pa.string()).take(pa.array(groups.first(site))),
            lines.paths.take(pa.array(groups.first(path))),
            groups.first(bins),
            groups.rows(),
            groups.largest(latency_us),
        ],
        schema=LATENCIES,
    )


def _visitors(lines: Lines, keys: PeriodKeys) -> Visitors:
    """The visitor of each line: hashed once for each distinct client and period."""
    names, period = periods_of(keys.kind, lines.second)
    secrets = [keys.keys[name].secret for name in names]
    pairs = Groups(combined((lines.client, len(lines.clients)), (period, len(names))))
    site, place = pairs.first(lines.site), pairs.first(period)
    hashed = np.array(
        [
            visitor_hash(secrets[of_pair], *lines.clients[client][:3])
            for client, of_pair in zip(pairs.first(lines.client).tolist(), place.tolist(), strict=True)
        ],
        dtype=np.int64,
    )
    hashes, code = np.unique(hashed, return_inverse=True)
    # An address may be written in two ways, or come with two countries: one visitor all the same.
    visitors = Groups(combined((site, len(lines.sites)), (place, len(names)), (code, len(hashes))))
    key_ids = pa.array([keys.keys[name].key_id for name in names], pa.string())
    return Visitors(
        who=pairs.spread(visitors.spread(np.arange(len(visitors)))),
        sites=pa.array(lines.sites, pa.string()).take(pa.array(visitors.first(site))),
        key_ids=key_ids.take(pa.array(visitors.first(place))),
        hashes=pa.array(visitors.first(hashed)),
    )


def _sketches(lines: Lines, visitors: Visitors) -> pa.Table:
    """Who was there in each minute; lines answered 4xx make no visitor."""
    welcome = lines.status // 100 != 4
    second, who, agent_class = lines.second[welcome], visitors.who[welcome], lines.agent_class[welcome]
    minutes, minute = np.unique(second - second % 60, return_inverse=True)
    (sites, site), (key_ids, key) = (_coded(column) for column in (visitors.sites, visitors.key_ids))
    group = combined(
        (minute, len(minutes)), (site[who], sites), (key[who], key_ids), (agent_class, len(AGENT_CLASSES))
    )
    each = Groups(combined((np.unique(group, return_inverse=True)[1], len(group)), (who, len(visitors.sites))))
    group, who, minute, agent_class = (each.first(column) for column in (group, who, minute, agent_class))
    hashes = visitors.hashes.take(pa.array(who)).to_pylist()
    starts = np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
    bounds = [*starts.tolist(), len(group)]
    return pa.table(
        [
            minutes[minute[starts]],
            visitors.sites.take(pa.array(who[starts])),
            visitors.key_ids.take(pa.array(who[starts])),
            _CLASS_NAMES.take(pa.array(agent_class[starts])),
            pa.array([sketch_of(hashes[begin:end]) for begin, end in pairwise(bounds)], pa.binary()),
        ],
        schema=SKETCHES,
    )


def _coded(column: pa.Array) -> tuple[int, Column]:
    encoded = column.dictionary_encode()
    return len(encoded.dictionary), encoded.indices.to_numpy().astype(np.int64)


def _visits(lines: Lines, visitors: Visitors) -> pa.Table:
    view = (lines.page == 1) & (lines.status < 400)
    entry_us, entry_path = np.where(view, lines.us, NONE), np.where(view, lines.path, NONE)
    hits = Fragments(
        who=visitors.who,
        started_us=lines.us,
        ended_us=lines.us,
        hits=np.ones(len(lines.us), dtype=np.int64),
        page_views=view.astype(np.int64),
        client_errors=(lines.status // 100 == 4).astype(np.int64),
        line_class=lines.agent_class,
        entry_us=entry_us,
        entry_path=entry_path,
        exit_us=entry_us,
        exit_path=entry_path,
    )
    return visits_table(hits.joined(), (visitors.sites, visitors.key_ids, visitors.hashes), lines.paths)

"""The tables that a task counts into and a batch writes, and how those of several tasks become one.

cells       bucket_start_s, site, path, country, status_class, agent_class -> hits, bytes_sent, latency sum and count
latencies   bucket_start_s, site, path, bin                     -> lines, latency_us_max
dimensions  hour_start_s, site, dimension, value                -> hits, bytes_sent, client_errors, server_errors
sketches    minute_start_s, site, key_id, agent_class           -> sketch
visits      site, key_id, visitor, started_us                   -> see visits.Fragments

Everything is a sum, a maximum or a union, so that counting the same records again, in any order and in any parts,
gives the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.grouping import Column, combined
from spark_jobs.visitor_sketches import united
from spark_jobs.visits import AGENT_CLASSES, NONE, Fragments

CELLS = pa.schema(
    [
        ("bucket_start", pa.int64()),  # epoch seconds
        ("site", pa.string()),
        ("path", pa.string()),
        ("country", pa.string()),
        ("status_class", pa.int64()),
        ("agent_class", pa.string()),
        ("hits", pa.int64()),
        ("bytes_sent", pa.int64()),
        ("latency_us_sum", pa.int64()),
        ("latency_count", pa.int64()),
    ]
)
LATENCIES = pa.schema(
    [
        ("bucket_start", pa.int64()),  # epoch seconds
        ("site", pa.string()),
        ("path", pa.string()),
        ("bin", pa.int64()),
        ("lines", pa.int64()),
        ("latency_us_max", pa.int64()),
    ]
)
DIMENSIONS = pa.schema(
    [
        ("hour_start", pa.int64()),  # epoch seconds
        ("site", pa.string()),
        ("dimension", pa.string()),
        ("value", pa.string()),
        ("hits", pa.int64()),
        ("bytes_sent", pa.int64()),
        ("client_errors", pa.int64()),
        ("server_errors", pa.int64()),
    ]
)
SKETCHES = pa.schema(
    [
        ("minute_start", pa.int64()),  # epoch seconds
        ("site", pa.string()),
        ("key_id", pa.string()),
        ("agent_class", pa.string()),
        ("sketch", pa.binary()),
    ]
)
VISITS = pa.schema(
    [
        ("site", pa.string()),
        ("key_id", pa.string()),
        ("visitor", pa.int64()),
        ("started_us", pa.int64()),  # epoch microseconds
        ("ended_us", pa.int64()),
        ("hits", pa.int64()),
        ("page_views", pa.int64()),
        ("client_errors", pa.int64()),
        ("line_class", pa.string()),
        ("entry_us", pa.int64()),  # null, like the next three, without a page view
        ("entry_path", pa.string()),
        ("exit_us", pa.int64()),
        ("exit_path", pa.string()),
    ]
)
_CLASSES = pa.array(AGENT_CLASSES)


@dataclass(frozen=True)
class CountTables:
    """The five tables."""

    cells: pa.Table
    latencies: pa.Table
    dimensions: pa.Table
    sketches: pa.Table
    visits: pa.Table

    @classmethod
    def names(cls) -> list[str]:
        return [field.name for field in fields(cls)]

    @classmethod
    def empty(cls) -> Self:
        return cls(*(schema.empty_table() for schema in (CELLS, LATENCIES, DIMENSIONS, SKETCHES, VISITS)))

    def serialised(self) -> list[bytes]:
        """Each table as an Arrow IPC stream, in the order of ``names``."""
        return [_to_ipc(getattr(self, name)) for name in self.names()]

    @classmethod
    def merged(cls, parts: Iterable[Mapping[str, bytes]]) -> Self:
        """One set of tables from those of several tasks, each given as IPC streams by name."""
        whole = cls.empty()
        found = list(parts)
        read = {
            name: pa.concat_tables([getattr(whole, name), *(_from_ipc(part[name]) for part in found)])
            for name in cls.names()
        }
        return cls(
            cells=_grouped(read["cells"], 6, "sum", "sum", "sum", "sum"),
            latencies=_grouped(read["latencies"], 4, "sum", "max"),
            dimensions=_grouped(read["dimensions"], 4, "sum", "sum", "sum", "sum"),
            sketches=merged_sketches(read["sketches"]),
            visits=merged_visits(read["visits"]),
        )

    def touched_hours(self) -> set[tuple[str, int]]:
        """(site, hour start in epoch seconds) of every cell."""
        sites = self.cells["site"].to_pylist()
        starts = self.cells["bucket_start"].to_pylist()
        return {(site, start - start % 3600) for site, start in zip(sites, starts, strict=True)}


def _to_ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _from_ipc(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def _grouped(table: pa.Table, keys: int, *how: str) -> pa.Table:
    """The table with one row a key (its first so many columns), in the order of the keys."""
    names = table.schema.names
    grouped = table.group_by(names[:keys]).aggregate(list(zip(names[keys:], how, strict=True)))
    ordered = grouped.rename_columns(names).sort_by([(name, "ascending") for name in names[:keys]])
    return ordered.cast(table.schema)


def merged_sketches(table: pa.Table) -> pa.Table:
    """The sketches with one row a key: the union of those it had."""
    sketches: dict[tuple[object, ...], list[bytes]] = {}
    columns = [column.to_pylist() for column in table.columns]
    for *key, sketch in zip(*columns, strict=True):
        sketches.setdefault(tuple(key), []).append(sketch)
    rows = [
        (*key, parts[0] if len(parts) == 1 else united(parts))
        for key, parts in sorted(sketches.items(), key=lambda item: item[0])
    ]
    arrays = zip(*rows, strict=True) if rows else [[] for _ in SKETCHES]
    return pa.table(
        [pa.array(list(values), field.type) for values, field in zip(arrays, SKETCHES, strict=True)], schema=SKETCHES
    )


def merged_visits(table: pa.Table) -> pa.Table:
    """The visits that these parts make, ordered by site, key, visitor and start."""
    if not table.num_rows:
        return table
    table = table.combine_chunks()
    (sites, site), (keys, key) = sorted_codes(table["site"]), sorted_codes(table["key_id"])
    visitors, visitor = np.unique(table["visitor"].to_numpy(), return_inverse=True)
    code = combined((site, len(sites)), (key, len(keys)), (visitor, len(visitors)))
    _, place, who = np.unique(code, return_index=True, return_inverse=True)
    paths, path = sorted_codes(pa.chunked_array([*table["entry_path"].chunks, *table["exit_path"].chunks]))
    joined = Fragments(
        who=who,
        started_us=table["started_us"].to_numpy(),
        ended_us=table["ended_us"].to_numpy(),
        hits=table["hits"].to_numpy(),
        page_views=table["page_views"].to_numpy(),
        client_errors=table["client_errors"].to_numpy(),
        line_class=pc.cast(pc.index_in(table["line_class"], _CLASSES), pa.int64()).to_numpy(),
        entry_us=pc.fill_null(table["entry_us"], NONE).to_numpy(),
        entry_path=path[: table.num_rows],
        exit_us=pc.fill_null(table["exit_us"], NONE).to_numpy(),
        exit_path=path[table.num_rows :],
    ).joined()
    return visits_table(joined, [table[name].take(place) for name in ("site", "key_id", "visitor")], paths)


def visits_table(visits: Fragments, who: Sequence[pa.Array], paths: pa.Array) -> pa.Table:
    """Visits as a table. who: site, key and visitor by the codes in ``visits.who``; paths: by those of the paths."""
    return pa.table(
        [
            *(column.take(visits.who) for column in who),
            *(visits.started_us, visits.ended_us, visits.hits, visits.page_views, visits.client_errors),
            _CLASSES.take(visits.line_class),
            _or_null(visits.entry_us),
            paths.take(_or_null(visits.entry_path)),
            _or_null(visits.exit_us),
            paths.take(_or_null(visits.exit_path)),
        ],
        schema=VISITS,
    )


def _or_null(column: Column) -> pa.Array:
    return pa.array(column, mask=column == NONE)


def sorted_codes(column: pa.ChunkedArray) -> tuple[pa.Array, Column]:
    """The distinct values in order, and for each row the place of its value there; ``NONE`` for null."""
    encoded = column.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary)
    place = np.empty(len(order), dtype=np.int64)
    place[order.to_numpy()] = np.arange(len(order))
    given = pc.is_valid(encoded).to_numpy(zero_copy_only=False)
    codes = np.full(len(encoded), NONE, dtype=np.int64)
    codes[given] = place[encoded.indices.drop_null().to_numpy()]
    return encoded.dictionary.take(order), codes

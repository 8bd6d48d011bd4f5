"""Writes the tables of a batch into those of the warehouse, within the batch's transaction.

Only under the lease's lock: nobody else changes what is read here and written back.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.csv

from spark_jobs.count_tables import SKETCHES, VISITS, CountTables, merged_sketches, merged_visits
from spark_jobs.request_names import OTHER
from sql.warehouse import Cursor, copy_csv, csv_of, rows, run

_WITHOUT_HEADER = pyarrow.csv.WriteOptions(include_header=False)
_VISIT = ["site", "key_id", "visitor", "started_us"]
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Cardinality:
    """How many values get a row of their own; the rest is counted as (other)."""

    pages_a_day: int  # of a site and day
    values_a_day: int  # of a site, day and further dimension


def write_tables(cursor: Cursor, tables: CountTables, most: Cardinality) -> None:
    """Add the tables to what is counted already. A rerun would add them again."""
    run(cursor, "stream/create_deltas")
    _copy(cursor, "traffic_delta", tables.cells)
    _copy(cursor, "latency_delta", tables.latencies)
    _copy(cursor, "dimension_delta", tables.dimensions)
    visits = tables.visits
    if run(cursor, "stream/new_values"):
        run(cursor, "stream/admit_values", {"max_pages": most.pages_a_day, "max_values": most.values_a_day})
        run(cursor, "stream/forget_admitted")
        run(cursor, "stream/rename_to_other")
        beyond = {(row["site"], row["day"], row["value"]) for row in rows(cursor, "stream/pages_beyond")}
        visits = with_other_pages(visits, beyond)
    run(cursor, "stream/add_pages")
    run(cursor, "stream/merge_traffic")
    run(cursor, "stream/merge_site_totals")
    run(cursor, "stream/merge_latencies")
    run(cursor, "stream/merge_dimensions")
    _write_sketches(cursor, tables.sketches)
    _write_visits(cursor, visits)


def _copy(cursor: Cursor, delta: str, table: pa.Table) -> None:
    csv = BytesIO()
    pyarrow.csv.write_csv(table, csv, _WITHOUT_HEADER)
    copy_csv(cursor, f"pg_temp.{delta}", table.column_names, csv.getvalue())


def _write_sketches(cursor: Cursor, sketches: pa.Table) -> None:
    if not sketches.num_rows:
        return
    stored = rows(cursor, "stream/touched_sketches", sketch_keys(sketches))
    known = pa.Table.from_pylist([row | {"sketch": bytes(row["sketch"])} for row in stored], schema=SKETCHES)
    merged = merged_sketches(pa.concat_tables([known, sketches]))
    run(cursor, "stream/write_sketches", sketch_keys(merged) | {"sketches": merged["sketch"].to_pylist()})


def sketch_keys(sketches: pa.Table) -> dict[str, list[object]]:
    """The keys of sketches, as the parameters of the SQL files that take them."""
    return {
        "sites": sketches["site"].to_pylist(),
        "minute_starts": sketches["minute_start"].to_pylist(),
        "key_ids": sketches["key_id"].to_pylist(),
        "agent_classes": sketches["agent_class"].to_pylist(),
    }


def with_other_pages(visits: pa.Table, beyond: Set[tuple[str, int, str]]) -> pa.Table:
    """Visits that began or ended on a page without a row of its own: on (other).

    beyond: those pages, each with its site and the day (of the epoch) of the hit.
    """
    if not beyond:
        return visits
    for page, at in (("entry_path", "entry_us"), ("exit_path", "exit_us")):
        seen = zip(*(visits[name].to_pylist() for name in ("site", at, page)), strict=True)
        pages = [
            OTHER if us is not None and (site, us // _DAY_US, path) in beyond else path for site, us, path in seen
        ]
        visits = visits.set_column(visits.column_names.index(page), page, pa.array(pages, pa.string()))
    return visits


def _write_visits(cursor: Cursor, visits: pa.Table) -> None:
    if not visits.num_rows:
        return
    _copy(cursor, "visit_delta", visits)
    stored = _read_csv(csv_of(cursor, "stream/overlapping_visits"), VISITS)
    if stored.num_rows:
        merged = merged_visits(pa.concat_tables([visits, stored]))
        gone = stored.select(_VISIT).join(merged.select(_VISIT), keys=_VISIT, join_type="left anti")
        if gone.num_rows:
            sites, key_ids, visitors, starts_us = (column.to_pylist() for column in gone.select(_VISIT).columns)
            run(
                cursor,
                "stream/delete_visits",
                {"sites": sites, "key_ids": key_ids, "visitors": visitors, "starts_us": starts_us},
            )
        run(cursor, "stream/empty_visit_delta")
        _copy(cursor, "visit_delta", merged)
    run(cursor, "stream/write_visits")


def _read_csv(csv: bytes, schema: pa.Schema) -> pa.Table:
    if not csv:
        return schema.empty_table()
    return pyarrow.csv.read_csv(
        BytesIO(csv),
        read_options=pyarrow.csv.ReadOptions(column_names=schema.names),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )

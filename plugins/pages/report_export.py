"""A report as rows: named lists of raw rows, or one line for each value. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from plugins.pages.report_gathering import Gathered
from sql.warehouse import Row

# The parts by their names, in this order, each with the columns that name its rows.
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "figures": ("figures", ()),
    "visitors": ("visitors", ("key_id",)),
    "pages": ("pages", ("path", "value")),
    "countries": ("countries", ("country", "value")),
    "referrers": ("referrers", ("value",)),
    "status_classes": ("statuses", ("status_class", "value")),
    "statuses": ("codes", ("value",)),
    "agents": ("agents", ("value",)),
    "browsers": ("browsers", ("value",)),
    "steps": ("steps", ("step_start", "revision")),
    "days": ("days", ("revision",)),
    "revisions": ("revisions", ("hour_start", "revision")),
    "checks": ("checks", ("suite", "expectation")),
    "ledger": ("ledger", ("kafka_partition",)),
    "sources": ("sources", ("source",)),
    "audits": ("audits", ("audit_id",)),
}
# What statements add for the page: which field a row is of, how many rows there are, and sums over all of them.
OF_THE_PAGE = {"field", "rows_all", "hits_all", "sources", "lines_all", "missing_all"}


def facts(gathered: Gathered, made_at: datetime) -> dict[str, Any]:
    """What the report is: its range, the moment, its revision and seal, filters, and rows that were left out."""
    asked, shown = gathered.asked, gathered.comparison.shown
    filtered = {name: value for name, value in gathered.filters.items() if value}
    return {
        "site": gathered.site,
        "kind": asked.kind,
        "from_time": asked.start,
        "until_time": asked.end,
        "hours": asked.hours,
        "as_known_at": asked.as_of(made_at),
        "made_at": made_at,
        "revision": shown["revision"] if shown else None,
        "seal": gathered.seal,
        "missing": gathered.missing,
        **{f"filter_{name}": value for name, value in filtered.items()},
        "filtered": "pages countries status_classes agents, as counted now" if filtered else None,
        **left_out(gathered),
    }


def left_out(gathered: Gathered) -> dict[str, int]:
    """How many rows a list has beyond those exported; nothing for lists that are whole."""
    found = {}
    for name, (block, _) in PARTS.items():
        rows = gathered.blocks[block].rows if block in gathered.blocks else []
        if rows and rows[0].get("rows_all", 0) > len(rows):
            found[f"{name}_left_out"] = rows[0]["rows_all"] - len(rows)
    return found


def failures(gathered: Gathered) -> str:
    """Which parts could not be read, and why; empty when all were."""
    return "; ".join(f"{name}: {block.failed}" for name, block in gathered.blocks.items() if block.failed)


def named_rows(gathered: Gathered) -> dict[str, list[dict[str, Any]]]:
    """The rows of each part, columns as their statements name them."""
    return {
        name: [{key: value for key, value in row.items() if key not in OF_THE_PAGE} for row in _rows(gathered, block)]
        for name, (block, _) in PARTS.items()
        if block in gathered.blocks
    }


def _rows(gathered: Gathered, block: str) -> Sequence[Row]:
    rows = gathered.blocks[block].rows
    if block in ("revisions", "days") and gathered.asked.known_at:
        return [row for row in rows if row["made_at"] <= gathered.asked.known_at]
    return rows


def long_form(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One line for each value: part, name (of its row), column, value. Unknown values are empty."""
    return [
        {"part": part, "name": _name(part, row), "column": column, "value": value}
        for part, rows in parts.items()
        for row in rows
        for column, value in row.items()
    ]


def _name(part: str, row: Mapping[str, Any]) -> Any:
    """What tells a row from others of its part; times in UTC."""
    columns = [row[name] for name in PARTS.get(part, ("", ()))[1] if name in row]
    if len(columns) == 1:
        return columns[0]
    return " ".join(f"{each:%Y-%m-%dT%H:%M:%SZ}" if isinstance(each, datetime) else str(each) for each in columns)

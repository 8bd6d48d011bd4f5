"""What made the difference: the cells of an incident's window against the same length of time just before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from spark_jobs.trend_contributors import Part, contributors
from sql.warehouse import Row

MOST = 3
# Enough of them to choose from: a page that brings a third of a surge stands behind many large, unchanged parts.
_CANDIDATES = 200
# A part that grew with everything else (status 2xx, visitors that are human) tells less than one that grew by itself.
_WEIGHT_OF_SIZE = 0.1


def explain(cells: Iterable[Row], is_mean: bool) -> list[dict[str, Any]]:
    """The parts that explain most, as they are stored: dimension, value, observed, before, share.

    cells: rows of ``sql/trends/contributing_cells.sql``. is_mean: of a mean latency; the parts are then their
    latencies over all lines of the span, which add up to the mean. Parts are ranked by how much more of the
    difference they bring than they had of the traffic before; with none such, by size.
    """
    rows = list(cells)
    sums: dict[bool, dict[Part, float]] = {False: {}, True: {}}
    totals, lines = {False: 0.0, True: 0.0}, {False: 0.0, True: 0.0}
    for row in rows:
        later = bool(row["is_later"])
        sums[later][row["dimension"], row["value"]] = float(row["amount"])
        if row["dimension"] == "page":
            totals[later] += float(row["amount"])
            lines[later] += float(row["latency_count"])
    if is_mean:
        for later, parts in sums.items():
            count = lines[later] or 1.0
            sums[later] = {part: amount / count for part, amount in parts.items()}
            totals[later] /= count
    before, after = sums[False], sums[True]
    found = contributors(after, before, totals[True] - totals[False], _CANDIDATES)
    usual = totals[False] or 1.0

    def tells(one: Any) -> float:
        return float(one.share - one.expected / usual + _WEIGHT_OF_SIZE * one.share)

    ranked = sorted(found, key=lambda one: (-tells(one), one.dimension, one.value))[:MOST]
    return [_stored(asdict(one)) for one in ranked]


def _stored(one: dict[str, Any]) -> dict[str, Any]:
    one["before"] = one.pop("expected")
    one["share"] = round(one["share"], 4)
    return one

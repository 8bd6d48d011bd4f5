"""What the stream job counted of the benchmark's events, held against what is true of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.events import Cell, Sums, Truth
from spark_jobs.latency_bins import percentile_us
from spark_jobs.visitor_sketches import EXACT_UP_TO, united, visitors_in
from sql.warehouse import Row, Warehouse

# Three standard errors of a sketch of 4,096: 3 / sqrt(4096).
VISITORS_BOUND = 3 / EXACT_UP_TO**0.5
PERCENTILE_BOUND = 0.01
FRACTIONS = (0.0, 0.5, 0.9, 0.95, 0.99, 1.0)
_CELLS = """
    SELECT extract(epoch FROM bucket_start)::bigint AS bucket, path, country, status_class, agent_class, hits,
           bytes_sent, latency_us_sum, latency_count
    FROM stream.traffic_bucket JOIN stream.page USING (page_id)
"""
_BINS = """
    SELECT path, bin, sum(lines)::bigint AS lines, max(latency_us_max) AS latency_us_max
    FROM stream.latency_bin JOIN stream.page USING (page_id), unnest(bins, counts) AS binned (bin, lines)
    GROUP BY path, bin ORDER BY path, bin
"""
_SKETCHES = "SELECT extract(epoch FROM minute_start)::bigint AS minute, sketch FROM stream.visitor_sketch"
_DIMENSIONS = """
    SELECT dimension, value, sum(hits)::bigint AS hits FROM stream.dimension_hour
    WHERE dimension IN ('referrer', 'status', 'browser') AND value <> 'unrecognised' GROUP BY 1, 2
"""
_VISITS = "SELECT coalesce(sum(hits), 0)::bigint AS hits FROM stream.visit"
Ask = Callable[[str], list[Row]]


def differences(warehouse: Warehouse, truth: Truth) -> dict[str, tuple[int, int]]:
    """By figure: how many are wrong, of how many."""

    def ask(query: str) -> list[Row]:
        with warehouse.transaction() as cursor:
            cursor.execute(query)
            return [dict(row) for row in cursor.fetchall()]

    return {
        "cells": _wrong(truth.cells(), _cells(ask)),
        "values of dimensions": _wrong(dict(truth.dimensions), _dimensions(ask)),
        f"visitors of a minute and of all, beyond {VISITORS_BOUND:.1%}": _visitors(ask, truth),
        f"percentiles of a page, beyond {PERCENTILE_BOUND:.0%}": _percentiles(ask, truth),
        "hits in visits": _wrong(
            {"hits": sum(map(len, truth.latencies.values()))}, {"hits": ask(_VISITS)[0]["hits"]}
        ),
    }


def _wrong(expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> tuple[int, int]:
    names = expected.keys() | found.keys()
    return sum(expected.get(name) != found.get(name) for name in names), len(names)


def _cells(ask: Ask) -> dict[Cell, Sums]:
    return {
        (row["bucket"], row["path"], row["country"], row["status_class"], row["agent_class"]): (
            row["hits"],
            row["bytes_sent"],
            row["latency_us_sum"],
            row["latency_count"],
        )
        for row in ask(_CELLS)
    }


def _dimensions(ask: Ask) -> dict[tuple[str, str], int]:
    return {(row["dimension"], row["value"]): row["hits"] for row in ask(_DIMENSIONS)}


def _visitors(ask: Ask, truth: Truth) -> tuple[int, int]:
    sketches: defaultdict[int, list[bytes]] = defaultdict(list)
    for row in ask(_SKETCHES):
        sketches[row["minute"]].append(bytes(row["sketch"]))
    pairs = [(len(seen), sketches[minute]) for minute, seen in truth.visitors.items()]
    pairs.append((len(set().union(*truth.visitors.values())), [one for some in sketches.values() for one in some]))
    off = [abs(visitors_in(united(some)) - exact) > VISITORS_BOUND * exact for exact, some in pairs]
    return sum(off) + len(sketches.keys() - truth.visitors.keys()), len(off)


def _percentiles(ask: Ask, truth: Truth) -> tuple[int, int]:
    binned: defaultdict[str, Counter[int]] = defaultdict(Counter)
    largest: Counter[str] = Counter()
    for row in ask(_BINS):
        binned[row["path"]][row["bin"]] = row["lines"]
        largest[row["path"]] = max(largest[row["path"]], row["latency_us_max"])
    wrong = 0
    for path, latencies in truth.latencies.items():
        ordered = sorted(latencies)
        bins = sorted(binned[path])
        counts = [binned[path][number] for number in bins]
        if sum(counts) != len(ordered) or largest[path] != ordered[-1]:
            wrong += len(FRACTIONS)
            continue
        for fraction in FRACTIONS:
            exact = ordered[int(fraction * (len(ordered) - 1))]
            found = percentile_us(bins, counts, fraction, largest[path])
            wrong += abs(found - exact) > PERCENTILE_BOUND * exact
    return wrong, len(FRACTIONS) * len(truth.latencies)

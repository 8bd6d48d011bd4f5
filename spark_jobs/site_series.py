"""The last hours of one site in memory, by 10 s: its totals, and the hits of every page and country. Sums only.

    memory = SiteMemory(buckets=1100)
    memory.add(now_bucket, SiteCells(...))                 # the cells of a committed batch, late ones too
    values, latency_count = memory.values(series, first, until)   # (until - first, series), bucket by bucket

Buckets are numbered: epoch seconds // 10. Rings of rows, so that nothing is moved as time goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spark_jobs.trend_course import BUCKET_S
from spark_jobs.trend_detector import Series
from spark_jobs.trend_judge import Measure

Integers = NDArray[np.int64]
Values = NDArray[np.float64]

TOTALS = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
# Lines from clocks that run ahead are counted, but must not push the past out of memory.
AHEAD_BUCKETS = 6
# A flood of random paths must not fill the memory: beyond so many, the smaller half becomes one.
MOST_LABELS = 4096
OTHER = "(other)"


class RollingSums:
    """Sums by bucket number and label. A label gets a column when it first comes and loses it when all is zero."""

    def __init__(self, buckets: int, columns: int) -> None:
        self._rows = np.zeros((buckets, columns), np.int64)
        self._columns: dict[str, int] = {}
        self._free = list(range(columns))

    def add(self, numbers: Integers, labels: Sequence[str], places: Integers, amounts: Integers) -> None:
        """Add ``amounts`` (n,) to the buckets ``numbers`` (n,) under ``labels[places[i]]``."""
        columns = np.array([self._column(label) for label in labels], np.int64)
        np.add.at(self._rows, (numbers % len(self._rows), columns[places]), amounts)

    def _column(self, label: str) -> int:
        column = self._columns.get(label)
        if column is None:
            if not self._free and self._rows.shape[1] >= MOST_LABELS:
                self._unite_the_least()
            if not self._free:
                width = self._rows.shape[1]
                self._rows = np.hstack([self._rows, np.zeros_like(self._rows)])
                self._free = list(range(width, 2 * width))
            column = self._columns[label] = self._free.pop()
        return column

    def _unite_the_least(self) -> None:
        """Half of the labels, those with the least hits, become one."""
        sums = self._rows.sum(axis=0)
        labels = sorted(self._columns, key=lambda label: (label != OTHER, -int(sums[self._columns[label]])))
        other = self._columns.setdefault(OTHER, self._columns[labels[-1]])
        for label in labels[len(labels) // 2 :]:
            column = self._columns.pop(label)
            if label != OTHER and column != other:
                self._rows[:, other] += self._rows[:, column]
                self._rows[:, column] = 0
                self._free.append(column)

    def forget(self, numbers: Integers) -> None:
        """Make room for new buckets in the rows of old ones."""
        self._rows[numbers % len(self._rows)] = 0

    def forget_labels_without_hits(self) -> None:
        """A flood of random paths must not stay in memory."""
        live = self._rows.max(axis=0) > 0
        for label in [label for label, column in self._columns.items() if not live[column]]:
            self._free.append(self._columns.pop(label))

    def column(self, label: str, first: int, until: int) -> Integers:
        """Sums of one label over the buckets [first, until)."""
        numbers = np.arange(first, until) % len(self._rows)
        column = self._columns.get(label)
        return np.zeros(len(numbers), np.int64) if column is None else self._rows[numbers, column]

    def largest(self, first: int, until: int, most: int) -> list[tuple[str, int]]:
        """Labels with their sums over [first, until), the largest first; none that is zero."""
        sums = self._rows[np.arange(first, until) % len(self._rows)].sum(axis=0)
        found = [(label, int(sums[column])) for label, column in self._columns.items() if sums[column]]
        return sorted(found, key=lambda one: (-one[1], one[0]))[:most]


@dataclass(frozen=True)
class SiteCells:
    """Cells of one site, all arrays (n,): bucket numbers, amounts by TOTALS, and labels as places in a list."""

    numbers: Integers
    totals: Integers  # (n, 6)
    paths: Sequence[str]
    path_places: Integers
    countries: Sequence[str]
    country_places: Integers


class SiteMemory:
    """See the module. Holds the buckets (newest - buckets, newest]."""

    def __init__(self, buckets: int, newest: int) -> None:
        self._buckets = buckets
        self._newest = newest
        self._totals = RollingSums(buckets, len(TOTALS))
        self._pages = RollingSums(buckets, 64)
        self._countries = RollingSums(buckets, 16)
        self.last_with_hits = 0  # newest bucket with a line, among those in memory

    @property
    def oldest(self) -> int:
        return self._newest - self._buckets + 1

    def advance(self, now_bucket: int) -> None:
        """Let time go on: room for the buckets up to a little after now."""
        newest = now_bucket + AHEAD_BUCKETS
        if newest > self._newest:
            passed = np.arange(max(self._newest + 1, newest - self._buckets + 1), newest + 1)
            for sums in (self._totals, self._pages, self._countries):
                sums.forget(passed)
            if newest // 360 > self._newest // 360:
                self._pages.forget_labels_without_hits()
            self._newest = newest

    def add(self, now_bucket: int, cells: SiteCells) -> Integers:
        """Add cells; those before memory or far in the future are left out. Returns the bucket numbers touched."""
        self.advance(now_bucket)
        held = (cells.numbers >= self.oldest) & (cells.numbers <= self._newest)
        numbers, totals = cells.numbers[held], cells.totals[held]
        if not len(numbers):
            return numbers
        for place, name in enumerate(TOTALS):
            self._totals.add(numbers, [name], np.zeros(len(numbers), np.int64), totals[:, place])
        self._pages.add(numbers, cells.paths, cells.path_places[held], totals[:, 0])
        self._countries.add(numbers, cells.countries, cells.country_places[held], totals[:, 0])
        touched = np.unique(numbers)
        self.last_with_hits = max(self.last_with_hits, int(touched[-1]))
        return touched

    def take(self, dimension: str, label: str, numbers: Integers, amounts: Mapping[str, Integers]) -> None:
        """Add sums that are stored: of the site (dimension total, by TOTALS), or hits of a page or country."""
        held = (numbers >= self.oldest) & (numbers <= self._newest)
        numbers = numbers[held]
        where = np.zeros(len(numbers), np.int64)
        if dimension == "total":
            for name, values in amounts.items():
                self._totals.add(numbers, [name], where, values[held])
            self.last_with_hits = max(self.last_with_hits, int(numbers.max(initial=0)))
        else:
            sums = self._pages if dimension == "page" else self._countries
            sums.add(numbers, [label], where, amounts["hits"][held])

    def hits(self, first: int, until: int) -> Integers:
        """Hits of the whole site by bucket."""
        return self._totals.column("hits", first, until)

    def values(self, series: Sequence[Series], first: int, until: int) -> tuple[Values, Values]:
        """Values (buckets, series) as the detector takes them, and the number of latencies (buckets,)."""
        columns = [self._series(one, first, until) for one in series]
        return (
            np.column_stack(columns).astype(np.float64),
            self._totals.column("latency_count", first, until).astype(np.float64),
        )

    def _series(self, one: Series, first: int, until: int) -> Integers:
        if one.measure == "page":
            return self._pages.column(one.value, first, until)
        if one.measure == "country":
            return self._countries.column(one.value, first, until)
        return self._totals.column(
            "latency_us_sum" if one.measure == "mean_latency_us" else one.measure, first, until
        )

    def largest(self, measure: Measure, first: int, until: int, most: int) -> list[tuple[str, int]]:
        """Pages or countries with their hits, the largest first."""
        return (self._pages if measure == "page" else self._countries).largest(first, until, most)


def cells_by_site(cells: pa.Table, from_bucket: int) -> Iterable[tuple[str, SiteCells]]:
    """The cells of a batch from a bucket on, site by site.

    cells: bucket_start (epoch seconds), site, path, country, status_class, hits, bytes_sent, latency_us_sum,
    latency_count. Old lines cost one comparison each.
    """
    cells = cells.filter(pc.greater_equal(cells["bucket_start"], from_bucket * BUCKET_S))
    for site in pc.unique(cells["site"]).to_pylist():
        own = cells.filter(pc.equal(cells["site"], site))
        hits = own["hits"].to_numpy()
        status = own["status_class"].to_numpy()
        paths = own["path"].combine_chunks().dictionary_encode()
        countries = own["country"].combine_chunks().dictionary_encode()
        totals = np.column_stack(
            [
                hits,
                own["bytes_sent"].to_numpy(),
                np.where(status == 4, hits, 0),
                np.where(status == 5, hits, 0),
                own["latency_us_sum"].to_numpy(),
                own["latency_count"].to_numpy(),
            ]
        ).astype(np.int64)
        yield (
            site,
            SiteCells(
                numbers=own["bucket_start"].to_numpy() // BUCKET_S,
                totals=totals,
                paths=paths.dictionary.to_pylist(),
                path_places=paths.indices.to_numpy().astype(np.int64),
                countries=countries.dictionary.to_pylist(),
                country_places=countries.indices.to_numpy().astype(np.int64),
            ),
        )

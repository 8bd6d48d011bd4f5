"""Published hours of the live sites as arrays: what forecasts and the course of the day are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from spark_jobs.trend_detector import Series
from sql.warehouse import Row, Warehouse, rows

HOUR_S = 3600
# Four weeks: enough for hours of the day and days of the week, and as long as a site stays like itself.
HISTORY_HOURS = 4 * 7 * 24


@dataclass(frozen=True)
class HourHistory:
    """One site: hours (h,) in a row, epoch seconds, up to the last published one, and the values of each series (h,).

    An hour without a report had no lines: 0, and NaN for a mean. An hour with an unknown bucket is NaN for all.
    """

    starts_s: NDArray[np.int64]
    values: Mapping[Series, NDArray[np.float64]]


def read_history(warehouse: Warehouse, as_of: datetime) -> dict[str, HourHistory]:
    """The live sites' hours that were published by then, of one snapshot."""
    parameters = {"as_of": as_of, "hours": HISTORY_HOURS}
    with warehouse.transaction("REPEATABLE READ") as cursor:
        published = rows(cursor, "trends/hour_history", parameters)
        return _by_site(published, rows(cursor, "trends/unknown_hours", parameters))


def _by_site(published: Iterable[Row], unknown: Iterable[Row]) -> dict[str, HourHistory]:
    sites: dict[str, dict[Series, dict[int, float | None]]] = {}
    last: dict[str, int] = {}
    for row in published:
        series = Series(row["series_kind"], row["series_name"])
        hours = sites.setdefault(row["site"], {}).setdefault(series, {})
        hours[int(row["hour_start"].timestamp())] = row["observed"]
        last[row["site"]] = int(row["last_hour"].timestamp())
    for row in unknown:
        for hours in sites.get(row["site"], {}).values():
            hours[int(row["hour_start"].timestamp())] = None
    result = {}
    for site, found in sites.items():
        starts = np.arange(min(min(hours) for hours in found.values()), last[site] + HOUR_S, HOUR_S)
        result[site] = HourHistory(
            starts, {series: _values(series, hours, starts) for series, hours in found.items()}
        )
    return result


def _values(series: Series, hours: Mapping[int, float | None], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    absent = np.nan if series.measure == "mean_latency_us" else 0.0
    found = (hours.get(start, absent) for start in starts.tolist())
    return np.array([np.nan if value is None else value for value in found], np.float64)

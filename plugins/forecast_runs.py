"""What ``traffic_forecast`` does: published hours in, forecasts of the next 24 hours out."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime

import numpy as np

from plugins.report_runs import reporter
from settings import Settings
from spark_jobs.trend_forecast import next_hours, seasonal_naive
from sql.warehouse import Row, Warehouse, run_many

log = logging.getLogger(__name__)

# Four weeks: enough for hours of the day and days of the week, and as much as a site stays like itself.
HISTORY_HOURS = 4 * 7 * 24
DAY_HOURS, WEEK_HOURS, HOUR_S = 24, 7 * 24, 3600


def make_forecasts(as_of: datetime) -> int:
    """Forecast every series of the live sites from the hours published by then; returns the number of series."""
    with reporter(Settings()) as warehouse:
        return forecast_hours(warehouse, as_of)


def forecast_hours(warehouse: Warehouse, as_of: datetime) -> int:
    """See ``make_forecasts``. Running it again from the same hours changes nothing."""
    rows = warehouse.rows("trends/hour_history", {"as_of": as_of, "hours": HISTORY_HOURS})
    series: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        series[row["site"], row["series_kind"], row["series_name"]].append(row)
    forecasts = {key: _forecast(found) for key, found in series.items()}
    made = {key: forecast for key, forecast in forecasts.items() if forecast}
    with warehouse.transaction() as cursor:
        for (site, kind, name), forecast in made.items():
            key = {"site": site, "series_kind": kind, "series_name": name}
            run_many(cursor, "trends/add_forecast", [key | hour for hour in forecast])
    log.info("%d of %d series forecast; the others have less than 48 hours of history", len(made), len(series))
    return len(made)


def _forecast(rows: list[Row]) -> list[dict[str, float | None]]:
    """The next 24 hours after the site's last published hour; empty with too little history.

    An hour without a report had no lines: 0, or unknown for a mean.
    """
    last_s = int(rows[0]["last_hour"].timestamp())
    by_hour = {int(row["hour_start"].timestamp()): row["observed"] for row in rows}
    starts = np.arange(min(by_hour), last_s + HOUR_S, HOUR_S)
    absent = np.nan if rows[0]["series_kind"] == "mean_latency_us" else 0.0
    values = np.array(
        [np.nan if (value := by_hour.get(start, absent)) is None else value for start in starts.tolist()], np.float64
    )
    forecast = next_hours(starts, values)
    if forecast is None:
        return []
    naive = seasonal_naive(starts, values, season_hours=WEEK_HOURS if len(values) >= WEEK_HOURS else DAY_HOURS)
    return [
        {
            "history_end": last_s + HOUR_S,
            "hour_start": int(start),
            "expected": float(expected),
            "band_low": float(low),
            "band_high": float(high),
            "seasonal_naive": float(plain) if np.isfinite(plain) else None,
        }
        for start, expected, low, high, plain in zip(
            forecast.starts_s, forecast.expected, forecast.low, forecast.high, naive, strict=True
        )
        if np.isfinite([expected, low, high]).all()
    ]

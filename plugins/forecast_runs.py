"""What ``traffic_forecast`` does: published hours in, forecasts of the next 24 hours out."""

from __future__ import annotations

import logging
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from plugins.report_runs import reporter
from settings import Settings
from spark_jobs.hour_history import HOUR_S, read_history
from spark_jobs.trend_forecast import next_hours, seasonal_naive
from spark_jobs.trend_judge import AMOUNTS
from sql.warehouse import Warehouse, run_many

log = logging.getLogger(__name__)

DAY_HOURS, WEEK_HOURS = 24, 7 * 24


def make_forecasts(as_of: datetime) -> int:
    """Forecast every series of the live sites from the hours published by then; returns the number of series."""
    with reporter(Settings()) as warehouse:
        return forecast_hours(warehouse, as_of)


def forecast_hours(warehouse: Warehouse, as_of: datetime) -> int:
    """See ``make_forecasts``. Running it again from the same hours changes nothing."""
    made = short = 0
    histories = read_history(warehouse, as_of)
    with warehouse.transaction() as cursor:
        for site, history in histories.items():
            for series, values in history.values.items():
                key = {"site": site, "series_kind": series.measure, "series_name": series.value}
                forecast = _forecast(history.starts_s, values, series.measure in AMOUNTS)
                run_many(cursor, "trends/add_forecast", [key | hour for hour in forecast])
                made, short = made + bool(forecast), short + (not forecast)
    log.info("%d series forecast; %d have less than 48 hours of history", made, short)
    return made


def _forecast(starts: NDArray[np.int64], values: NDArray[np.float64], amount: bool) -> list[dict[str, float | None]]:
    """The 24 hours after the last, but for hours of the day that were never known; empty with too little history."""
    forecast = next_hours(starts, values, amount=amount)
    if forecast is None:
        return []
    naive = seasonal_naive(starts, values, season_hours=WEEK_HOURS if len(values) >= WEEK_HOURS else DAY_HOURS)
    return [
        {
            "history_end": int(starts[-1]) + HOUR_S,
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

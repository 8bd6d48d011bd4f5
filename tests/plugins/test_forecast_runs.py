"""Forecasts from published hours, on a real database."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from plugins.forecast_runs import forecast_hours
from settings import Settings
from spark_jobs.hour_history import read_history
from spark_jobs.trend_detector import Series
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, select

pytestmark = pytest.mark.services


def hours(first: str, number: int) -> list[Cell]:
    """Hours with 100 hits each, 150 from noon to midnight."""
    starts = [at(first) + timedelta(hours=n) for n in range(number)]
    return [Cell(f"{start:%Y-%m-%dT%H:%M:%S}", hits=100 + 50 * (start.hour >= 12)) for start in starts]


def test_the_next_day_is_forecast_once_there_are_two_days_of_history(fresh_database: Settings) -> None:
    traffic = CountedTraffic(fresh_database)
    with Warehouse(fresh_database.dsn("footfall_reporter"), "test-reporter") as reporter:
        traffic.batch(*hours("2026-06-01T00:00:00", 40))
        publish_hours(reporter, as_of=at("2026-06-02T16:10:00"))
        assert forecast_hours(reporter, at("2026-06-02T16:10:00")) == 0
        traffic.batch(*hours("2026-06-02T16:00:00", 32))
        publish_hours(reporter, as_of=at("2026-06-04T00:10:00"))
        assert forecast_hours(reporter, at("2026-06-04T00:10:00")) > 0
        made = select(
            reporter,
            "SELECT hour_start, expected, seasonal_naive FROM report.forecast WHERE series_kind = 'hits'"
            " ORDER BY hour_start",
        )
        assert [row[0] for row in made] == [at("2026-06-04T00:00:00") + timedelta(hours=n) for n in range(24)]
        assert [row[1] for row in made] == pytest.approx([100.0] * 12 + [150.0] * 12, rel=0.05)
        assert [row[2] for row in made] == [100.0] * 12 + [150.0] * 12
        bands = select(reporter, "SELECT series_kind, band_low FROM report.forecast")
        whole = {kind for kind, low in bands if low == int(low)}
        assert {kind for kind, _ in bands} - whole == {"bytes_sent", "mean_latency_us"}, "amounts are no counts"
        stamps = select(reporter, "SELECT made_at FROM report.forecast")
        forecast_hours(reporter, at("2026-06-04T00:10:00"))
        assert select(reporter, "SELECT made_at FROM report.forecast") == stamps
        assert forecast_hours(reporter, at("2026-06-09T00:00:00")) == 0, "a site without traffic for days"
    traffic.warehouse.close()


def test_hours_in_which_counting_stood_still_are_unknown_not_empty(fresh_database: Settings) -> None:
    traffic = CountedTraffic(fresh_database)
    with (
        Warehouse(fresh_database.dsn("footfall_reporter"), "test-reporter") as reporter,
        Warehouse(fresh_database.dsn("footfall_writer"), "test-driver") as driver,
    ):
        traffic.batch(*hours("2026-06-01T00:00:00", 48))
        traffic.batch(*hours("2026-06-03T12:00:00", 24))
        traffic.execute(
            "INSERT INTO stream.standstill VALUES ('2026-06-02T23:59:55Z', '2026-06-03T12:00:05Z', false),"
            " ('2026-06-04T02:00:00Z', '2026-06-04T02:00:10Z', false),"  # its one bucket has lines
            " ('2026-06-04T03:00:00Z', '2026-06-04T03:00:10Z', true)"
        )
        now = at("2026-06-04T12:10:00")
        publish_hours(reporter, as_of=now)
        for history in (read_history(reporter, now)["shop"], read_history(driver, now)["shop"]):
            hits = history.values[Series("hits")]
            unknown = [*range(47, 60), 75]  # the bucket from 23:59:50 on was empty, too
            assert np.flatnonzero(np.isnan(hits)).tolist() == unknown
            assert hits[48 + 13] == 150
        assert forecast_hours(reporter, now) > 0
        made = select(reporter, "SELECT expected FROM report.forecast WHERE series_kind = 'hits' ORDER BY hour_start")
        assert [row[0] for row in made] == pytest.approx([150.0] * 12 + [100.0] * 12, rel=0.05)
    traffic.warehouse.close()

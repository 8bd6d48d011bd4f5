"""Forecasts from published hours, on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plugins.forecast_runs import forecast_hours
from settings import Settings
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
        stamps = select(reporter, "SELECT made_at FROM report.forecast")
        forecast_hours(reporter, at("2026-06-04T00:10:00"))
        assert select(reporter, "SELECT made_at FROM report.forecast") == stamps
        assert forecast_hours(reporter, at("2026-06-09T00:00:00")) == 0, "a site without traffic for days"
    traffic.warehouse.close()

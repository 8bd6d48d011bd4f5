"""The month that the bench of the pages fills in is one that can be published and sealed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.pages import SITE, fill
from settings import Settings
from sql.warehouse import Warehouse

pytestmark = pytest.mark.services


def test_every_hour_has_a_report_of_200_pages_and_20_countries_and_a_seal(fresh_database: Settings) -> None:
    start = datetime(2026, 6, 1, 22, tzinfo=UTC)
    fill(fresh_database, start, start + timedelta(hours=2), detail_hour=start - timedelta(hours=1))
    reader = Warehouse(fresh_database.dsn("footfall_reader"), "footfall-test")
    with reader, reader.transaction() as cursor:
        cursor.execute(
            "SELECT t.hour_start, (SELECT count(*) FROM report.current_hourly_page AS p"
            "                      WHERE (p.site, p.hour_start) = (t.site, t.hour_start)) AS pages,"
            "       (SELECT count(*) FROM report.current_hourly_country AS c"
            "        WHERE (c.site, c.hour_start) = (t.site, t.hour_start)) AS countries, s.seal"
            " FROM report.current_hourly_traffic AS t JOIN quality.current_seal AS s USING (site, hour_start)"
            " WHERE t.site = %(site)s ORDER BY 1",
            {"site": SITE},
        )
        found = [dict(row) for row in cursor.fetchall()]
    assert [(row["hour_start"], row["pages"], row["countries"]) for row in found] == [
        (start, 200, 20),
        (start + timedelta(hours=1), 200, 20),
    ]
    assert "unchecked" not in {row["seal"] for row in found}

"""Connections of our roles to a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from settings import Settings
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import CountedTraffic


@pytest.fixture
def traffic(fresh_database: Settings) -> Iterator[CountedTraffic]:
    """Writes small traffic as the stream job would."""
    counted = CountedTraffic(fresh_database)
    yield counted
    counted.warehouse.close()


@pytest.fixture
def reporter(fresh_database: Settings) -> Iterator[Warehouse]:
    """Role footfall_reporter."""
    with Warehouse(fresh_database.dsn("footfall_reporter"), "test-reporter") as warehouse:
        yield warehouse


@pytest.fixture
def reader(fresh_database: Settings) -> Iterator[Warehouse]:
    """Role footfall_reader."""
    with Warehouse(fresh_database.dsn("footfall_reader"), "test-reader") as warehouse:
        yield warehouse


@pytest.fixture
def admin(fresh_database: Settings) -> Iterator[Warehouse]:
    """The database's superuser, for tampering."""
    with Warehouse(fresh_database.dsn("footfall_admin"), "test-admin") as warehouse:
        yield warehouse

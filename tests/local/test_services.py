"""The embedded services let in who should, and nobody else."""

from __future__ import annotations

import pytest

from settings import Settings
from sql.launches import read_lease
from sql.warehouse import Warehouse

pytestmark = pytest.mark.services


def test_the_writer_reaches_a_fresh_migrated_database(fresh_database: Settings) -> None:
    with Warehouse(fresh_database.dsn("footfall_writer"), "test") as warehouse:
        assert read_lease(warehouse).epoch == 0


def test_a_topic_is_there(topic: Settings) -> None:
    assert topic.topic.startswith("test.")

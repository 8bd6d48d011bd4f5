"""Users find out what a number means from the database itself."""

from __future__ import annotations

import pytest

from sql.warehouse import Warehouse
from tests.sql.counted_traffic import select

pytestmark = pytest.mark.services


def test_every_table_and_view_of_ours_carries_a_comment(admin: Warehouse) -> None:
    assert (
        select(
            admin,
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema IN ('stream', 'report', 'quality') AND coalesce(pg_catalog.obj_description("
            " format('%I.%I', table_schema, table_name)::regclass, 'pg_class'), '') = ''",
        )
        == []
    )


def test_every_column_of_ours_carries_a_comment(admin: Warehouse) -> None:
    assert (
        select(
            admin,
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
            " WHERE table_schema IN ('stream', 'report', 'quality') AND coalesce(pg_catalog.col_description("
            " format('%I.%I', table_schema, table_name)::regclass, ordinal_position), '') = ''",
        )
        == []
    )


def test_every_function_of_ours_carries_a_comment(admin: Warehouse) -> None:
    assert (
        select(
            admin,
            "SELECT oid::regprocedure::text FROM pg_catalog.pg_proc WHERE pronamespace::regnamespace::text"
            " IN ('stream', 'report', 'quality') AND coalesce(pg_catalog.obj_description(oid, 'pg_proc'), '') = ''",
        )
        == []
    )


def test_the_same_quantity_has_the_same_type_everywhere(admin: Warehouse) -> None:
    # observed: in quality.* the finding of a check in words, in report.* the value of a series.
    assert (
        select(
            admin,
            "SELECT column_name, array_agg(DISTINCT data_type::text) AS types FROM information_schema.columns"
            " WHERE table_schema IN ('stream', 'report', 'quality') AND column_name NOT IN ('hours', 'observed')"
            " GROUP BY column_name HAVING count(DISTINCT data_type::text) > 1",
        )
        == []
    )

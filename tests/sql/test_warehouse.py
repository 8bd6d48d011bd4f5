"""The door to Postgres tells apart what heals by waiting and what does not."""

from __future__ import annotations

import pytest

from settings import Settings
from sql.warehouse import ConnectionBroken, DatabaseError, Warehouse, WarehouseRefused, WarehouseUnreachable

pytestmark = pytest.mark.services


def test_a_role_that_postgres_does_not_let_in_is_refused(fresh_database: Settings) -> None:
    stranger = fresh_database.dsn("footfall_reader").replace("user=footfall_reader", "user=stranger")
    with pytest.raises(WarehouseRefused, match="no password supplied"):
        Warehouse(stranger, "test").rows("stream/lock_lease")


def test_a_port_on_which_nothing_listens_is_unreachable(fresh_database: Settings) -> None:
    nowhere = fresh_database.dsn("footfall_reader").replace(f"port={fresh_database.postgres_port}", "port=1")
    with pytest.raises(WarehouseUnreachable, match="refused"):
        Warehouse(nowhere, "test").rows("stream/lock_lease")


def test_a_statement_that_takes_too_long_fails_and_leaves_the_connection(fresh_database: Settings) -> None:
    with Warehouse(fresh_database.dsn("footfall_writer"), "test", statement_timeout_s=0.2) as warehouse:
        with pytest.raises(DatabaseError, match="statement timeout"), warehouse.transaction() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        assert warehouse.rows("stream/lock_lease")


def test_a_session_ended_by_the_server_is_a_broken_connection_and_the_next_call_opens_another(
    fresh_database: Settings,
) -> None:
    with Warehouse(fresh_database.dsn("footfall_writer"), "test") as warehouse:
        with pytest.raises(ConnectionBroken, match="terminat"), warehouse.transaction() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        assert warehouse.rows("stream/lock_lease")

"""Who may do what: the matrix of role, table and verb is kept in role_rights.csv and holds for every table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from settings import PostgresRole, Settings
from sql.warehouse import DatabaseError, Warehouse
from tests.sql.counted_traffic import execute, select

pytestmark = pytest.mark.services

RIGHTS = Path(__file__).with_name("role_rights.csv")
VERBS = {
    "S": "SELECT",
    "I": "INSERT",
    "U": "UPDATE",
    "D": "DELETE",
    "T": "TRUNCATE",
    "R": "REFERENCES",
    "G": "TRIGGER",
}
ROLES: tuple[PostgresRole, ...] = ("footfall_writer", "footfall_reporter", "footfall_reader")


def test_each_role_has_exactly_the_rights_of_the_matrix_on_each_table(admin: Warehouse) -> None:
    with RIGHTS.open(newline="") as file:
        expected = {row["table"]: {role: row[role] for role in ROLES} for row in csv.DictReader(file)}
    found: dict[str, dict[str, str]] = {}
    for (table,) in select(
        admin,
        "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables"
        " WHERE table_schema IN ('stream', 'report', 'quality')",
    ):
        found[table] = {}
        for role in ROLES:
            rights = execute(
                admin,
                "SELECT letter FROM unnest(%(letters)s, %(verbs)s) WITH ORDINALITY AS verb (letter, name, place)"
                " WHERE has_table_privilege(%(role)s, %(table)s, name) ORDER BY place",
                {"letters": list(VERBS), "verbs": list(VERBS.values()), "role": role, "table": table},
            )
            found[table][role] = "".join(row["letter"] for row in rights) or "-"
    assert found == expected


def test_no_role_has_a_right_on_a_single_column_beyond_its_table_rights(admin: Warehouse) -> None:
    assert (
        select(
            admin,
            "SELECT attrelid::regclass::text AS name, attname FROM pg_catalog.pg_attribute"
            " WHERE attacl IS NOT NULL AND attrelid::regclass::text ~ '^(stream|report|quality)[.]'",
        )
        == []
    )


FORBIDDEN: list[tuple[PostgresRole, str]] = [
    ("footfall_reader", "SELECT * FROM stream.traffic_bucket"),
    ("footfall_reader", "SELECT sample FROM stream.rejected_record"),
    ("footfall_reader", "SET TRANSACTION READ WRITE; DELETE FROM report.hourly_traffic"),
    ("footfall_reader", "SET TRANSACTION READ WRITE; CREATE TABLE public.mine (x int)"),
    ("footfall_reader", "SET TRANSACTION READ WRITE; CREATE TABLE report.mine (x int)"),
    ("footfall_reader", "SET TRANSACTION READ WRITE; CREATE TEMPORARY TABLE mine (x int)"),
    ("footfall_reader", "SET TRANSACTION READ WRITE; CREATE SCHEMA mine"),
    ("footfall_reader", "SET ROLE footfall_owner"),
    ("footfall_reporter", "SELECT sample FROM stream.rejected_record"),
    ("footfall_reporter", "UPDATE report.hourly_traffic SET hits = 0"),
    ("footfall_reporter", "DELETE FROM report.hour_revision"),
    ("footfall_reporter", "UPDATE quality.result SET passed = true"),
    ("footfall_reporter", "UPDATE stream.traffic_bucket SET hits = 1"),
    ("footfall_reporter", "CREATE TABLE report.mine (x int)"),
    ("footfall_writer", "UPDATE stream.ledger SET accepted = 0"),
    ("footfall_writer", "DELETE FROM stream.ledger"),
    ("footfall_writer", "DELETE FROM stream.lost_range"),
    ("footfall_writer", "INSERT INTO report.hour_revision DEFAULT VALUES"),
    ("footfall_writer", "TRUNCATE stream.traffic_bucket"),
    ("footfall_writer", "ALTER TABLE stream.traffic_bucket ADD COLUMN mine int"),
]


def test_what_a_role_must_not_do_is_refused(fresh_database: Settings) -> None:
    refusals = []
    for role, text in FORBIDDEN:
        with Warehouse(fresh_database.dsn(role), "test") as warehouse:
            try:
                execute(warehouse, text)
            except DatabaseError as error:
                refusals.append((role, text, error.pgcode))
            else:
                refusals.append((role, text, "allowed"))
    assert refusals == [(role, text, "42501") for role, text in FORBIDDEN]


def test_the_reader_cannot_write_even_where_a_right_would_allow_it(reader: Warehouse, admin: Warehouse) -> None:
    execute(admin, "GRANT DELETE ON report.hourly_traffic TO footfall_reader")
    with pytest.raises(DatabaseError, match="read-only transaction"):
        execute(reader, "DELETE FROM report.hourly_traffic")


def test_nobody_finds_names_outside_the_catalog_so_nothing_can_be_shadowed(fresh_database: Settings) -> None:
    for role in ROLES:
        with Warehouse(fresh_database.dsn(role), "test") as warehouse:
            assert select(warehouse, "SHOW search_path") == [("pg_catalog",)]


def test_a_runaway_query_of_the_reader_is_cut_and_its_connections_are_limited(
    fresh_database: Settings, admin: Warehouse
) -> None:
    settings = dict(
        select(
            admin,
            "SELECT split_part(word, '=', 1) AS name, split_part(word, '=', 2) AS value"
            " FROM pg_catalog.pg_roles, unnest(rolconfig) AS word WHERE rolname = 'footfall_reader'",
        )
    )
    assert settings["statement_timeout"] == "30s"
    assert settings["idle_in_transaction_session_timeout"] == "30s"
    assert select(admin, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'footfall_reader'") == [(30,)]
    with Warehouse(fresh_database.dsn("footfall_reader"), "test", statement_timeout_s=0.2) as warehouse:
        with pytest.raises(DatabaseError, match="statement timeout"):
            execute(warehouse, "SELECT pg_sleep(20)")
        assert select(warehouse, "SELECT 1 AS one") == [(1,)]


def test_the_owner_of_the_tables_cannot_log_in_and_none_of_our_roles_is_privileged(admin: Warehouse) -> None:
    assert select(
        admin,
        "SELECT rolname, rolcanlogin, "
        "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS mighty"
        " FROM pg_roles WHERE rolname LIKE 'footfall%' AND rolname <> 'footfall_admin' ORDER BY rolname",
    ) == [
        ("footfall_owner", False, False),
        ("footfall_reader", True, False),
        ("footfall_reporter", True, False),
        ("footfall_writer", True, False),
    ]

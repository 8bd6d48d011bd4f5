"""What an administrator does before and beside the migrations: databases, and the passwords of roles."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import psycopg2
from psycopg2 import sql

from sql.warehouse import scram_secret


def create_database(dsn: str, database: str, owner: str | None, template: str | None = None) -> None:
    """Create a database and its owner (a role that may log in) when they are missing; nobody else may connect.

    dsn: of a role that may create databases and roles. template: database to copy, with the rights on it; then dsn
    must be a superuser's, and nobody may be connected to the template.
    """
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True  # CREATE DATABASE refuses to run inside a transaction
        with connection.cursor() as cursor:
            if owner is not None:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (owner,))
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(owner)))
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            if cursor.fetchone() is None:
                create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
                if owner is not None:
                    create += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
                if template is not None:
                    create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
                cursor.execute(create)
            cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
            if template is not None:  # CREATE DATABASE copies everything but these
                cursor.execute(
                    "UPDATE pg_catalog.pg_database SET datacl = (SELECT datacl FROM pg_catalog.pg_database"
                    " WHERE datname = %s) WHERE datname = %s",
                    (template, database),
                )


def set_passwords(dsn: str, passwords: Mapping[str, str]) -> None:
    """Set passwords of roles, role -> password; only SCRAM verifiers reach the server."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        for role, password in passwords.items():
            cursor.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(scram_secret(role, password, cursor))
                )
            )


def drop_database(dsn: str, database: str) -> None:
    """Drop a database, ending the connections it still has."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

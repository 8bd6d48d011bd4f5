"""The one door to Postgres: connections, transactions, named SQL files, COPY. Only psycopg2 import of the house."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import psycopg2
import psycopg2.extras
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

__all__ = [
    "POSTGRES_AWAY",
    "ConnectionBroken",
    "Cursor",
    "DatabaseError",
    "Row",
    "Warehouse",
    "WarehouseRefused",
    "WarehouseUnreachable",
    "copy_csv",
    "copy_out",
    "csv_of",
    "dsn_words",
    "rows",
    "run",
    "run_many",
    "scram_secret",
    "statement",
]

ROOM = Path(__file__).resolve().parent

# What a caller may want to tell apart, so that nobody else needs psycopg2.
DatabaseError = psycopg2.Error


class ConnectionBroken(Exception):
    """The connection broke within a transaction: whether a running COMMIT took effect is unknown."""


Row = dict[str, Any]

# FATAL answers of a server that will let us in later: it starts, stops, recovers, or has too many guests.
_PASSING = (
    "starting up",
    "not yet accepting",
    "shutting down",
    "recovery",
    "too many",
    "remaining connection slots",
    "terminating",
)


class WarehouseRefused(Exception):
    """Postgres answers, but does not let us in: wrong password, role or database. Waiting does not help."""


class WarehouseUnreachable(Exception):
    """Postgres did not accept a connection; the message names the server and the reason, never a password."""


# What heals by waiting: Postgres restarts, or the way to it is interrupted.
POSTGRES_AWAY = (ConnectionBroken, WarehouseUnreachable)


def dsn_words(dsn: str) -> dict[str, str]:
    """The settings of a libpq connection string, unquoted."""
    return {str(name): str(value) for name, value in psycopg2.extensions.parse_dsn(dsn).items()}


@cache
def statement(name: str) -> str:
    """Text of a SQL file of this room, by its path below ``sql/`` without ending: ``stream/merge_traffic``."""
    return (ROOM / f"{name}.sql").read_text(encoding="utf-8")


class Warehouse:
    """One connection, opened at first use; every call is one transaction unless inside ``transaction()``."""

    def __init__(self, dsn: str, application_name: str, statement_timeout_s: float = 60.0) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._options = f"-c TimeZone=UTC -c statement_timeout={int(statement_timeout_s * 1000)}"
        self._connection: Connection | None = None

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = psycopg2.connect(
                    self._dsn,
                    application_name=self._application_name,
                    options=self._options,
                    keepalives_idle=5,
                    keepalives_interval=2,
                    keepalives_count=3,
                    tcp_user_timeout=20_000,
                )
            except psycopg2.OperationalError as error:
                message = str(error).strip()
                let_in = "FATAL:" not in message and "no password supplied" not in message
                refused = not let_in and not any(words in message for words in _PASSING)
                raise (WarehouseRefused if refused else WarehouseUnreachable)(message) from error
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self, isolation: str | None = None) -> Iterator[Cursor]:
        """Cursor of one transaction: commits at the end of the block, rolls back when the block raises.

        After a lost connection the next call opens a new one.
        """
        connection = self._open()
        try:
            if isolation is not None:
                connection.set_session(isolation_level=isolation)
            with connection, connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                yield cast(Cursor, cursor)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            # A statement may fail with an OperationalError, too (time-out, disk full): then the connection lives.
            if not connection.closed:
                raise
            self.close()
            # Rolling back on a dead connection raises, too: what killed it is the context of that.
            raise ConnectionBroken(str(error.__context__ or error).strip()) from error
        finally:
            if isolation is not None and not connection.closed:
                connection.set_session(isolation_level="DEFAULT")

    def rows(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All rows of a SQL file."""
        with self.transaction() as cursor:
            return rows(cursor, name, parameters)

    def row(self, name: str, parameters: Mapping[str, Any] | None = None) -> Row:
        """The only row of a SQL file; ValueError when there is another number of rows."""
        found = self.rows(name, parameters)
        if len(found) != 1:
            raise ValueError(f"{name}: expected one row, got {len(found)}")
        return found[0]

    def run(self, name: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Run a SQL file; returns the number of rows it touched."""
        with self.transaction() as cursor:
            return run(cursor, name, parameters)

    def bound(self, name: str, parameters: Mapping[str, Any] | None = None) -> str:
        """The text of a SQL file with its parameters in place, as the server gets it."""
        with self.transaction() as cursor:
            return str(cursor.mogrify(statement(name), dict(parameters or {})).decode())

    def query_csv(self, query: str, out: Any) -> None:
        """Write the result of a query a person typed as CSV with a header; the role's rights are the guard."""
        with self.transaction() as cursor:
            cursor.copy_expert(f"COPY ({query.strip().rstrip(';')}) TO STDOUT (FORMAT csv, HEADER)", out)


def rows(cursor: Cursor, name: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """All rows of a SQL file, within the cursor's transaction."""
    cursor.execute(statement(name), dict(parameters or {}))
    return [dict(row) for row in cursor.fetchall()]


def run(cursor: Cursor, name: str, parameters: Mapping[str, Any] | None = None) -> int:
    """Run a SQL file within the cursor's transaction; returns the number of rows it touched."""
    cursor.execute(statement(name), dict(parameters or {}))
    return int(cursor.rowcount)


def run_many(cursor: Cursor, name: str, records: Iterable[Mapping[str, Any]]) -> None:
    """Run a SQL file once per record, in few round trips."""
    psycopg2.extras.execute_batch(cursor, statement(name), [dict(record) for record in records])


def copy_csv(cursor: Cursor, table: str, columns: Sequence[str], csv: bytes) -> None:
    """COPY a CSV without header into a table of ours (names are code, never data)."""
    cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)", BytesIO(csv))


def copy_out(cursor: Cursor, name: str, parameters: Mapping[str, Any], out: Any) -> None:
    """Write all rows of a SQL file to a binary file as CSV with a header: null is nothing, an empty text ``""``."""
    query = cursor.mogrify(statement(name), dict(parameters)).decode("utf-8")
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", out)


def csv_of(cursor: Cursor, name: str) -> bytes:
    """Result of a SQL file without parameters as CSV without header, within the cursor's transaction."""
    out = BytesIO()
    cursor.copy_expert(f"COPY ({statement(name)}) TO STDOUT (FORMAT csv)", out)
    return out.getvalue()


def scram_secret(role: str, password: str, cursor: Cursor) -> str:
    """The SCRAM-SHA-256 verifier of a password, so that the password itself is never sent nor logged."""
    return str(psycopg2.extensions.encrypt_password(password, role, cursor.connection, "scram-sha-256"))

"""Brings a database to this version: the numbered files of ``sql/migrations`` through yoyo."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import yoyo

from sql.warehouse import dsn_words

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def apply_migrations(dsn: str) -> list[str]:
    """Apply what is missing, each migration in its own transaction; returns the names applied.

    dsn: libpq connection settings of a role that may create roles.
    """
    backend = yoyo.get_backend(yoyo_address(dsn))
    with closing(backend.connection), backend.lock():
        pending = backend.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
        names = [str(migration.id) for migration in pending]
        backend.apply_migrations(pending)
    return names


def yoyo_address(dsn: str) -> str:
    """The address yoyo wants; it hands the words of the query to libpq as they are, whatever letters they have."""
    return f"postgresql:///?{urlencode(dsn_words(dsn))}"

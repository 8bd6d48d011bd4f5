"""Brings a database to this version: the numbered files of ``sql/migrations`` through yoyo."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

import yoyo

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def apply_migrations(dsn: str) -> list[str]:
    """Apply what is missing, each migration in its own transaction; returns the names applied.

    dsn: libpq ``key=value`` words without spaces in values, of a role that may create roles.
    """
    words = dict(word.split("=", 1) for word in dsn.replace("'", "").split())
    query = urlencode({key: value for key, value in words.items() if key not in {"host", "port", "dbname", "user"}})
    user, host = quote(words["user"]), quote(words.get("host", "localhost"))
    backend = yoyo.get_backend(f"postgresql://{user}@{host}:{words.get('port', '5432')}/{words['dbname']}?{query}")
    with backend.lock():
        pending = backend.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
        names = [str(migration.id) for migration in pending]
        backend.apply_migrations(pending)
    return names

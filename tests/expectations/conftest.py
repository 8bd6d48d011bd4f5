"""The same connections as the SQL room's tests."""

from __future__ import annotations

from tests.sql.conftest import admin, reader, reporter, traffic

__all__ = ["admin", "reader", "reporter", "traffic"]

"""Rows as files: CSV whose cells no spreadsheet takes for formulas, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sql.warehouse import Row

# A spreadsheet evaluates a text cell that begins with one of these (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(rows: Sequence[Row]) -> str:
    """CSV with a header: numbers raw, times RFC 3339 in UTC; a formula gets a ``'`` before it."""
    out = io.StringIO()
    if rows:
        writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return out.getvalue()


def json_text(rows: Sequence[Row] | Mapping[str, Sequence[Row]]) -> str:
    """A JSON array of objects, or an object of such arrays."""
    return json.dumps(rows, default=_plain, ensure_ascii=True, indent=1)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if value is None or isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, default=_plain)
    return _plain(value)


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return float(value)
    return str(value)

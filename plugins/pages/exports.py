"""Rows as files: CSV whose cells no spreadsheet takes for formulas, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import Response

from sql.warehouse import Row

MOST_ROWS = 20_000  # of a list in a file
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "html": "text/html; charset=utf-8"}
# A spreadsheet evaluates a text cell that begins with one of these (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def attachment(text: str, name: str) -> Response:
    """An answer that the browser keeps as a file of that name, whose ending tells what it is."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)


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

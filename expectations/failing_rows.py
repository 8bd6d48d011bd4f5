"""The rows that made a check fail, fit to be kept and shown: few, short, without addresses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sql.stored_text import ADDRESS

MOST_ROWS = 100
LONGEST_TEXT = 200
MASK = ":ip"
_KEYS = tuple(f"{side}_{key}" for key in ("text", "country", "status_class") for side in ("report", "bucket"))

Value = int | float | str


@dataclass(frozen=True)
class FailingRow:
    """One row of the facts: of which dimension and key it is, and what the check saw in it, by column."""

    dimension: str
    key: str
    seen: Mapping[str, Value | None]


def failing_rows(frame: pd.DataFrame, places: Sequence[int], columns: Sequence[str]) -> list[FailingRow]:
    """The first MOST_ROWS of the rows at these places of the facts, with the columns that the check looks at."""
    found = frame.iloc[list(places[:MOST_ROWS])].to_dict("records")
    return [
        FailingRow(
            str(row["dimension"]),
            next((str(value) for name in _KEYS if (value := _shown(row[name])) is not None), ""),
            {name: _shown(row[name]) for name in columns},
        )
        for row in found
    ]


def _shown(value: Any) -> Value | None:
    if pd.isna(value):
        return None
    if not isinstance(value, str):
        return int(value) if float(value).is_integer() else round(float(value), 6)
    masked: str = value
    while ADDRESS.search(masked):
        masked = ADDRESS.sub(MASK, masked)
    return masked[:LONGEST_TEXT]

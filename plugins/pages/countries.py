"""Names of countries: the time zone database's list of ISO 3166 codes, as the package tzdata ships it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def _names() -> dict[str, str]:
    text = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {code: name.replace("Britain (UK)", "United Kingdom") for code, name in rows}


def country_name(code: str) -> str:
    """Germany for DE; the code itself when nobody lists it; ``unknown`` for none."""
    return _names().get(code, code) or "unknown"


def size_class(hits: int) -> int:
    """Classes of the map by powers of ten: 0 none, 1 to 9, … 5 for 10,000 and more."""
    return min(5, len(str(hits))) if hits > 0 else 0

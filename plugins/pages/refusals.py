"""What is wrong with an address or a form, in words: which parameter, what it was, and one that would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.pages.formats import middle_cut

LONGEST_SHOWN = 60
# By parameter; those that are one of a few say which.
EXAMPLES = {
    "start": "2026-11-19T09:00Z",
    "end": "2026-11-19T12:00Z",
    "seen": "2026-11-19T10:20:00Z",
    "until": "2026-11-19",
    "day": "2026-11-19",
    "status": "404",
    "suite": "hourly_report",
    "expectation": "no_null",
    "wall": "1",
    "failing": "true",
}


def refusal(errors: Sequence[Mapping[str, Any]]) -> str:
    """A sentence for each error of a request, as FastAPI lists them."""
    return " ".join(dict.fromkeys(map(_sentence, errors)))


def _sentence(error: Mapping[str, Any]) -> str:
    """'abc' is no start: start=2026-11-19T09:00Z is one."""
    name, kind = str(error["loc"][-1]), error["type"]
    example = f"{name}={EXAMPLES[name]} is one." if name in EXAMPLES else ""
    if kind == "missing":
        return f"The parameter {name} is missing" + (f": {example}" if example else ".")
    value = f"'{middle_cut(error.get('input'), LONGEST_SHOWN)}'"
    if kind == "literal_error":
        expected = str(error["ctx"]["expected"]).removeprefix("'', ")  # empty: not given at all
        return f"{value} is no {name}: it is {expected}."
    if kind == "value_error":
        return f"{value} is no {name}: {error['ctx']['error']}."
    return f"{value} is no {name}: {example or error['msg']}"

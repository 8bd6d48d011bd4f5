"""What is said of a check: its verdict, how many have which, and what it saw with its unit. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from expectations.checks import known_check
from plugins.pages.formats import MINUS, age, count, plural
from sql.warehouse import Row

Verdict = Literal["fails", "passes", "waits", "does not apply", "unchecked", "no run"]
# Of one and of many, in the order in which they are counted up.
WORDS: Mapping[Verdict, tuple[str, str]] = {
    "fails": ("fails", "fail"),
    "passes": ("passes", "pass"),
    "waits": ("waits", "wait"),
    "does not apply": ("does not apply", "do not apply"),
    "unchecked": ("unchecked", "unchecked"),
    "no run": ("without a run", "without a run"),
}
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")


def verdict_of(result: Row) -> Verdict:
    """One word for a result (passed, observed, severity, run_id): too early to judge is no failure."""
    if result["passed"] is not None:
        return "passes" if result["passed"] else "waits" if result["severity"] == "waits" else "fails"
    if result["run_id"] is None:
        return "no run"
    return "does not apply" if result["observed"] == "does not apply" else "unchecked"


def tally(results: Sequence[Row]) -> Counter[Verdict]:
    """How many results have which verdict."""
    return Counter(map(verdict_of, results))


def tally_words(counted: Counter[Verdict], *left_out: Verdict) -> str:
    """1 fails · 11 pass · 1 waits · 15 do not apply"""
    return " · ".join(
        f"{count(counted[verdict])} {one if counted[verdict] == 1 else many}"
        for verdict, (one, many) in WORDS.items()
        if counted[verdict] and verdict not in left_out
    )


def seen_words(suite: str, expectation: str, observed: str | None) -> str:
    """What a check saw, with its unit: 1 h 2 min, 0.25 times, 3 rows; other texts as they are."""
    check = known_check(suite, expectation)
    if observed is None or check is None or not check.unit or not _NUMBER.fullmatch(observed):
        return observed or ""
    number = float(observed)
    if check.unit == "s":
        return f"{MINUS if number < 0 else ''}{age(abs(number))}"
    if check.unit == "times":
        return f"{number:.2f} times"
    return plural(int(number), check.unit)


def unit_words(suite: str, expectation: str) -> str:
    """What a check's numbers count: seconds, rows."""
    check = known_check(suite, expectation)
    if check is None or not check.unit:
        return "values that fail"
    return {"s": "seconds", "times": "times as many hits as usual"}.get(check.unit, f"{check.unit}s")


def limit_words(threshold: str) -> str:
    """at most 7200 s -> at most 2 h"""
    return re.sub(r"\b([0-9]{2,}) s\b", lambda seconds: age(float(seconds[1])), threshold)

"""The last day of a process as a strip of 10 minutes each: how long it gave no answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from plugins.pages.formats import count
from sql.warehouse import Row

Step = Literal["passed", "warning", "critical", "none"]
SLOT_SECONDS = 10
LONG_SILENCE = 6  # slots of 10 s: a minute


@dataclass(frozen=True)
class Strip:
    """Steps from the oldest to the newest, and what they say to those who cannot see them."""

    steps: list[Step]
    words: str


def process_strips(rows: Sequence[Row]) -> dict[str, Strip]:
    """Of the processes that the heartbeats tell of; rows: of ``stream_strips``."""
    return {
        "stream driver": _strip([(row["slots"], row["silent"]) for row in rows]),
        "Kafka broker": _strip([(row["kafka_asked"], row["kafka_silent"]) for row in rows]),
    }


def _strip(steps: Sequence[tuple[int, int]]) -> Strip:
    """steps: of each, how many slots of 10 s are known, and in how many of them there was no answer."""
    silent = sum(silent for _, silent in steps)
    unknown = sum(not known for known, _ in steps)
    words = f"24 hours by 10 minutes: {count(silent * SLOT_SECONDS)} s without an answer"
    return Strip([_step(*step) for step in steps], words + (f", {10 * unknown} min unknown" if unknown else ""))


def _step(known: int, silent: int) -> Step:
    if not known:
        return "none"
    if not silent:
        return "passed"
    return "critical" if silent >= min(LONG_SILENCE, known) else "warning"

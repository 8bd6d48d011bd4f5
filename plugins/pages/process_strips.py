"""The last day of a process as a strip of 10 minutes each: how long it gave no answer, or was down. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from plugins.pages.formats import count
from sql.warehouse import Row

Step = Literal["passed", "warning", "critical", "none"]
SLOT_SECONDS, SAMPLE_SECONDS = 10, 30
LONG_SILENCE = 60  # seconds


@dataclass(frozen=True)
class Strip:
    """Steps from the oldest to the newest, and what they say to those who cannot see them."""

    steps: list[Step]
    words: str


def process_strips(beats: Sequence[Row], samples: Sequence[Row]) -> dict[str, Strip]:
    """What the heartbeats tell of two processes, and samples of the others.

    beats: of ``stream_strips``, every step. samples: of ``stream_process_strips``, the steps with a sample.
    """
    found: dict[str, dict[datetime, tuple[int, int]]] = {}
    for row in samples:
        found.setdefault(row["process"], {})[row["step_start"]] = (row["samples"], row["away"])
    strips = {
        name: _strip([of_process.get(row["step_start"], (0, 0)) for row in beats], SAMPLE_SECONDS, "not running")
        for name, of_process in found.items()
    }
    return strips | {
        "stream driver": _strip([(row["slots"], row["silent"]) for row in beats], SLOT_SECONDS, "without an answer"),
        "Kafka broker": _strip(
            [(row["kafka_asked"], row["kafka_silent"]) for row in beats], SLOT_SECONDS, "without an answer"
        ),
    }


def _strip(steps: Sequence[tuple[int, int]], seconds: int, what: str) -> Strip:
    """steps: of each, how many slots of so many seconds are known, and in how many of them it was away."""
    away = sum(away for _, away in steps)
    unknown = sum(not known for known, _ in steps)
    words = f"24 hours by 10 minutes: {count(away * seconds)} s {what}"
    return Strip(
        [_step(known, away, seconds) for known, away in steps],
        words + (f", {10 * unknown} min unknown" if unknown else ""),
    )


def _step(known: int, away: int, seconds: int) -> Step:
    if not known:
        return "none"
    if not away:
        return "passed"
    return "critical" if away * seconds >= LONG_SILENCE or away == known else "warning"

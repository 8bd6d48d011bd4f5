"""Which revision added how many of the hits that are shown: layers of a bar that add up to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from plugins.pages.formats import count, plural
from sql.warehouse import Row

# The third layer holds what the third and all later revisions added.
LAYERS = ("known_at_r1", "added_by_r2", "added_later")
LAYER_WORDS = {"known_at_r1": "known at r1", "added_by_r2": "added by r2", "added_later": "added by r3 and later"}


def layers(moved: Mapping[int, int]) -> list[int]:
    """What each revision added and still counts; moved: hits by revision from 1, negative where one took hits back.

    Hits that are taken back leave the newest layers first, so that the layers add up to the hits there are.
    """
    found = [0] * len(LAYERS)
    for revision in sorted(moved):
        place = min(revision, len(LAYERS)) - 1
        found[place] += moved[revision]
        for layer in range(place, 0, -1):
            if found[layer] < 0:
                found[layer - 1] += found[layer]
                found[layer] = 0
    return found


def step_bars(rows: Sequence[Row], width: timedelta) -> list[dict[str, Any]]:
    """One bar a step with its layers, as the chart takes them; rows: of ``report_steps`` or ``report_minutes``."""
    moved: dict[datetime, dict[int, int]] = {}
    for row in rows:
        moved.setdefault(row["step_start"], {})[row["revision"]] = row["hits_added"]
    return [
        {"step_start": start, "step_end": start + width, "hits": sum(of_step.values())}
        | dict(zip(LAYERS, layers(of_step), strict=True))
        for start, of_step in moved.items()
    ]


def bars_summary(what: str, bars: Sequence[Mapping[str, Any]]) -> str:
    """What the chart shows, for those who cannot see it."""
    if not bars:
        return f"{what}: none."
    said = f"{what}: {plural(len(bars), 'bar')}, most {count(max(bar['hits'] for bar in bars))}"
    late = [bar["hits"] - bar[LAYERS[0]] for bar in bars]
    if not any(late):
        return f"{said}; nothing was added after the first publication."
    where = plural(sum(map(bool, late)), "bar")
    return f"{said}; {count(sum(late))} hits were added after the first publication, in {where}."

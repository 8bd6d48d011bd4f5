"""A set of line numbers kept as disjoint closed ranges: what has been counted of one source."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Range = tuple[int, int]  # first and last line number, both included


class SeqRanges:
    """Grows by single numbers; adding the number after the last one costs the same at any size."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        ordered = sorted(ranges)
        self._firsts = [first for first, _ in ordered]
        self._lasts = [last for _, last in ordered]

    def add(self, seq: int) -> bool:
        """Add a number; False when it was there already."""
        firsts, lasts = self._firsts, self._lasts
        if lasts and seq == lasts[-1] + 1:
            lasts[-1] = seq
            return True
        place = bisect_right(firsts, seq)  # ranges before `place` start at or before seq
        if place and seq <= lasts[place - 1]:
            return False
        joins_before = place > 0 and lasts[place - 1] + 1 == seq
        joins_after = place < len(firsts) and firsts[place] == seq + 1
        if joins_before and joins_after:
            lasts[place - 1] = lasts[place]
            del firsts[place], lasts[place]
        elif joins_before:
            lasts[place - 1] = seq
        elif joins_after:
            firsts[place] = seq
        else:
            firsts.insert(place, seq)
            lasts.insert(place, seq)
        return True

    def __contains__(self, seq: int) -> bool:
        place = bisect_right(self._firsts, seq)
        return place > 0 and seq <= self._lasts[place - 1]

    def ranges(self) -> list[Range]:
        """The ranges in order; neighbours are never adjacent."""
        return list(zip(self._firsts, self._lasts, strict=True))


def overlap(ranges: Iterable[Range]) -> bool:
    """Whether any two of the closed ranges share a number."""
    ordered = sorted(ranges)
    return any(ordered[i][1] >= ordered[i + 1][0] for i in range(len(ordered) - 1))

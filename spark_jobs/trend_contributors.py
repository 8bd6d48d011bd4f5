"""Which page, country, status class or agent class explains how much of a difference.

Every contributor stands on its own line: a hit has a page and a country, so their shares overlap and do not add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Part = tuple[str, str]  # dimension (page, country, status class, agent class), value


@dataclass(frozen=True)
class Contributor:
    """``difference`` = observed - expected of this part; ``share`` = that over the whole difference."""

    dimension: str
    value: str
    observed: float
    expected: float
    share: float

    @property
    def difference(self) -> float:
        return self.observed - self.expected


def contributors(
    observed: Mapping[Part, float], expected: Mapping[Part, float], difference: float, most: int = 3
) -> Sequence[Contributor]:
    """The parts that explain most of ``difference`` (observed - expected of the whole), largest first.

    observed, expected: hits by part during the anomaly and, for the same length of time, before it; a part that is
    missing in one had none. Only parts that moved in the direction of the whole; at most ``most``.
    """
    if difference == 0:
        return []
    found = [
        Contributor(*part, seen, usual, (seen - usual) / difference)
        for part in observed.keys() | expected.keys()
        for seen, usual in [(observed.get(part, 0.0), expected.get(part, 0.0))]
    ]
    found = [one for one in found if one.share > 0]
    return sorted(found, key=lambda one: (-one.share, one.dimension, one.value))[:most]

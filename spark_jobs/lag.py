"""How far counting is behind Kafka: in records, and as the moment up to which all received records are counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

Offsets = Mapping[int, int]  # by Kafka partition

MOST_SAMPLES = 1000


class Lag:
    """Holds samples of Kafka's end offsets until counting has passed them."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, Offsets]] = deque(maxlen=MOST_SAMPLES)
        self.caught_up_to: float | None = None  # epoch seconds

    def note(self, asked_at: float, latest: Offsets, counted: Offsets) -> int:
        """Records not counted yet.

        asked_at: epoch seconds just before Kafka was asked; latest: offset of the next record of each partition;
        counted: first offset of each that is not counted yet.
        """
        self._samples.append((asked_at, latest))
        while self._samples and _lag(self._samples[0][1], counted) == 0:
            self.caught_up_to = self._samples.popleft()[0]
        return _lag(latest, counted)


def _lag(latest: Offsets, counted: Offsets) -> int:
    return sum(max(0, until - counted.get(partition, 0)) for partition, until in latest.items())

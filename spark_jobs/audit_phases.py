"""How long each phase of an audit took: said as it ends, and all together at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("footfall.audit")


class Phases:
    """Seconds by phase. clock: seconds that only ever rise."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Take the time of a ``with`` block; a block that fails is not noted."""
        began = self._clock()
        yield
        self.seconds[name] = self._clock() - began
        log.info("%s: %.1f s", name, self.seconds[name])

    def in_words(self) -> str:
        """The longest first."""
        longest_first = sorted(self.seconds.items(), key=lambda one: -one[1])
        return f"{sum(self.seconds.values()):.0f} s: " + ", ".join(
            f"{name} {took:.0f}" for name, took in longest_first
        )

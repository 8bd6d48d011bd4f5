"""A small generator run and what it put out, for the generator's tests."""

from __future__ import annotations

from typing import Any

import msgspec

from producers.generator_run import Run

# Tuesday, 17 November 2026, 00:00 UTC.
START_MS = 1_794_873_600_000
HOUR_MS = 3_600_000


def small_run(**changes: Any) -> Run:
    """Six hours of history at 1 hit/s, 2 hits/s live, 3,000 people."""
    run = Run(
        seed=1,
        site="shop",
        start_ms=START_MS,
        history_ms=6 * HOUR_MS,
        history_rate=1.0,
        rate=2.0,
        rhythm=False,
        late=0.01,
        out_of_order=0.02,
        duplicated=0.005,
        malformed=0.01,
        visitors=3_000,
    )
    return msgspec.structs.replace(run, **changes)


class ListSink:
    """Keeps what was sent; acknowledges everything, or stops acknowledging after ``most`` records."""

    def __init__(self, most: int | None = None) -> None:
        self.records: list[tuple[bytes, bytes]] = []
        self._most = most

    @property
    def acknowledged(self) -> int:
        return len(self.records) if self._most is None else min(len(self.records), self._most)

    def send(self, key: bytes, value: bytes) -> None:
        self.records.append((key, value))

    def flush(self) -> None:
        pass

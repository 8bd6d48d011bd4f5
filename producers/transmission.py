"""Sends a run's records when they are due, and knows at every moment what was sent and what was acknowledged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np

from producers.generated_records import records
from producers.hits import Hits
from producers.inventory import Inventory
from producers.traffic import Traffic

MOST_RECORDS_AT_ONCE = 1000
LONGEST_SLEEP_SECONDS = 0.2

PhaseName = Literal["history", "live", "done", "stopped", "failed"]


class Sink(Protocol):
    """Where records go: Kafka (producers.delivery.Delivery) or a file."""

    @property
    def acknowledged(self) -> int:
        """Records, counted from the first one sent, that have arrived without a gap."""

    def send(self, key: bytes, value: bytes) -> None:
        """Hand a record over."""

    def flush(self) -> None:
        """Return when everything sent has arrived."""


class StoppedWhileWaiting(Exception):
    """The run was told to stop while the broker was away: what it had not acknowledged is not sent yet."""


class Transmission:
    """One pass through a run's records. The first ``already_sent`` are counted, but not sent again."""

    def __init__(
        self,
        traffic: Traffic,
        inventory: Inventory,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        already_sent: int = 0,
        most_records: int | None = None,
        on_chunk: Callable[[Transmission], None] = lambda transmission: None,
    ) -> None:
        """``clock`` tells Unix seconds; ``on_chunk`` is called after every few records and while nothing is due."""
        self.run = traffic.run
        self.phase: PhaseName = "history"
        self.waiting: str | None = None
        self.sent = 0  # records, the ones of earlier passes included
        self.acknowledged = already_sent
        self.seq_sent = (0,) * len(self.run.sources)
        self.seq_acknowledged = self.seq_sent
        self.history_last_seq: tuple[int, ...] | None = None
        self.simulated_ms = self.run.begin_ms
        self.inventory = inventory
        self._traffic = traffic
        self._clock, self._sleep = clock, sleep
        self._already_sent, self._most_records = already_sent, most_records
        self._on_chunk = on_chunk
        self._stopping = False
        # (records sent, last seq of each source) after each chunk that is not acknowledged yet.
        self._unacknowledged: deque[tuple[int, tuple[int, ...]]] = deque()

    def stop(self) -> None:
        """End after the chunk under way; raises StoppedWhileWaiting when that waits for the broker."""
        self._stopping = True
        if self.waiting:
            raise StoppedWhileWaiting(self.waiting)

    def broker_state_changed(self, words: str) -> None:
        """The sink's message that it began to wait, or that it goes on."""
        self.waiting = None if self.waiting else words
        if self._stopping and self.waiting:
            raise StoppedWhileWaiting(words)

    def transmit(self, sink: Sink, live_ms: int | None) -> None:
        """Send history at once, then ``live_ms`` of live traffic as its time comes (None: until stopped)."""
        for hits in self._traffic.slices(live_ms):
            if not self._send_when_due(sink, hits):
                break
        self._flush(sink)
        if self.history_last_seq is None and not self._stopping:
            self.history_last_seq = self.seq_sent
        self.phase = "stopped" if self._stopping else "done"

    def _send_when_due(self, sink: Sink, hits: Hits) -> bool:
        """False: the run ends here."""
        at = 0
        while at < len(hits):
            if self._stopping:
                return False
            now_ms = int(self._clock() * 1000)
            if self.phase == "history" and hits["due_ms"][at] >= self.run.start_ms:
                self._flush(sink)
                self.history_last_seq = self.seq_sent
                self.phase = "live"
            horizon_ms = now_ms + 1 if self.phase == "live" else self.run.start_ms
            due = int(np.searchsorted(hits["due_ms"], horizon_ms))
            if due <= at:
                wait = (int(hits["due_ms"][at]) - now_ms) / 1000
                self._sleep(min(wait, LONGEST_SLEEP_SECONDS))
                self._note_acknowledged(sink)
                self._on_chunk(self)
                continue
            end = min(due, at + MOST_RECORDS_AT_ONCE)
            if self._most_records is not None:
                end = min(end, at + self._most_records - self.sent)
            self._send(sink, hits[at:end])
            at = end
            if self.sent == self._most_records:
                return False
        return True

    def _send(self, sink: Sink, chunk: Hits) -> None:
        new = chunk[max(0, self._already_sent - self.sent) :]
        for key, value in records(new, self.run, self._traffic.audience):
            sink.send(key, value)
        self.inventory.add(chunk)
        self.sent += len(chunk)
        last = np.array(self.seq_sent)
        np.maximum.at(last, chunk["server"], chunk["seq"])
        self.seq_sent = tuple(last.tolist())
        self.simulated_ms = int(chunk["due_ms"][-1])
        self._unacknowledged.append((self.sent, self.seq_sent))
        self._note_acknowledged(sink)
        self._on_chunk(self)

    def _flush(self, sink: Sink) -> None:
        sink.flush()
        self._note_acknowledged(sink)

    def _note_acknowledged(self, sink: Sink) -> None:
        self.acknowledged = self._already_sent + sink.acknowledged
        while self._unacknowledged and self._unacknowledged[0][0] <= self.acknowledged:
            self.seq_acknowledged = self._unacknowledged.popleft()[1]

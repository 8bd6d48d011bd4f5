"""The generator's state folder: ``progress.json`` for who watches a run, ``inventory.json`` for who checks it."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import psutil

from producers.generator_run import Run
from producers.transmission import PhaseName, Transmission

PROGRESS, INVENTORY = "progress.json", "inventory.json"


class SourceProgress(msgspec.Struct, frozen=True):
    seq_sent: int
    seq_acknowledged: int
    history_last_seq: int  # 0 until all of history is acknowledged


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of progress.json."""

    pid: int
    process_started_at: datetime
    phase: PhaseName
    run: str
    parameters: Run
    start: datetime
    simulated_time: datetime  # of the last record sent
    sources: dict[str, SourceProgress]
    records_sent: int
    records_acknowledged: int
    events_per_second: float
    waiting: str | None
    error: str | None
    updated_at: datetime


class StateInUse(Exception):
    """Another generator works in the folder."""


def read_progress(folder: Path) -> Progress | None:
    """The last progress noted in a state folder; None when there is none. Raises ValueError when unreadable."""
    try:
        return msgspec.json.decode((folder / PROGRESS).read_bytes(), type=Progress)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise ValueError(f"{folder / PROGRESS} is not a generator's progress: {error}; remove it.") from error


class StateFolder:
    """Holds the folder for one process, and writes a run's progress every ``interval`` seconds until left."""

    def __init__(self, folder: Path, clock: Callable[[], float], interval: float = 2.0) -> None:
        """``clock`` tells Unix seconds. Raises StateInUse, OSError."""
        self._folder, self._clock, self._interval = folder, clock, interval
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise StateInUse(f"a generator runs in {folder} already; stop it or choose another --state.") from None
        self._process_started_at = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_rate = (clock(), 0, 0.0)  # when, records sent then, records a second then
        self._failure: OSError | None = None
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()
        self._lock.close()

    def watch(self, transmission: Transmission) -> None:
        """Note progress from now on, also while sending waits for the broker."""
        self._last_rate = (self._clock(), transmission.acknowledged, 0.0)

        def note() -> None:
            while not self._ended.wait(self._interval):
                try:
                    self.note_progress(transmission)
                except OSError as error:
                    self._failure = error
                    return

        self._thread = threading.Thread(target=note, name="progress", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise what kept progress from being written, a full disk for example."""
        if self._failure:
            raise self._failure

    def note_progress(self, transmission: Transmission, error: str | None = None) -> None:
        """Write progress.json; raises OSError."""
        with self._writing:
            self._write(PROGRESS, self._progress(transmission, error))

    def note_inventory(self, transmission: Transmission) -> None:
        """Write inventory.json; raises OSError."""
        if transmission.phase not in ("history", "live"):
            transmission.inventory.end()
        complete = transmission.acknowledged == transmission.sent
        self._write(INVENTORY, transmission.inventory.as_document(complete))

    def _progress(self, transmission: Transmission, error: str | None) -> Progress:
        now, sent = self._clock(), transmission.sent
        then, sent_then, rate = self._last_rate
        if now - then >= self._interval / 2:
            rate = max(0.0, sent - sent_then) / (now - then)
            self._last_rate = (now, sent, rate)
        run, history = transmission.run, transmission.history_last_seq
        return Progress(
            pid=os.getpid(),
            process_started_at=self._process_started_at,
            phase=transmission.phase,
            run=run.id,
            parameters=run,
            start=datetime.fromtimestamp(run.start_ms / 1000, UTC),
            simulated_time=datetime.fromtimestamp(transmission.simulated_ms / 1000, UTC),
            sources={
                source: SourceProgress(
                    transmission.seq_sent[index],
                    transmission.seq_acknowledged[index],
                    history[index] if history else 0,
                )
                for index, source in enumerate(run.sources)
            },
            records_sent=sent,
            records_acknowledged=transmission.acknowledged,
            events_per_second=round(rate, 1),
            waiting=transmission.waiting,
            error=error,
            updated_at=datetime.fromtimestamp(self._clock(), UTC),
        )

    def _write(self, name: str, document: Progress | dict[str, Any]) -> None:
        draft = self._folder / f"{name}.new"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
        draft.replace(self._folder / name)

"""What a person sees of a run: a bar on a terminal, now and then a line in a log, or the records themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import BinaryIO, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from producers.transmission import Transmission

SAY_EVERY_SECONDS = 30.0


class FileSink:
    """Records as lines of a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.acknowledged = 0

    def send(self, key: bytes, value: bytes) -> None:
        self._file.write(value + b"\n")
        self.acknowledged += 1

    def flush(self) -> None:
        self._file.flush()


class Display:
    """Shows how far a transmission is: history as a bar on a terminal, everything else as a line every 30 s."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("history"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[sent]:,} records"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("history", total=1.0, sent=0)
        self._said = (0.0, 0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, transmission: Transmission, now: float) -> None:
        """``now`` in Unix seconds."""
        run, phase = transmission.run, transmission.phase
        if self._console.is_terminal and phase == "history":
            done = (transmission.simulated_ms - run.begin_ms) / max(run.history_ms, 1)
            self._bar.update(self._task, completed=done, sent=transmission.sent)
            return
        self._bar.stop()
        said_at, sent_then = self._said
        if now - said_at >= SAY_EVERY_SECONDS:
            if said_at:
                rate = (transmission.sent - sent_then) / (now - said_at)
                at = datetime.fromtimestamp(transmission.simulated_ms / 1000, UTC)
                self._console.print(
                    f"{phase} at {at:%Y-%m-%d %H:%M:%S}Z: {transmission.sent:,} records, {rate:,.0f} a second",
                    soft_wrap=True,
                )
            self._said = (now, transmission.sent)

    def conclude(self, transmission: Transmission) -> None:
        self._console.print(
            f"{transmission.phase}: {transmission.sent:,} records of run {transmission.run.id}, "
            f"{transmission.acknowledged:,} of them acknowledged",
            soft_wrap=True,
        )

"""Shows the steps of a command with their times; a failed one with its log's last lines and the way out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape

LOG_LINES = 12


class StepFailed(Exception):
    """A step did not succeed. ``way_out``: what to do; ``log``: the file whose last lines tell why."""

    def __init__(self, reason: str, way_out: str = "", log: Path | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_out = way_out
        self.log = log


class Steps:
    """Prints one line a step: a spinner while it runs, then its time."""

    def __init__(self, console: Console, errors: Console) -> None:
        self.console = console
        self.errors = errors
        self._began = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """The yielded list takes words to show behind the title."""
        began = time.monotonic()
        notes: list[str] = []
        try:
            with self.console.status(f"{escape(title)} …"):
                yield notes
        except BaseException:
            self.console.print(f"[red]✗[/] {escape(title)} [dim]{time.monotonic() - began:.1f} s[/]")
            raise
        noted = f" [dim]({escape(', '.join(notes))})[/]" if notes else ""
        self.console.print(f"[green]✓[/] {escape(title)}{noted} [dim]{time.monotonic() - began:.1f} s[/]")

    def seconds(self) -> float:
        """Since the first step."""
        return time.monotonic() - self._began

    def explain(self, failure: StepFailed) -> None:
        """The reason, the last lines of the log, the way out."""
        self.errors.print(f"[red]{escape(failure.reason)}[/]", highlight=False)
        if failure.log is not None:
            self.errors.print(f"[dim]last lines of {escape(str(failure.log))}:[/]", highlight=False)
            for line in last_lines(failure.log):
                self.errors.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
        if failure.way_out:
            self.errors.print(f"[bold]What to do:[/] {escape(failure.way_out)}", highlight=False)


def last_lines(log: Path, count: int = LOG_LINES) -> list[str]:
    """The last lines of a log, control characters made visible: a log line may come from a stranger."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ["(there is no such file yet)"]
    return ["".join(c if c.isprintable() else repr(c)[1:-1] for c in line) for line in lines[-count:]]

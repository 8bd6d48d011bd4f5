"""Waits, deferred, until the ledger has counted what a producer has sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from plugins.generator_door import read_progress
from plugins.generator_job import run_of
from plugins.generator_trigger import GeneratorTrigger
from plugins.watching import LOOK_EVERY_SECONDS, class_path, event, watcher
from settings import Settings
from sql.launches import counted_sources, read_lease
from sql.warehouse import POSTGRES_AWAY, Warehouse

LONGEST_WAIT = timedelta(hours=12)
_SAY_EVERY_SECONDS = 30.0


class CountedTrigger(BaseTrigger):
    """Fires once sources are counted up to a line each.

    lines: source -> line number. every_line: all lines up to it must be in the ledger (a log file's lines all
    name their number); otherwise it is enough that the last one or a later one is (a malformed generated event
    may have lost its number, and order is kept inside a source).
    """

    def __init__(self, lines: dict[str, int], every_line: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lines = lines
        self.every_line = every_line

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return class_path(type(self)), {"lines": self.lines, "every_line": self.every_line}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        said = 0.0
        with watcher(Settings()) as warehouse:
            while True:
                try:
                    missing, words = await asyncio.to_thread(self._look, warehouse)
                except POSTGRES_AWAY as error:
                    missing, words = ["?"], f"Postgres is away: {error}"
                if not missing:
                    yield event("counted")
                    return
                if time.monotonic() - said > _SAY_EVERY_SECONDS:
                    self.log.info("%s", words)
                    said = time.monotonic()
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _look(self, warehouse: Warehouse) -> tuple[list[str], str]:
        found = counted_sources(warehouse, self.lines)
        missing = [one for one in found if not (one.complete if self.every_line else one.reached)]
        lease = read_lease(warehouse)
        at = ", ".join(f"{one.source} at {one.highest_line} of {one.lines}" for one in missing[:5])
        wish = "; the stream job is wished stopped: start it with stream_control" * (lease.desired_state == "stopped")
        return [one.source for one in missing], f"waiting for the stream job ({lease.state}): {at}{wish}"


class SourcesCountedOperator(BaseOperator):
    """Waits for the ledger to hold every line of the sources that an upstream task returned.

    shipped: XCom of ``{"lines": {source: number of lines}}``.
    """

    template_fields = ("shipped",)

    def __init__(self, *, shipped: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shipped = shipped

    def execute(self, context: Context) -> None:
        lines = {source: int(last) for source, last in self.shipped["lines"].items() if last}
        if not lines:
            raise AirflowSkipException("there was no line to ship, so there is nothing to wait for")
        self.defer(trigger=CountedTrigger(lines, every_line=True), method_name="counted", timeout=LONGEST_WAIT)

    def counted(self, context: Context, event: dict[str, str]) -> None:
        """The ledger holds everything; without a touched hour there is nothing to report."""
        self.log.info("Every line is in the ledger")
        if not self.shipped.get("start"):
            raise AirflowSkipException("no line was an event, so no hour is to be reported")


class HistoryCountedOperator(BaseOperator):
    """Waits for this run's history to be sent and counted; returns its range ``{"start": …, "end": …}``.

    Skipped when the run has no history.
    """

    def execute(self, context: Context) -> None:
        if not context["params"]["history_hours"]:
            raise AirflowSkipException("this run has no history")
        run = run_of(context)
        self.defer(
            trigger=GeneratorTrigger(run.launch_id, str(run.state), until_history_sent=True),
            method_name="sent",
            timeout=LONGEST_WAIT,
        )

    def sent(self, context: Context, event: dict[str, str]) -> None:
        """The generator left its history phase, or ended."""
        progress = read_progress(run_of(context).state)
        if progress is None or progress.phase in ("history", "failed"):
            raise AirflowFailException("the generator ended before its history was sent: see the task generate")
        lines = progress.history_lines()
        if not lines:
            raise AirflowSkipException("the generator was stopped before it had sent any history")
        self.log.info("History sent: %s", lines)
        self.defer(trigger=CountedTrigger(lines, every_line=False), method_name="counted", timeout=LONGEST_WAIT)

    def counted(self, context: Context, event: dict[str, str]) -> dict[str, str]:
        """The ledger has reached the end of the history."""
        run = run_of(context)
        return {
            "start": run.history_start.replace(minute=0).isoformat(),
            "end": (run.live_start.replace(minute=0) + timedelta(hours=1)).isoformat(),
        }

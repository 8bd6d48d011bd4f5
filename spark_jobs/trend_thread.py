"""The follower's own thread: whatever goes wrong in it is said and mended there, and counting never waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

import pyarrow as pa

from spark_jobs.lease import Fenced
from spark_jobs.trend_follower import TrendFollower
from spark_jobs.trend_writer import TrendWriter
from sql.warehouse import POSTGRES_AWAY

log = logging.getLogger("footfall.trends")
TURN_SECONDS = 0.5


class TrendThread:
    """``counted`` and ``caught_up`` only leave notes; they cost microseconds and raise nothing."""

    def __init__(self, follower: TrendFollower, writer: TrendWriter) -> None:
        self._follower = follower
        self._writer = writer
        self._caught_up_to: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trends", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the running turn; harmless when it was never started."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def counted(self, cells: pa.Table, positions: Mapping[int, int]) -> None:
        """A batch is committed (see ``TrendFollower.counted``)."""
        if self._thread.is_alive():
            self._follower.counted(cells, positions)

    def caught_up(self, moment_s: float | None) -> None:
        """Everything that Kafka had received by then is counted; epoch seconds."""
        self._caught_up_to = moment_s

    def _run(self) -> None:
        while not self._stopping.wait(TURN_SECONDS):
            try:
                self._follower.turn(self._caught_up_to)
            except Fenced as error:
                log.info("trends end: %s", error)
                return
            except POSTGRES_AWAY as error:
                log.warning("trends wait for Postgres: %s", str(error).strip())
            except Exception as error:
                log.exception("trends failed; counting goes on, and they begin again from what Postgres has")
                self._say_failed(error)

    def _say_failed(self, error: Exception) -> None:
        words = str(error).splitlines()
        try:
            self._writer.say_failed(f"{type(error).__name__}: {words[0] if words else ''}")
        except POSTGRES_AWAY as away:
            log.warning("that could not be written: %s", str(away).strip())
        except Exception:
            log.exception("that could not be written")

"""The log generator seen from outside: a run's identity, its command line, its folder, its progress file."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

PROGRESS_FILE = "progress.json"


class SourceProgress(msgspec.Struct):
    """Sequence numbers of one source of a run."""

    seq_sent: int
    history_last_seq: int | None  # None until all of history is acknowledged


class Progress(msgspec.Struct):
    """What a watcher needs of the generator's ``progress.json``, which is replaced every two seconds."""

    phase: str
    updated_at: datetime
    sources: dict[str, SourceProgress]
    records_acknowledged: int = 0
    waiting: str | None = None
    error: str | None = None

    def history_lines(self) -> dict[str, int]:
        """Last sequence number of the history phase by source, without sources that had none."""
        return {name: source.history_last_seq for name, source in self.sources.items() if source.history_last_seq}


@dataclass(frozen=True)
class GeneratorRun:
    """One Airflow run of the generator; cleared and run again, it is the same run."""

    state: Path
    history_start: datetime
    live_start: datetime

    @property
    def launch_id(self) -> str:
        """The folder's name, so that the command line carries it."""
        return self.state.name

    def command(self, params: Mapping[str, Any], program: Sequence[str] | None = None) -> list[str]:
        """Argument vector; values are words of it and reach no shell."""
        return [
            *(program or (sys.executable, "-m", "producers.log_generator")),
            *("--state", str(self.state)),
            *("--start", self.live_start.isoformat()),
            *(word for name, option in _OPTIONS.items() for word in (option, str(params[name]))),
            *(("--minutes", str(params["minutes"])) if params["minutes"] else ()),
            *(word for incident in params["incidents"] for word in ("--incident", str(incident))),
        ]


_OPTIONS = {
    "seed": "--seed",
    "site": "--site",
    "rate": "--rate",
    "history_hours": "--history-hours",
    "history_rate": "--history-rate",
    "late_share": "--late-share",
    "duplicate_share": "--duplicate-share",
    "out_of_order_share": "--out-of-order-share",
    "malformed_share": "--malformed-share",
    "incidents_per_day": "--incidents-per-day",
}


def generator_run(home: Path, run_id: str, run_after: datetime, history_hours: float) -> GeneratorRun:
    """The run of an Airflow run id; history ends and live traffic begins at the minute the run was asked for."""
    launch_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"footfall/log_generator/{run_id}"))
    now = run_after.astimezone(UTC).replace(second=0, microsecond=0)
    return GeneratorRun(home / "generator" / launch_id, now - timedelta(hours=history_hours), now)


def read_progress(state: Path) -> Progress | None:
    """How far a run is; None while it has not said anything."""
    try:
        return msgspec.json.decode((state / PROGRESS_FILE).read_bytes(), type=Progress)
    except FileNotFoundError:
        return None

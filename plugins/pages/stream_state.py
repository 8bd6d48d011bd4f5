"""Is the stream counting? One pure judgement on the row of ``sql/pages/stream_state.sql``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Kind = Literal[
    "counting", "quiet", "waiting", "held up", "catching up", "standing still", "starting", "stopped", "empty"
]
Tone = Literal["green", "amber", "red", "unchecked"]

HEARTBEAT_FRESH_SECONDS = 10.0
HEARTBEAT_LIMIT_SECONDS = 30.0
NO_NEW_LINE_SECONDS = 60.0
BEHIND_SECONDS = 10.0
# Of what the newest closed 30 s may end before now and still be called the last ones.
OLDEST_NOW_SECONDS = 45.0
KAFKA_KEEPS = timedelta(hours=48)

# The word beside a page's title, and its shape and colour.
WORDS: dict[Kind, tuple[str, Tone]] = {
    "counting": ("Counting", "green"),
    "quiet": ("Counting", "amber"),
    "waiting": ("Waiting", "green"),
    "held up": ("Waiting", "amber"),
    "catching up": ("Catching up", "amber"),
    "standing still": ("Standing still", "red"),
    "starting": ("Starting", "unchecked"),
    "stopped": ("Stopped", "unchecked"),
    "empty": ("Waiting", "unchecked"),
}


@dataclass(frozen=True)
class StreamState:
    """The stream's state and what its sentence needs.

    since: since when it is so; to_go_seconds: until all waiting records are counted, at the present rate;
    lost_from: when Kafka deletes the oldest record that waits (None while all is counted).
    """

    kind: Kind
    row: Mapping[str, Any]
    since: datetime | None = None
    to_go_seconds: float | None = None
    lost_from: datetime | None = None

    @property
    def word(self) -> str:
        return WORDS[self.kind][0]

    @property
    def tone(self) -> Tone:
        return WORDS[self.kind][1]

    @property
    def is_alive(self) -> bool:
        """Whether the job tells of itself: its speed, and what waits, are of now."""
        return self.kind not in ("standing still", "stopped", "starting")

    @property
    def is_now(self) -> bool:
        """Whether figures of the newest counted lines may be shown as of now."""
        if self.kind in ("catching up", "held up"):
            behind = self.row["caught_up_age_seconds"]
            return behind is not None and behind <= OLDEST_NOW_SECONDS
        return self.is_alive

    @property
    def as_of(self) -> datetime | None:
        """Up to when everything is counted; None when that is not known."""
        moment: datetime | None = self.row.get("caught_up_to") or self.row.get("heartbeat_at")
        return moment


def judge(row: Mapping[str, Any]) -> StreamState:
    """The state that a row tells; ages come from the database's own clock."""
    silent, lag, speed = row["heartbeat_age_seconds"], row["lag_records"], row["records_per_second"]
    to_go = lag / speed if lag and speed else None
    deleted_at = row["caught_up_to"] + KAFKA_KEEPS if row["caught_up_to"] and lag else None

    def state(kind: Kind, since: datetime | None = None) -> StreamState:
        return StreamState(kind, row, since, to_go, deleted_at)

    if row["desired_state"] == "stopped" and (
        row["state"] == "stopped" or silent is None or silent > HEARTBEAT_LIMIT_SECONDS
    ):
        return state("stopped", row["ended_at"] or row["heartbeat_at"])
    if silent is None or (row["state"] == "starting" and silent <= HEARTBEAT_LIMIT_SECONDS):
        return state("starting", row["started_at"])
    if silent > HEARTBEAT_LIMIT_SECONDS or row["state"] in ("failed", "stopped"):
        return state("standing still", row["heartbeat_at"])
    if row["state"] == "waiting":
        return state("held up", row["last_batch_at"])
    if silent > HEARTBEAT_FRESH_SECONDS:
        return state("quiet", row["heartbeat_at"])
    if row["last_ledger_id"] is None:
        return state("empty", row["started_at"])
    if lag and (to_go is None or to_go > BEHIND_SECONDS):
        return state("catching up", row["caught_up_to"])
    if not lag and row["last_batch_age_seconds"] is not None and row["last_batch_age_seconds"] > NO_NEW_LINE_SECONDS:
        return state("waiting", row["last_batch_at"])
    return state("counting", row["started_at"])

"""Is the stream job well? One pure judgement on what the database and the process table say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sql.launches import Launch, LeaseStatus

Verdict = Literal["well", "stopped", "dead", "stalled", "fenced"]

# How the stream job itself begins its last words when nothing went wrong.
ENDED_AS_ASKED = ("stopped", "a stop was wished", "caught up")

# A job that has not taken its lease yet is starting an interpreter and connecting, nothing more.
TAKES_LEASE_WITHIN_SECONDS = 120.0

# What it may take on top of the limit while it starts Spark, which says nothing meanwhile.
STARTS_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Health:
    verdict: Verdict
    reason: str


def judge(launch: Launch, lease: LeaseStatus, alive: bool, stalled_after_seconds: float) -> Health:
    """Verdict on a launch.

    alive: whether its process exists (or, too young to be known, is expected).
    stalled_after_seconds: how old the last sign of progress or idling may be.

    A job that waits for Kafka or Postgres and says so is well: another launch would wait, too.
    """
    if launch.epoch is not None and lease.epoch > launch.epoch:
        return Health("fenced", f"epoch {launch.epoch} was fenced by epoch {lease.epoch} ({lease.owner})")
    if not alive:
        return _ended(launch, lease)
    if launch.epoch is None:
        if launch.age_seconds > TAKES_LEASE_WITHIN_SECONDS:
            return Health("stalled", f"took no lease within {launch.age_seconds:.0f} s of its start")
        return Health("well", "starting")
    silent = lease.heartbeat_age_seconds
    if lease.state == "starting":
        stalled_after_seconds += STARTS_WITHIN_SECONDS
    if silent is None or silent > stalled_after_seconds:
        return Health(
            "stalled", f"last heartbeat {_age(silent)}, limit {stalled_after_seconds:.0f} s; {lease.message}"
        )
    return Health("well", f"{lease.state}: {lease.message}" if lease.message else lease.state)


def _ended(launch: Launch, lease: LeaseStatus) -> Health:
    reason = launch.end_reason or ("its process is gone" if launch.pid else "it never came to life")
    asked = lease.desired_state == "stopped" or reason.startswith(ENDED_AS_ASKED)
    return Health("stopped" if asked else "dead", reason)


def _age(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s ago"

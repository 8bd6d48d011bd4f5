"""What the pages say of the stream: one row in, one state and its exact words out."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from plugins.pages.reading import Block, Query
from plugins.pages.stream_state import judge
from plugins.pages.times import Clock
from plugins.pages.view import environment
from tests.plugins.pages.conftest import NOW

WELL: dict[str, Any] = {
    "state": "counting",
    "desired_state": "running",
    "message": "counting",
    "epoch": 14,
    "started_at": NOW - timedelta(hours=3),
    "heartbeat_at": NOW - timedelta(seconds=1.9),
    "heartbeat_age_seconds": 1.9,
    "last_batch_at": NOW - timedelta(seconds=1),
    "last_batch_age_seconds": 1.0,
    "lag_records": 104,
    "records_per_second": 92.9,
    "caught_up_to": NOW - timedelta(seconds=2),
    "last_ledger_id": 7,
    "ended_at": None,
    "end_reason": None,
    "restart_began_at": None,
    "asked_at": NOW,
}
STILL: dict[str, Any] = {
    "heartbeat_at": NOW - timedelta(minutes=13),
    "heartbeat_age_seconds": 780.0,
    "caught_up_to": NOW - timedelta(minutes=13),
    "lag_records": 39_206,
}
WHOLE = Block(Query("stream_holes", {}), [{"holes": 0, "last_check_passed": True, "lost": 0}])


def words(holes: Block | None = WHOLE, **changes: Any) -> str:
    """The banner of a state, as plain text."""
    row = WELL | changes
    clock = Clock(NOW, ZoneInfo("UTC"))
    made = (
        environment()
        .get_template("stream_words.html")
        .make_module({"clock": clock, "when": clock.text, "view": SimpleNamespace(address="/x")})
    )
    text: str = str(made.banner(judge(row), holes))  # type: ignore[attr-defined]
    for tag in ("<b>", "</b>", "<code>", "</code>", "<p>", "</p>", '<p class="lead">'):
        text = text.replace(tag, "")
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "counting"),
        ({"heartbeat_age_seconds": 14.0}, "quiet"),
        ({"heartbeat_age_seconds": 30.1}, "standing still"),
        ({"state": "failed", "heartbeat_age_seconds": 3.0}, "standing still"),
        ({"lag_records": 0, "last_batch_age_seconds": 61.0}, "waiting"),
        ({"lag_records": 0, "last_batch_age_seconds": 59.0}, "counting"),
        ({"lag_records": 39_206, "records_per_second": 1000.0}, "catching up"),
        ({"lag_records": 900, "records_per_second": 100.0}, "counting"),
        ({"state": "waiting", "message": "waiting for Kafka: away"}, "held up"),
        ({"state": "starting"}, "starting"),
        ({"heartbeat_age_seconds": None, "started_at": None}, "starting"),
        ({"desired_state": "stopped", "state": "stopped", "heartbeat_age_seconds": 900.0}, "stopped"),
        ({"desired_state": "stopped", "state": "counting"}, "counting"),  # it still counts its batch
        ({"last_ledger_id": None, "lag_records": 0}, "empty"),
    ],
)
def test_a_row_is_judged_so(changes: dict[str, Any], kind: str) -> None:
    assert judge(WELL | changes).kind == kind


def test_old_numbers_are_never_of_now() -> None:
    assert judge(WELL).is_now
    assert not judge(WELL | STILL).is_now
    assert not judge(WELL | {"desired_state": "stopped", "state": "stopped"}).is_now
    behind = WELL | {"lag_records": 39_206, "records_per_second": 1000.0}
    assert judge(behind | {"caught_up_age_seconds": 40.0}).is_now
    assert not judge(behind | {"caught_up_age_seconds": 46.0}).is_now
    assert not judge(behind | {"caught_up_age_seconds": None}).is_now
    held_up = judge(behind | {"state": "waiting", "caught_up_age_seconds": 46.0})
    assert not held_up.is_now
    assert held_up.is_alive and not judge(WELL | STILL).is_alive  # its speed and what waits are of now


def test_standing_still_says_since_when_and_what_waits() -> None:
    said = words(**STILL)
    assert "The stream has stood still since 11:31:30 (13 min). Figures below are from then, not from now." in said
    assert "Nothing is lost: 39,206 records wait in Kafka, kept for 48 h, and will be counted on restart." in said
    assert 'role="alert"' in said


def test_the_cause_and_the_restart_are_named_when_they_are_known() -> None:
    ended: dict[str, Any] = STILL | {
        "ended_at": NOW - timedelta(minutes=12),
        "end_reason": "exit 143, killed",
        "restart_began_at": NOW,
    }
    assert "The stream driver ended at 11:32:30 (exit 143, killed)." in words(**ended)
    assert "A restart began at 11:44:30." in words(**ended)


@pytest.mark.parametrize(
    "holes", [{"holes": 1, "last_check_passed": True, "lost": 0}, {"holes": 0, "last_check_passed": False, "lost": 0}]
)
def test_nothing_is_lost_is_not_said_where_the_ledger_is_not_whole(holes: dict[str, Any]) -> None:
    said = words(Block(Query("stream_holes", {}), [holes]), **STILL)
    assert "Nothing is lost" not in said
    assert "Records from 11:31:30 on may be deleted at 21 Nov 11:31 unless counting restarts." in said


def test_nothing_is_lost_is_not_said_after_kafkas_retention() -> None:
    old: dict[str, Any] = STILL | {"caught_up_to": NOW - timedelta(hours=49), "heartbeat_age_seconds": 49 * 3600.0}
    assert "Nothing is lost" not in words(**old)


def test_nothing_is_lost_is_not_said_when_it_could_not_be_checked() -> None:
    said = words(Block(Query("stream_holes", {}), [], "query took longer than 3 s"), **STILL)
    assert "Nothing is lost" not in said
    assert "could not be checked" in said


def test_the_other_states_have_their_words() -> None:
    assert "Catching up: 39,206 records behind, about 40.0 s to go. Figures are complete to 11:44:28." in words(
        lag_records=39_206, records_per_second=980.15
    )
    assert "Waiting: no new line since 11:42:30. The stream is alive; zero is a true zero." in words(
        lag_records=0, last_batch_age_seconds=120.0, last_batch_at=NOW - timedelta(seconds=120)
    )
    assert "No heartbeat for 14.0 s." in words(heartbeat_age_seconds=14.0)
    assert "Stopped on purpose at 11:31:30. Start it with the DAG stream_control." in words(
        desired_state="stopped", state="stopped", ended_at=NOW - timedelta(minutes=13)
    )
    assert words() == ""


def test_words_of_the_job_are_text_never_markup() -> None:
    said = words(state="waiting", message="waiting for <script>alert(1)</script>")
    assert "<script>" not in said
    assert "&lt;script&gt;" in said

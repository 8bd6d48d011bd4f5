"""What of a generator run is done again after a pause of the stack."""

from __future__ import annotations

from local.traffic import run_after_a_pause


def test_after_a_pause_a_run_repeats_neither_its_history_nor_incidents_counted_from_its_start() -> None:
    first = {"seed": 7, "history_hours": 48, "incidents": ["surge:+5m:10m:4", "outage:2026-11-27T08:00Z:15m"]}
    assert run_after_a_pause(first) == {
        "seed": 7,
        "history_hours": 0,
        "incidents": ["outage:2026-11-27T08:00Z:15m"],
    }


def test_a_run_without_incidents_goes_on_without_any() -> None:
    assert run_after_a_pause({"seed": 7}) == {"seed": 7, "history_hours": 0, "incidents": []}

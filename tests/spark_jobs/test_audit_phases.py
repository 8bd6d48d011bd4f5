"""How long the phases of an audit took."""

from __future__ import annotations

import pytest

from spark_jobs.audit_phases import Phases


def test_each_phase_takes_what_the_clock_says_and_the_longest_is_named_first() -> None:
    phases = Phases(iter([10.0, 12.0, 20.0, 50.0]).__next__)
    with phases.phase("lines read"):
        pass
    with phases.phase("cells compared"):
        pass
    assert phases.seconds == {"lines read": 2.0, "cells compared": 30.0}
    assert phases.in_words() == "32 s: cells compared 30, lines read 2"


def test_a_phase_that_fails_is_not_said_to_be_done() -> None:
    phases = Phases(iter([0.0]).__next__)
    with pytest.raises(ValueError, match="broken"), phases.phase("lines read"):
        raise ValueError("broken")
    assert phases.seconds == {}

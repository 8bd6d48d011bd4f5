"""The generator's command line as the DAG builds it, and the form that lets values through to it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from plugins.generator_door import generator_run
from producers.incidents import KINDS, PATTERN
from settings import CHECKOUT

WRITTEN = [
    *(f"{kind}:+5m:10m" for kind in KINDS),
    "surge:-2h:90s:4.5",
    "surge:+5m:10m:4:/products/oak-desk",
    "viral:2026-11-17T08:00Z:1h:1:/cart",
    "attack:2026-11-17T08:00:30+01:00:1h:2",
]


@pytest.fixture(scope="module")
def form() -> Any:
    return DagBag(CHECKOUT / "dags" / "log_generator.py").dags["log_generator"].params


@pytest.mark.parametrize("text", WRITTEN)
def test_the_form_takes_every_incident_that_the_generator_takes(form: Any, text: str) -> None:
    assert re.search(PATTERN, text)
    assert form.get_param("incidents").__copy__().resolve([text]) == [text]


def test_incidents_become_words_of_the_command_line(form: Any) -> None:
    now = datetime(2026, 11, 17, 12, tzinfo=UTC)
    params = form.dump() | {"incidents": ["surge:+5m:10m:4", "outage:-3h:15m"], "incidents_per_day": 2}
    words = generator_run(Path("/home"), "manual__1", now, 48).command(params, ["generator"])
    assert words[-4:] == ["--incident", "surge:+5m:10m:4", "--incident", "outage:-3h:15m"]
    assert words[words.index("--incidents-per-day") + 1] == "2"

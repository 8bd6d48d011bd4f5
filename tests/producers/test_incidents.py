"""Kinds of incident: their shape over time, how they are written, how they are drawn."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.incidents import (
    DEFAULT_SIZE,
    KINDS,
    PATTERN,
    SIZE_LIMITS,
    Incident,
    draw_incidents,
    effect_at,
    incidents_of_day,
    parse_incident,
)
from producers.site_model import PAGES
from tests.producers.generated import HOUR_MS, START_MS

MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS


def _effect(*incidents: Incident) -> dict[str, list[float]]:
    """The effect before the start, at the start, in the middle, a moment before the end, at the end of an hour."""
    at_ms = np.array([-1, 0, HOUR_MS // 2, HOUR_MS - 1, HOUR_MS])
    effect = effect_at(incidents, at_ms)
    shown = {"ordinary": effect.ordinary, "failing": effect.failing, "probing": effect.probing} | {**effect.landing}
    return {name: np.round(values, 3).tolist() for name, values in shown.items()}


ONES, ZEROS = [1.0] * 5, [0.0] * 5


@pytest.mark.parametrize(
    ("incident", "changed"),
    [
        (Incident("surge", 0, HOUR_MS, 4.0), {"ordinary": [1, 4, 4, 4, 1]}),
        (Incident("surge", 0, HOUR_MS, 4.0, "/home"), {"/home": [0, 3, 3, 3, 0]}),
        (Incident("outage", 0, HOUR_MS, 0.75), {"ordinary": [1, 0.25, 0.25, 0.25, 1]}),
        (Incident("errors", 0, HOUR_MS, 0.3), {"failing": [0, 0.3, 0.3, 0.3, 0]}),
        (Incident("attack", 0, HOUR_MS, 2.0), {"probing": [0, 2, 2, 2, 0]}),
        (Incident("drift", 0, HOUR_MS, 3.0), {"ordinary": [1, 1, 2, 3, 1]}),
        (Incident("drift", 0, HOUR_MS, 0.5), {"ordinary": [1, 1, 0.75, 0.5, 1]}),
        (Incident("viral", 0, HOUR_MS, 2.0, "/home"), {"/home": [0, 0, 2, 0, 0]}),
    ],
    ids=lambda value: value.kind if isinstance(value, Incident) else "",
)
def test_each_kind_changes_its_own_share_of_the_traffic_within_its_half_open_time(
    incident: Incident, changed: dict[str, list[float]]
) -> None:
    assert _effect(incident) == {"ordinary": ONES, "failing": ZEROS, "probing": ZEROS} | changed


def test_a_viral_page_rises_in_a_tenth_and_fades_from_half_on() -> None:
    at_ms = np.arange(0, 100, 5) * HOUR_MS // 100
    peak = effect_at([Incident("viral", 0, HOUR_MS, 2.0, "/home")], at_ms).landing["/home"]
    assert peak[:4].tolist() == [0, 1, 2, 2]
    assert (np.diff(peak[10:]) < 0).all()


def test_incidents_at_the_same_time_multiply_combine_and_add_and_an_outage_takes_of_all() -> None:
    assert _effect(
        Incident("surge", 0, HOUR_MS, 4.0),
        Incident("outage", 0, HOUR_MS, 0.5),
        Incident("errors", 0, HOUR_MS, 0.5),
        Incident("errors", 0, HOUR_MS, 0.5),
        Incident("attack", 0, HOUR_MS, 1.0),
        Incident("attack", 0, HOUR_MS, 2.0),
        Incident("surge", 0, HOUR_MS, 2.0, "/home"),
        Incident("viral", 0, HOUR_MS, 2.0, "/home"),
    ) == {
        "ordinary": [1, 2, 2, 2, 1],
        "failing": [0, 0.75, 0.75, 0.75, 0],
        "probing": [0, 1.5, 1.5, 1.5, 0],
        "/home": [0, 0.5, 1.5, 0.5, 0],
    }


def test_nothing_changes_without_incidents() -> None:
    assert _effect() == {"ordinary": ONES, "failing": ZEROS, "probing": ZEROS}


@pytest.mark.parametrize(
    ("text", "incident"),
    [
        ("surge:+5m:10m:4", Incident("surge", START_MS + 5 * MINUTE_MS, 10 * MINUTE_MS, 4.0)),
        ("surge:+5m:10m:4.5:/cart", Incident("surge", START_MS + 5 * MINUTE_MS, 10 * MINUTE_MS, 4.5, "/cart")),
        ("outage:-2h:90s", Incident("outage", START_MS - 2 * HOUR_MS, 90_000, 1.0)),
        ("errors:2026-11-17T01:00Z:1d", Incident("errors", START_MS + HOUR_MS, DAY_MS, 0.3)),
        ("attack:2026-11-17T01:00:30+01:00:1h", Incident("attack", START_MS + 30_000, HOUR_MS, 1.0)),
        ("viral:+0s:1h", Incident("viral", START_MS, HOUR_MS, 1.0, "/home")),
    ],
)
def test_an_incident_is_written_with_absolute_or_relative_start(text: str, incident: Incident) -> None:
    assert parse_incident(text, START_MS, PAGES) == incident


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flood:+5m:10m", "Kinds: surge, outage"),
        ("surge:+5m", "KIND:START:DURATION"),
        ("surge:5m:10m", "KIND:START:DURATION"),
        ("surge:2026-11-17T01:00:10m", "KIND:START:DURATION"),
        ("surge:2026-13-17T01:00Z:10m", "is no time"),
        ("surge:+5m:0m", "at least a second"),
        ("surge:+5m:10m:0.5", "above 1 and up to 100"),
        ("outage:+5m:10m:1.5", "above 0 and up to 1"),
        ("drift:+5m:10m:11", "above 0 and up to 10"),
        ("outage:+5m:10m:1:/home", "only surge and viral take a page"),
        ("viral:+5m:10m:1:/nowhere", "no page /nowhere"),
        ("surge:+5m:10m\n", "is no incident"),
    ],
)
def test_what_is_written_wrongly_is_refused_with_the_way_out(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_incident(text, START_MS, PAGES)


def test_every_default_size_lies_within_its_limits() -> None:
    for kind in KINDS:
        above, largest = SIZE_LIMITS[kind]
        assert above < DEFAULT_SIZE[kind] <= largest


def test_the_pattern_is_one_that_a_browser_reads_too() -> None:
    assert "(?P" not in PATTERN
    assert re.search(PATTERN, "surge:+5m:10m:4:/home")
    assert not re.search(PATTERN, "--help")


@given(seed=st.integers(0, 2**32), number=st.integers(0, 24))
def test_drawn_incidents_lie_within_the_time_and_do_not_overlap(seed: int, number: int) -> None:
    drawn = draw_incidents(np.random.default_rng(seed), START_MS, START_MS + DAY_MS, number, PAGES)
    assert len(drawn) == number
    times = [START_MS, *(at for incident in drawn for at in (incident.start_ms, incident.end_ms)), START_MS + DAY_MS]
    assert times == sorted(times)
    for incident in drawn:
        above, largest = SIZE_LIMITS[incident.kind]
        assert above < incident.size <= largest
        assert (incident.page in PAGES) == (incident.kind == "viral")


def test_a_day_has_its_incidents_whatever_the_run_and_about_as_many_as_asked() -> None:
    days = [incidents_of_day((1, 2), day, 3.0, PAGES) for day in range(20_000, 20_200)]
    assert incidents_of_day((1, 2), 20_007, 3.0, PAGES) == days[7]
    assert incidents_of_day((1, 3), 20_007, 3.0, PAGES) != days[7]
    assert sum(map(len, days)) == pytest.approx(600, rel=0.15)
    assert {incident.kind for day in days for incident in day} == set(KINDS)

"""Incidents in the generated traffic: what they add, take away and make fail, and that they do nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from producers import site_model as site
from producers.generated_records import events
from producers.hits import Hits
from producers.incident_traffic import ATTACKERS
from producers.incidents import Incident, Kind, effect_at
from producers.traffic import Traffic
from tests.producers.generated import START_MS, small_run

MINUTE_MS = 60_000
LIVE_MS = 30 * MINUTE_MS
BEGIN_MS, END_MS = START_MS + 10 * MINUTE_MS, START_MS + 20 * MINUTE_MS
FAULTLESS = {"late": 0.0, "out_of_order": 0.0, "duplicated": 0.0, "malformed": 0.0}


def _incident(kind: Kind, size: float, page: str = "") -> Incident:
    """From minute 10 to 20."""
    return Incident(kind, BEGIN_MS, END_MS - BEGIN_MS, size, page)


def _hits(*incidents: Incident, **changes: Any) -> Hits:
    """30 minutes at 20 hits/s."""
    run = small_run(history_ms=0, rate=20.0, incidents=incidents, **(FAULTLESS | changes))
    return np.concatenate(list(Traffic(run).slices(LIVE_MS)))


def _during(hits: Hits) -> Hits:
    return hits[(hits["ts_ms"] >= BEGIN_MS) & (hits["ts_ms"] < END_MS)]


@pytest.fixture(scope="module")
def usual() -> Hits:
    return _hits()


ALL = [
    _incident("surge", 4.0),
    _incident("surge", 4.0, "/cart"),
    _incident("outage", 0.8),
    _incident("errors", 0.3),
    _incident("attack", 2.0),
    _incident("drift", 3.0),
    _incident("drift", 0.4),
    _incident("viral", 2.0, "/products/oak-desk"),
]


@pytest.mark.parametrize("incident", ALL, ids=lambda incident: f"{incident.kind} {incident.size}")
def test_the_hits_of_each_minute_are_as_many_as_the_shape_says(usual: Hits, incident: Incident) -> None:
    minutes = np.arange(START_MS, START_MS + LIVE_MS, MINUTE_MS)
    effect = effect_at([incident], minutes + MINUTE_MS // 2)
    factor = effect.ordinary + effect.probing + sum(effect.landing.values())
    before, found = (
        np.bincount((hits["ts_ms"] - START_MS) // MINUTE_MS, minlength=30) for hits in (usual, _hits(incident))
    )
    assert found[:10].tolist() == before[:10].tolist()
    assert found[20:].tolist() == before[20:].tolist()
    assert found[10:20] == pytest.approx(before[10:20] * factor[10:20], rel=0.2, abs=60)
    assert found[10:20].sum() == pytest.approx((before * factor)[10:20].sum(), rel=0.06)


@pytest.mark.parametrize(
    "incident", [one for one in ALL if one.kind in ("surge", "attack", "viral")], ids=lambda incident: incident.kind
)
def test_what_comes_on_top_leaves_the_usual_hits_as_they_are(usual: Hits, incident: Incident) -> None:
    found = _hits(incident)
    columns = [name for name in usual.dtype.names or () if name != "seq"]
    rest = found[found["added_by"] == 0]
    assert (rest[columns] == usual[columns]).all()


def test_an_outage_of_everything_leaves_no_line_not_even_a_late_one() -> None:
    hits = _hits(_incident("outage", 1.0), _incident("surge", 4.0), late=0.3, out_of_order=0.3)
    assert not len(_during(hits))
    assert hits["late"].sum() > 1_000


def test_errors_fail_their_share_of_the_pages_and_nothing_before_or_after(usual: Hits) -> None:
    found = _hits(_incident("errors", 0.3))
    failed = found[found["failed_by"] == 1]
    assert set(failed["status"].tolist()) <= {500, 502, 503, 504}
    assert len(_during(failed)) == len(failed) == pytest.approx(0.3 * len(_during(usual)), rel=0.06)
    assert (found["ts_ms"] == usual["ts_ms"]).all()


def test_an_attack_probes_from_few_addresses_and_finds_nothing() -> None:
    hits = _hits(_incident("attack", 2.0))
    attack = hits[hits["added_by"] == 1]
    assert len(np.unique(attack["visitor"])) <= ATTACKERS
    assert (attack["status"] // 100 == 4).all()
    assert (attack["page"] >= site.FIRST_PROBE).all()
    assert (attack["status"] == 404).mean() > 0.8


def test_a_viral_page_is_reached_from_social_sites_by_many_people() -> None:
    hits = _hits(_incident("viral", 2.0, "/products/oak-desk"), visitors=20_000)
    viral = hits[hits["added_by"] == 1]
    assert {site.PATHS[page] for page in np.unique(viral["page"]).tolist()} == {"/products/oak-desk"}
    assert {site.ENTRY_CLASSES[number] for number in np.unique(viral["referrer"]).tolist()} == {"social"}
    assert len(np.unique(viral["visitor"])) > 5_000


def test_late_hits_of_an_incident_still_happened_during_it() -> None:
    hits = _hits(_incident("surge", 10.0), late=0.5, out_of_order=0.3)
    added = hits[hits["added_by"] == 1]
    assert added["late"].sum() > 1_000
    assert len(_during(added)) == len(added)


@pytest.mark.parametrize("incident", [_incident("outage", 0.8), _incident("drift", 0.4)], ids=lambda one: one.kind)
@pytest.mark.parametrize("minutes", [15, 30])
def test_what_an_incident_removed_is_counted_up_to_the_end_of_the_run(incident: Incident, minutes: int) -> None:
    run = small_run(history_ms=0, rate=20.0, incidents=(incident,), **FAULTLESS)
    traffic = Traffic(run)
    found = sum(map(len, traffic.slices(minutes * MINUTE_MS)))
    without = sum(map(len, Traffic(small_run(history_ms=0, rate=20.0, **FAULTLESS)).slices(minutes * MINUTE_MS)))
    assert traffic.incidents.removed == [without - found]


def test_incidents_of_history_reach_over_into_live_traffic() -> None:
    incident = Incident("surge", START_MS - 10 * MINUTE_MS, 20 * MINUTE_MS, 5.0)
    run = small_run(history_ms=60 * MINUTE_MS, history_rate=20.0, rate=20.0, incidents=(incident,), **FAULTLESS)
    hits = np.concatenate(list(Traffic(run).slices(LIVE_MS)))
    added = hits[hits["added_by"] == 1]["ts_ms"]
    assert added.min() - incident.start_ms < 1_000
    assert incident.end_ms - added.max() < 1_000
    per_minute = np.bincount((added - incident.start_ms) // MINUTE_MS)
    assert per_minute[10:].min() > 0.8 * 4 * 20 * 60


def test_drawn_incidents_happen_and_a_longer_run_begins_with_the_same_records() -> None:
    run = small_run(incidents_per_day=24.0)
    longer = list(events(run, LIVE_MS))
    shorter = list(events(run, MINUTE_MS))
    assert longer[: len(shorter)] == shorter
    traffic = Traffic(run)
    hits = np.concatenate(list(traffic.slices(MINUTE_MS)))
    drawn = traffic.incidents.met
    assert len(drawn) > 10
    assert hits["added_by"].any() or hits["failed_by"].any() or any(traffic.incidents.removed)

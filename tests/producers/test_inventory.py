"""The inventory against an independent recount of the emitted records in plain Python."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from producers.generated_records import records
from producers.generator_run import Run
from producers.incidents import Incident
from producers.inventory import Inventory
from producers.traffic import Traffic
from tests.producers import recount
from tests.producers.generated import HOUR_MS, START_MS, small_run

# Thursday, 1 October 2026, 00:00 UTC.
NEW_MONTH_MS = 1_790_812_800_000


def _run_through(run: Run, live_ms: int, chunk: int) -> tuple[list[bytes], dict[str, Any]]:
    traffic = Traffic(run)
    inventory = Inventory(traffic)
    values = []
    for hits in traffic.slices(live_ms):
        for at in range(0, len(hits), chunk):
            values += [value for _, value in records(hits[at : at + chunk], run, traffic.audience)]
            inventory.add(hits[at : at + chunk])
    inventory.end()
    return values, msgspec.json.decode(msgspec.json.encode(inventory.as_document(complete=True)))


def _compare(values: list[bytes], inventory: dict[str, Any]) -> None:
    events = recount.accepted(values)
    shown = {hour["hour_start"]: hour for hour in inventory["hours"] if hour["hits"]}
    for hour in shown.values():
        hour.pop("injected")
        hour["dimensions"] = {name: cells for name, cells in hour["dimensions"].items() if cells}
    counted = recount.hours(events)
    assert shown.keys() == counted.keys()
    for start, hour in counted.items():
        for name, value in hour.items():
            assert shown[start][name] == value, f"{name} of {start}"
    days = recount.days(events)
    assert [day["day_start"] for day in inventory["days"]] == sorted(days)
    for day in inventory["days"]:
        for name, value in days[day["day_start"]].items():
            assert day[name] == value, f"{name} of {day['day_start']}"
    assert inventory["months"] == recount.months(events)
    whole = recount.crowd(recount.welcome(events))
    assert {name: inventory[name] for name in whole} == whole
    totals: Counter[str] = Counter()
    for hour in counted.values():
        totals.update({name: hour[name] for name in recount.MEASURES})
    assert inventory["totals"] == recount.full(totals)


def test_every_cell_equals_a_recount_of_the_records() -> None:
    # 14 hours over a midnight that begins a month, so that the first ones are closed while the last are counted.
    run = small_run(start_ms=NEW_MONTH_MS + 6 * HOUR_MS, history_ms=14 * HOUR_MS)
    values, inventory = _run_through(run, live_ms=1_200_000, chunk=500)
    _compare(values, inventory)
    assert inventory["records"] == len(values)
    assert "" in {country for hour in inventory["hours"] for country in hour["countries"]}
    assert [month["month"] for month in inventory["months"]] == ["2026-09", "2026-10"]
    assert sum(day["visits"] for day in inventory["days"]) > 3_000


def test_every_cell_equals_a_recount_also_with_incidents_of_every_kind() -> None:
    minute = 60_000
    run = small_run(
        history_ms=3 * HOUR_MS,
        incidents=(
            Incident("surge", START_MS - 170 * minute, 20 * minute, 5.0),
            Incident("outage", START_MS - 140 * minute, 20 * minute, 0.9),
            Incident("errors", START_MS - 110 * minute, 20 * minute, 0.5),
            Incident("attack", START_MS - 80 * minute, 20 * minute, 3.0),
            Incident("drift", START_MS - 50 * minute, 20 * minute, 3.0),
            Incident("viral", START_MS - 20 * minute, 15 * minute, 3.0, "/products/oak-desk"),
        ),
    )
    values, inventory = _run_through(run, live_ms=0, chunk=1000)
    _compare(values, inventory)
    changed = {
        incident["kind"]: [incident[name] > 0 for name in ("hits_added", "hits_removed", "hits_failed")]
        for incident in inventory["incidents"]
    }
    assert changed == {
        "surge": [True, False, False],
        "outage": [False, True, False],
        "errors": [False, False, True],
        "attack": [True, False, False],
        "drift": [True, False, False],
        "viral": [True, False, False],
    }
    viral = inventory["incidents"][-1]
    assert (viral["page"], viral["start"]) == ("/products/oak-desk", "2026-11-16T23:40:00Z")


def test_injected_faults_and_last_seqs_are_listed() -> None:
    values, inventory = _run_through(small_run(), live_ms=0, chunk=1000)
    hits = np.concatenate(list(Traffic(small_run()).slices(0)))
    assert inventory["injected"] == {
        "late": int(hits["late"].sum()),
        "out_of_order": int(hits["out_of_order"].sum()),
        "duplicate": int(hits["duplicate"].sum()),
        "malformed": int((hits["malformed"] > 0).sum()),
    }
    assert min(inventory["injected"].values()) > 50
    assert inventory["totals"]["hits"] + inventory["injected"]["duplicate"] + inventory["injected"][
        "malformed"
    ] == len(values)
    assert sum(inventory["sources"].values()) == (hits["seq"][~hits["duplicate"]] > 0).sum()
    by_hour = Counter[str]()
    for hour in inventory["hours"]:
        by_hour.update(hour["injected"])
    assert by_hour == inventory["injected"]


def test_an_untouched_inventory_is_empty() -> None:
    document = Inventory(Traffic(small_run())).as_document(complete=True)
    assert document["hours"] == document["days"] == document["incidents"] == []
    assert set(document["totals"].values()) == {0}


def test_visits_and_latencies_are_told_when_they_are_final() -> None:
    run = small_run(history_ms=20 * HOUR_MS)
    traffic = Traffic(run)
    inventory = Inventory(traffic)
    for hits in traffic.slices(0):
        inventory.add(hits)
    going = inventory.as_document(complete=True)
    told = ["latency_us" in hour for hour in going["hours"]]
    assert told[:10] == [True] * 10
    assert told[-6:] == [False] * 6
    assert not any("visits" in day for day in going["days"])
    inventory.end()
    ended = inventory.as_document(complete=True)
    assert ended["ended"]
    assert all("latency_us" in hour for hour in ended["hours"])
    assert all("visits" in day for day in ended["days"])


def test_a_hit_later_than_the_latest_is_refused_rather_than_miscounted() -> None:
    run = small_run(history_ms=20 * HOUR_MS, late=0.0, duplicated=0.0, malformed=0.0)
    traffic = Traffic(run)
    hits = np.concatenate(list(traffic.slices(0)))
    inventory = Inventory(traffic)
    inventory.add(hits)
    inventory.add(hits[:1])
    with pytest.raises(ValueError, match="its hour is closed"):
        inventory.end()


# A failing example is as small as it gets: shrinking it would only try ever smaller runs for minutes.
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 5000), share=st.floats(0, 0.5))
def test_the_recount_agrees_whatever_the_seed_the_faults_and_the_chunks(seed: int, chunk: int, share: float) -> None:
    run = small_run(
        seed=seed, history_ms=HOUR_MS, history_rate=0.5, rate=1.0, visitors=1_000,
        late=share, out_of_order=share, duplicated=share, malformed=share, incidents_per_day=24.0,
    )  # fmt: skip
    _compare(*_run_through(run, live_ms=300_000, chunk=chunk))


def test_hours_start_on_the_hour_in_utc() -> None:
    _, inventory = _run_through(small_run(history_ms=2 * HOUR_MS), live_ms=0, chunk=1000)
    starts = [datetime.fromisoformat(hour["hour_start"]) for hour in inventory["hours"]]
    assert starts == [datetime(2026, 11, 16, 22, tzinfo=UTC), datetime(2026, 11, 16, 23, tzinfo=UTC)]

"""The inventory against an independent recount of the emitted records in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iptocc import country_code

from producers.access_log import AccessEvent
from producers.generated_records import records
from producers.generator_run import Run
from producers.inventory import HOUR_MS, Inventory
from producers.traffic import Traffic
from tests.producers.generated import small_run

MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")


def _run_through(run: Run, live_ms: int, chunk: int) -> tuple[list[bytes], dict[str, Any]]:
    traffic = Traffic(run)
    inventory = Inventory(run, traffic.audience)
    values = []
    for hits in traffic.slices(live_ms):
        for at in range(0, len(hits), chunk):
            values += [value for _, value in records(hits[at : at + chunk], run, traffic.audience)]
            inventory.add(hits[at : at + chunk])
    return values, msgspec.json.decode(msgspec.json.encode(inventory.as_document(complete=True)))


def _measures(event: AccessEvent) -> Counter[str]:
    latency = None if event.latency_ms is None else round(event.latency_ms * 1000)
    return Counter(
        hits=1,
        bytes_sent=event.bytes,
        client_errors=event.status // 100 == 4,
        server_errors=event.status // 100 == 5,
        latency_us_sum=latency or 0,
        latency_count=latency is not None,
    )


def _recount(values: list[bytes]) -> dict[str, dict[str, Any]]:
    """Hour -> measures, cells by dimension, and the set of visitors."""
    seen: set[tuple[str | None, int | None]] = set()
    hours: dict[str, dict[str, Any]] = {}
    for value in values:
        try:
            event = msgspec.json.decode(value, type=AccessEvent)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if (event.source, event.seq) in seen:
            continue
        seen.add((event.source, event.seq))
        hour = event.ts.replace(minute=0, second=0, microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
        totals = hours.setdefault(
            hour,
            {"measures": Counter(), "visitors": set()}
            | {name: defaultdict(Counter) for name in ("pages", "countries", "status_classes")},
        )
        measures = _measures(event)
        totals["measures"].update(measures)
        totals["pages"][event.path.split("?")[0]].update(measures)
        totals["countries"][event.country or country_code(event.ip) or ""].update(measures)
        totals["status_classes"][str(event.status // 100)].update(measures)
        totals["visitors"].add((event.site, event.ip, event.user_agent))
    return hours


def _full(counter: Counter[str]) -> dict[str, int]:
    return {name: int(counter[name]) for name in MEASURES}


def _compare(values: list[bytes], inventory: dict[str, Any]) -> None:
    hours = _recount(values)
    shown = {hour["hour_start"]: hour for hour in inventory["hours"] if hour["hits"]}
    assert shown.keys() == hours.keys()
    for start, totals in hours.items():
        hour = shown[start]
        assert {name: hour[name] for name in MEASURES} == _full(totals["measures"])
        assert hour["visitors"] == len(totals["visitors"])
        for dimension in ("pages", "countries", "status_classes"):
            assert hour[dimension] == {name: _full(cell) for name, cell in totals[dimension].items()}
    everything: Counter[str] = Counter()
    for totals in hours.values():
        everything.update(totals["measures"])
    assert inventory["totals"] == _full(everything)


def test_every_cell_equals_a_recount_of_the_records() -> None:
    # 14 hours, so that the first ones are closed while the last ones are counted.
    values, inventory = _run_through(small_run(history_ms=14 * HOUR_MS), live_ms=1_200_000, chunk=500)
    _compare(values, inventory)
    assert inventory["records"] == len(values)
    assert "" in {country for hour in inventory["hours"] for country in hour["countries"]}


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
    run = small_run()
    document = Inventory(run, Traffic(run).audience).as_document(complete=True)
    assert document["hours"] == []
    assert set(document["totals"].values()) == {0}


def test_a_hit_later_than_the_latest_is_refused_rather_than_miscounted() -> None:
    run = small_run(history_ms=20 * HOUR_MS, late=0.0, duplicated=0.0, malformed=0.0)
    traffic = Traffic(run)
    hits = np.concatenate(list(traffic.slices(0)))
    inventory = Inventory(run, traffic.audience)
    inventory.add(hits)
    with pytest.raises(ValueError, match="its hour is closed"):
        inventory.add(hits[:1])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 5000), share=st.floats(0, 0.5))
def test_the_recount_agrees_whatever_the_seed_the_faults_and_the_chunks(seed: int, chunk: int, share: float) -> None:
    run = small_run(
        seed=seed, history_ms=HOUR_MS, history_rate=0.5, rate=1.0, visitors=1_000,
        late=share, out_of_order=share, duplicated=share, malformed=share,
    )  # fmt: skip
    _compare(*_run_through(run, live_ms=300_000, chunk=chunk))


def test_hours_start_on_the_hour_in_utc() -> None:
    _, inventory = _run_through(small_run(history_ms=2 * HOUR_MS), live_ms=0, chunk=1000)
    starts = [datetime.fromisoformat(hour["hour_start"]) for hour in inventory["hours"]]
    assert starts == [datetime(2026, 11, 16, 22, tzinfo=UTC), datetime(2026, 11, 16, 23, tzinfo=UTC)]

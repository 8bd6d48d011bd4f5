"""The generated records: determinism, sources, the shares of injected faults, the wire contract."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2

from producers.access_log import AccessEvent, Origin, UnparsedLine
from producers.generated_records import events
from producers.generator_run import partition_of
from producers.hits import MOST_LATE_MS, MOST_OUT_OF_ORDER_MS, Hits
from producers.malformed import FAULTS, READABLE, is_readable, malformed
from producers.site_model import HOSTS, PATHS
from producers.traffic import Traffic
from tests.producers.generated import HOUR_MS, START_MS, small_run

LIVE_MS = 600_000


@cache
def _records() -> list[tuple[bytes, bytes]]:
    return list(events(small_run(), LIVE_MS))


@cache
def _hits() -> Hits:
    """48 hours at 1 hit/s: enough for shares."""
    run = small_run(history_ms=48 * HOUR_MS)
    return np.concatenate(list(Traffic(run).slices(0)))


def _events() -> list[AccessEvent]:
    found = []
    for _, value in _records():
        try:
            found.append(msgspec.json.decode(value, type=AccessEvent))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found


def test_the_same_run_is_the_same_bytes() -> None:
    assert list(events(small_run(), LIVE_MS)) == _records()


@pytest.mark.parametrize("change", [{"seed": 2}, {"start_ms": START_MS + 1000}, {"site": "blog"}, {"late": 0.02}])
def test_another_parameter_is_another_run_with_other_sources(change: dict[str, object]) -> None:
    other = small_run(**change)
    assert not set(other.sources) & set(small_run().sources)


def test_a_longer_run_begins_with_the_same_records() -> None:
    shorter, longer = list(events(small_run(), 60_000)), _records()
    assert longer[: len(shorter)] == shorter
    assert len(longer) > len(shorter)


def test_every_source_counts_its_records_from_one_without_a_gap() -> None:
    seqs: dict[bytes, list[int]] = defaultdict(list)
    for key, value in _records():
        try:
            origin = msgspec.json.decode(value, type=Origin)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        assert origin.source.encode() == key
        seqs[key].append(origin.seq)
    assert len(seqs) == 4
    for numbers in seqs.values():
        first_sendings = list(dict.fromkeys(numbers))
        assert first_sendings == list(range(1, len(first_sendings) + 1))


def test_the_four_sources_land_on_four_partitions() -> None:
    for seed in range(20):
        sources = small_run(seed=seed).sources
        assert [(murmur2(source.encode()) & 0x7FFFFFFF) % 4 for source in sources] == [0, 1, 2, 3]


@given(st.binary(max_size=64))
def test_partitions_are_the_ones_of_kafkas_own_partitioner(key: bytes) -> None:
    assert partition_of(key, 12) == (murmur2(key) & 0x7FFFFFFF) % 12


def test_a_duplicate_is_the_very_record_again() -> None:
    values: dict[tuple[str, int], bytes] = {}
    again = 0
    for _, value in _records():
        try:
            origin = msgspec.json.decode(value, type=Origin)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        known = values.setdefault((origin.source, origin.seq), value)
        assert known == value
        again += known is not value
    assert again > 50


def test_injected_shares_are_the_asked_ones() -> None:
    hits = _hits()
    fresh = hits[~hits["duplicate"]]
    assert (fresh["late"]).mean() == pytest.approx(0.01, rel=0.15)
    assert (fresh["out_of_order"]).mean() == pytest.approx(0.02, rel=0.15)
    assert (fresh["malformed"] > 0).mean() == pytest.approx(0.01, rel=0.15)
    assert hits["duplicate"].sum() / len(fresh) == pytest.approx(0.005, rel=0.15)


def test_without_faults_records_come_in_the_order_of_their_times_and_once() -> None:
    run = small_run(late=0.0, out_of_order=0.0, duplicated=0.0, malformed=0.0)
    hits = np.concatenate(list(Traffic(run).slices(60_000)))
    assert (np.diff(hits["ts_ms"]) >= 0).all()
    assert (hits["due_ms"] == hits["ts_ms"]).all()
    assert not hits["duplicate"].any()
    assert (hits["seq"] > 0).all()


def test_late_hits_are_minutes_to_hours_old_and_out_of_order_ones_seconds() -> None:
    hits = _hits()
    age = hits["due_ms"] - hits["ts_ms"]
    assert age[hits["late"]].min() >= 60_000
    assert HOUR_MS < age[hits["late"]].max() <= MOST_LATE_MS
    assert (hits["ts_ms"] // HOUR_MS < hits["due_ms"] // HOUR_MS)[hits["late"]].mean() > 0.2
    assert 1_000 <= age[hits["out_of_order"]].min() < age[hits["out_of_order"]].max() <= MOST_OUT_OF_ORDER_MS


def test_no_hit_lies_outside_the_run() -> None:
    hits = _hits()
    assert hits["ts_ms"].min() >= START_MS - 48 * HOUR_MS
    assert hits["ts_ms"].max() < START_MS


def test_history_has_the_rate_of_the_week_and_the_shape_of_the_day() -> None:
    hits = _hits()  # Sunday and Monday
    assert len(hits) / (48 * 3600) == pytest.approx(1.0, rel=0.15)
    per_hour = np.bincount((hits["ts_ms"] // HOUR_MS) % 24)
    assert per_hour[19] > 2.5 * per_hour[4]


def test_live_traffic_keeps_its_rate_whatever_the_hour() -> None:
    run = small_run(history_ms=0, rate=20.0)
    (hits, *more) = list(Traffic(run).slices(1_000_000))
    assert len(hits) + sum(map(len, more)) == pytest.approx(20_000, rel=0.05)
    first_minute = (hits["due_ms"] < START_MS + 60_000).sum()
    assert first_minute == pytest.approx(1_200, rel=0.2)


def test_events_are_of_the_site_and_its_pages_with_real_addresses() -> None:
    for event in _events():
        assert event.site == "shop"
        assert event.path.split("?")[0] in PATHS
        ip_address(event.ip)
        assert event.latency_ms is None or round(event.latency_ms * 1000) / 1000 == event.latency_ms
    assert any("?utm_" in event.path for event in _events())
    assert {event.method for event in _events()} == {"GET", "POST", "HEAD"}
    assert {event.status // 100 for event in _events()} == {2, 3, 4, 5}
    assert {event.host for event in _events()} == set(HOSTS)
    assert {event.protocol for event in _events()} == {"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}
    assert {event.country is None for event in _events()} == {True, False}
    assert {event.latency_ms is None for event in _events()} == {True, False}


def test_a_visitor_comes_from_the_page_seen_before() -> None:
    journeys: dict[tuple[str, str | None], list[AccessEvent]] = defaultdict(list)
    for event in sorted(_events(), key=lambda event: event.ts):
        journeys[event.ip, event.user_agent].append(event)
    inner = [event for event in _events() if (event.referrer or "").startswith(f"https://{event.host}/")]
    assert len(inner) > 1000
    explained = sum(
        any(
            earlier.ts < event.ts and f"https://{event.host}{earlier.path.split('?')[0]}" == event.referrer
            for earlier in journeys[event.ip, event.user_agent]
        )
        for event in inner
    )
    assert explained > 0.95 * len(inner)  # the rest: late, broken, or begun before the run


EVENT = AccessEvent(
    ts=datetime(2026, 11, 17, 12, tzinfo=UTC),
    ip="84.128.0.1",
    method="GET",
    path="/home",
    status=200,
    bytes=1234,
    site="shop",
    latency_ms=12.345,
    source="generator-0-1",
    seq=17,
)


@pytest.mark.parametrize("fault", range(1, len(FAULTS) + 1), ids=lambda fault: FAULTS[fault - 1])
def test_a_malformed_record_breaks_the_contract_and_tells_its_origin_only_if_readable(fault: int) -> None:
    value = malformed(EVENT, fault, msgspec.json.encode)
    for contract in (AccessEvent, UnparsedLine):
        with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
            msgspec.json.decode(value, type=contract)
    if is_readable(fault):
        assert msgspec.json.decode(value, type=Origin) == Origin("generator-0-1", 17)
    else:
        assert b"generator-0-1" not in value
        assert b'"seq"' not in value


def test_both_families_of_malformed_records_come() -> None:
    kinds = set(_hits()["malformed"].tolist())
    assert kinds == set(range(len(FAULTS) + 1))
    assert 0 < len(READABLE) < len(FAULTS)


@settings(max_examples=15, deadline=None)
@given(
    late=st.floats(0, 0.5),
    out_of_order=st.floats(0, 0.5),
    duplicated=st.floats(0, 0.5),
    malformed_share=st.floats(0, 0.5),
    seed=st.integers(0, 2**32),
)
def test_whatever_the_knobs_seqs_are_dense_and_sending_is_in_order(
    late: float, out_of_order: float, duplicated: float, malformed_share: float, seed: int
) -> None:
    run = small_run(
        seed=seed, history_ms=HOUR_MS, late=late, out_of_order=out_of_order,
        duplicated=duplicated, malformed=malformed_share, visitors=1_000,
    )  # fmt: skip
    hits = np.concatenate(list(Traffic(run).slices(60_000)))
    assert (np.diff(hits["due_ms"]) >= 0).all()
    for server in range(4):
        fresh = hits[(hits["server"] == server) & ~hits["duplicate"] & (hits["seq"] > 0)]["seq"]
        assert fresh.tolist() == list(range(1, len(fresh) + 1))

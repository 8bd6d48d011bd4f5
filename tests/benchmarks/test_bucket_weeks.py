"""The back-test's bucket arrays vary as really generated records do."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bucket_weeks import SERIES, Values, hourly_history, weeks
from producers.incidents import Incident
from producers.traffic import Traffic
from tests.producers.generated import HOUR_MS, START_MS, small_run

RATE, HOURS = 50.0, 5
HITS, BYTES, CLIENT_ERRORS, SERVER_ERRORS, LATENCY = range(5)


def dispersion(counts: Values, buckets: int) -> float:
    """Variance over mean of sums over so many buckets; second differences leave the day's rhythm out."""
    sums = counts[: len(counts) // buckets * buckets].reshape(-1, buckets).sum(axis=1)
    off = sums[1:-1] - (sums[:-2] + sums[2:]) / 2
    return float(np.square(off).mean() / 1.5 / sums.mean())


@pytest.fixture(scope="module")
def generated() -> Values:
    """Hits, bytes, client and server errors, latency sums of really generated records, (buckets, 5)."""
    run = small_run(
        start_ms=START_MS + 9 * HOUR_MS, history_ms=0, rate=RATE, rhythm=True, late=0.0, out_of_order=0.0,
        duplicated=0.0, malformed=0.0,
    )  # fmt: skip
    found = np.zeros((HOURS * 360, 5))
    for hits in Traffic(run).slices(HOURS * HOUR_MS):
        bucket = (hits["ts_ms"] - run.start_ms) // 10_000
        status = hits["status"] // 100
        for column, amount in enumerate(
            (np.ones(len(hits)), hits["bytes"], status == 4, status == 5, np.maximum(hits["latency_us"], 0))
        ):
            np.add.at(found[:, column], bucket, amount)
    return found


@pytest.fixture(scope="module")
def simulated() -> Values:
    return weeks(np.random.default_rng(1), RATE, START_MS + 9 * HOUR_MS, HOURS * 360, []).values


def test_means_are_those_of_generated_records(generated: Values, simulated: Values) -> None:
    shares = simulated[:, :5].sum(axis=0) / simulated[:, HITS].sum()
    wanted = generated.sum(axis=0) / generated[:, HITS].sum()
    assert simulated[:, HITS].mean() == pytest.approx(generated[:, HITS].mean(), rel=0.05)
    assert shares == pytest.approx(wanted, rel=0.15)


@pytest.mark.parametrize(("buckets", "within"), [(1, 0.25), (6, 0.4)])
def test_hits_vary_as_those_of_generated_sessions(
    generated: Values, simulated: Values, buckets: int, within: float
) -> None:
    assert dispersion(simulated[:, HITS], buckets) == pytest.approx(
        dispersion(generated[:, HITS], buckets), rel=within
    )


@pytest.mark.parametrize("column", [CLIENT_ERRORS, SERVER_ERRORS])
def test_errors_vary_as_those_of_generated_records(generated: Values, simulated: Values, column: int) -> None:
    assert dispersion(simulated[:, column], 1) == pytest.approx(dispersion(generated[:, column], 1), rel=0.2)


def test_hours_are_sums_of_such_buckets() -> None:
    begin_ms = START_MS
    _, hours = hourly_history(np.random.default_rng(2), RATE, begin_ms + 24 * HOUR_MS, 24)
    buckets = weeks(np.random.default_rng(3), RATE, begin_ms, 24 * 360, []).values
    assert hours[:, HITS] == pytest.approx(buckets[:, HITS].reshape(24, 360).sum(axis=1), rel=0.04)


def test_an_outage_leaves_nothing_and_an_attack_adds_client_errors_only() -> None:
    plan = [
        Incident("outage", START_MS + 100 * 10_000, 100_000, 1.0),
        Incident("attack", START_MS + 200 * 10_000, 100_000, 2.0),
    ]
    values = weeks(np.random.default_rng(4), RATE, START_MS, 300, plan).values
    assert values[100:110, HITS].sum() == 0
    extra = values[200:210, HITS].sum() / values[180:190, HITS].sum()
    assert extra == pytest.approx(3.0, rel=0.1)
    assert values[200:210, CLIENT_ERRORS].sum() > 0.6 * values[200:210, HITS].sum()
    assert len(SERIES) == values.shape[1] == 35

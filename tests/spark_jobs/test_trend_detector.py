"""The detector of a site: what opens, what does not, what it says, and that a restart changes nothing."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.bucket_weeks import BUCKET_MS, SERIES, Weeks, hourly_history, weeks
from producers.incidents import Incident, Kind
from spark_jobs.trend_bands import count_band
from spark_jobs.trend_detector import Change, Detector, DetectorSettings, OpenAnomaly, Series, Step, replay
from spark_jobs.trend_forecast import hour_course
from spark_jobs.trend_judge import Rules

BEGIN_MS = 1_794_787_200_000 + 9 * 3_600_000  # Monday, 09:00 UTC
HITS = 0


def site(kind: Kind | None = None, size: float = 4.0, page: str = "", hours: int = 2, rate: float = 50.0) -> Weeks:
    """Two hours of a site; an incident of ten minutes begins three seconds into bucket 540."""
    incidents = [Incident(kind, BEGIN_MS + 540 * BUCKET_MS + 3_000, 600_000, size, page)] if kind else []
    return weeks(np.random.default_rng(11), rate, BEGIN_MS, hours * 360, incidents)


def play(played: Weeks, detector: Detector | None = None, first: int = 0, until: int | None = None) -> list[Step]:
    detector = detector or Detector(SERIES, DetectorSettings())
    return [
        detector.step(int(played.starts_s[n]), played.values[n], float(played.latency_count[n]))
        for n in range(first, until or len(played.starts_s))
    ]


def changes(steps: list[Step]) -> list[Change]:
    return [change for step in steps for change in step.changes]


def told(steps: list[Step]) -> list[tuple[str, str, str, int]]:
    return [(one.state, one.series.measure, one.series.value, one.side) for one in changes(steps)]


def test_two_ordinary_hours_open_nothing() -> None:
    assert told(play(site())) == []


@pytest.mark.parametrize(
    ("kind", "size", "measure", "side"),
    [
        ("surge", 4.0, "hits", 1),
        ("outage", 1.0, "hits", -1),
        ("errors", 0.3, "server_errors", 1),
        ("attack", 1.0, "client_errors", 1),
    ],
)
def test_an_incident_is_one_anomaly_that_opens_within_30_seconds_and_closes_after_its_end(
    kind: Kind, size: float, measure: str, side: int
) -> None:
    found = [one for one in changes(play(site(kind, size))) if one.series.measure == measure]
    assert [one.state for one in found] == ["opened", "closed"]
    opened, closed = found
    began_s = BEGIN_MS // 1000 + 5403
    assert (opened.side, closed.side) == (side, side)
    assert began_s < opened.bucket_end_s <= began_s + 30
    assert began_s - 3 <= opened.first_bucket_start_s < opened.bucket_end_s
    assert began_s + 600 < closed.bucket_end_s <= began_s + 600 + 80


def test_a_surge_opens_no_second_anomaly_for_its_pages_countries_bytes_or_errors() -> None:
    assert told(play(site("surge"))) == [("opened", "hits", "", 1), ("closed", "hits", "", 1)]


def test_an_attacks_hits_are_explained_by_its_client_errors() -> None:
    assert {one.series.measure for one in changes(play(site("attack", 1.0)))} == {"client_errors"}


def test_a_page_that_goes_viral_within_the_sites_ups_and_downs_is_found_by_itself() -> None:
    found = told(play(site("viral", 0.2, "/about")))
    assert found[0] == ("opened", "page", "/about", 1)


def test_a_slow_drift_is_found_against_the_level_of_two_hours_where_the_course_is_known() -> None:
    start_ms = BEGIN_MS + 3 * 3_600_000
    drift = Incident("drift", start_ms, 3_600_000, 1.5)
    played = weeks(np.random.default_rng(12), 50.0, BEGIN_MS, 5 * 360, [drift])
    detector = Detector(SERIES, DetectorSettings())
    detector.follow(*hour_course(*hourly_history(np.random.default_rng(13), 50.0, BEGIN_MS, 336), 24))
    opened = [one for one in changes(play(played, detector)) if one.state == "opened"]
    assert [(one.series.measure, one.side, one.window_s) for one in opened[:1]] == [("hits", 1, 600)]
    assert opened[0].bucket_end_s - start_ms // 1000 < 1800


def test_an_anomaly_of_ten_minutes_closes_later_than_one_of_ten_seconds() -> None:
    """By the difference of the two rules: 24 buckets, for the same drift that ends at once."""
    drift = Incident("drift", BEGIN_MS + 3 * 3_600_000, 3_600_000, 1.5)
    played = weeks(np.random.default_rng(12), 50.0, BEGIN_MS, 5 * 360, [drift])
    history = hour_course(*hourly_history(np.random.default_rng(13), 50.0, BEGIN_MS, 336), 24)
    closed = []
    for slow in (6, 30):
        detector = Detector(SERIES, DetectorSettings(rules=Rules(close_after_slow=slow)))
        detector.follow(*history)
        found = [one for one in changes(play(played, detector)) if one.series.measure == "hits"]
        assert [(one.state, one.window_s) for one in found[:1]] == [("opened", 600)]
        closed.append(found[1].bucket_end_s)
    assert closed[1] - closed[0] == 240


def test_what_is_said_of_an_opening_can_be_computed_again() -> None:
    steps = play(site("surge"))
    (opened,) = [one for one in changes(steps) if one.state == "opened"]
    step = next(one for one in steps if opened in one.changes)
    assert opened.observed == step.observed[HITS] > opened.high
    assert (opened.expected, opened.low, opened.high) == (step.expected[HITS], step.low[HITS], step.high[HITS])
    assert opened.severity == "critical"
    # Expected: least squares of the 60 buckets before the surge, carried on to its first whole bucket.
    before = np.array([one.observed[HITS] for one in steps[480:540]])
    slope, intercept = np.polyfit(np.arange(60.0), before, 1)
    assert step.expected[HITS] == pytest.approx(intercept + slope * 60, rel=0.02)
    # Band: 1e-6 on each side of a negative binomial with the dispersion learnt and 8 % of spread.
    variance = 1.3 * opened.expected + (0.08 * opened.expected) ** 2
    low, high = count_band(np.array(opened.expected), np.array(variance), 1e-6)
    assert [opened.low, opened.high] == pytest.approx([float(low), float(high)], rel=0.05)


def test_an_unknown_bucket_is_shown_unknown_and_neither_opens_nor_closes() -> None:
    played = site("outage", 1.0)
    played.values[541:560] = np.nan
    steps = play(played)
    assert np.isnan(steps[545].observed).all()
    assert np.isnan(steps[545].ewma).all()
    assert not any(step.changes for step in steps[:560])
    assert told(steps[560:])[0] == ("opened", "hits", "", -1)


@pytest.mark.parametrize("value", [0.0, 1.0, 1e12], ids=["empty", "one a bucket", "huge"])
def test_constant_series_open_nothing(value: float) -> None:
    detector = Detector([Series("hits"), Series("page", "/a")], DetectorSettings())
    steps = [detector.step(10 * n, np.full(2, value)) for n in range(300)]
    assert told(steps) == []
    assert steps[-1].expected == pytest.approx(np.full(2, value), rel=1e-9, abs=0.01)


def test_a_single_bucket_and_no_series_at_all_are_no_error() -> None:
    assert np.isnan(Detector(SERIES, DetectorSettings()).step(0, np.zeros(len(SERIES)), 0.0).expected).all()
    assert Detector([], DetectorSettings()).step(0, np.zeros(0)).changes == []


def test_a_restarted_detector_goes_on_as_if_nothing_had_been() -> None:
    played = site("surge", hours=4)
    settings = DetectorSettings()
    whole = play(played)
    restarted = Detector(SERIES, settings)
    restarted.restore(played.starts_s[:900], played.values[:900], played.latency_count[:900])
    for one, other in zip(play(played, restarted, 900), whole[900:], strict=True):
        np.testing.assert_allclose(one.expected, other.expected, rtol=1e-9)
        np.testing.assert_allclose(one.high, other.high, rtol=1e-6)
        assert one.changes == other.changes


def test_a_restart_in_the_middle_of_an_incident_opens_nothing_anew_and_closes_what_is_open() -> None:
    played = site("outage", 1.0)
    stored = [OpenAnomaly(Series("hits"), -1, int(played.starts_s[540]), 10)]
    restarted = Detector(SERIES, DetectorSettings())
    restarted.restore(played.starts_s[:570], played.values[:570], played.latency_count[:570], None, stored)
    assert told(play(played, restarted, 570)) == [("closed", "hits", "", -1)]


def test_after_a_restart_an_anomaly_of_ten_minutes_is_still_judged_by_ten_minutes() -> None:
    """The buckets alone would open nothing, so nothing but what was stored tells its window."""
    played = site(hours=4)
    for window_s, buckets in ((10, 6), (600, 30)):
        detector = Detector(SERIES, DetectorSettings())
        stored = [OpenAnomaly(Series("hits"), 1, int(played.starts_s[950]), window_s)]
        detector.restore(played.starts_s[:1000], played.values[:1000], played.latency_count[:1000], None, stored)
        (closed,) = [one for one in changes(play(played, detector, 1000, 1100)) if one.series == Series("hits")]
        assert closed.bucket_end_s == int(played.starts_s[1000]) + 10 * buckets


def test_an_anomaly_that_was_dissolved_meanwhile_is_not_open_after_a_restart() -> None:
    played = site("outage", 1.0)
    restarted = Detector(SERIES, DetectorSettings())
    restarted.restore(played.starts_s[:570], played.values[:570], played.latency_count[:570], None, [])
    assert told(play(played, restarted, 570, 575))[:1] == [("opened", "hits", "", -1)]


def test_late_lines_that_fill_an_outage_leave_nothing_to_open() -> None:
    clean, empty = site(), site()
    empty.values[540:600] = 0.0
    empty.latency_count[540:600] = 0.0
    for played, found in ((empty, True), (clean, False)):
        steps = replay(SERIES, DetectorSettings(), played.starts_s, played.values, played.latency_count)
        assert bool(changes(steps)) is found


def test_a_page_that_takes_a_place_is_judged_by_its_own_past() -> None:
    played = site()
    detector = Detector(SERIES, DetectorSettings())
    play(played, detector, 0, 600)
    quiet = np.random.default_rng(14).poisson(5.0, 600).astype(np.float64)
    detector.replace(5, Series("page", "/new"), quiet)
    step = detector.step(int(played.starts_s[600]), played.values[600], float(played.latency_count[600]))
    assert step.expected[5] == pytest.approx(5.0, rel=0.3)
    values = played.values[601:604].copy()
    values[:, 5] = 100.0
    later = [detector.step(int(played.starts_s[601 + n]), values[n], 500.0) for n in range(3)]
    assert told(later) == [("opened", "page", "/new", 1)]


def test_a_step_of_35_series_takes_a_fraction_of_a_batch() -> None:
    played = site()
    detector = Detector(SERIES, DetectorSettings())
    play(played, detector, 0, 300)
    began = time.process_time()
    play(played, detector, 300, 600)
    assert (time.process_time() - began) / 300 < 0.020

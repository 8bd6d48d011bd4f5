"""The course of the day between the middles of hours, whose mean over each hour is the hour's value."""

from __future__ import annotations

import numpy as np
import pytest

from spark_jobs.trend_course import BUCKET_S, Course, Values


def course(*hours: float) -> Course:
    """Of one site with one series, from the epoch on."""
    return Course(3600 * np.arange(len(hours)), np.array(hours)[:, None, None])


def in_hour(of: Course, hour: int) -> Values:
    return np.array([of.at(3600 * hour + BUCKET_S * n)[0, 0] for n in range(360)])


def test_a_steady_climb_is_a_straight_line_through_the_middles_of_its_hours() -> None:
    climbing = course(10.0, 20.0, 30.0, 40.0)
    assert climbing.at(3600 + 1795)[0, 0] == pytest.approx(20.0)
    assert climbing.at(2 * 3600 - 5)[0, 0] == pytest.approx(25.0)
    assert climbing.bend(3600 + 1795)[0, 0] == 0.0


def test_the_mean_over_a_peak_is_the_peaks_value() -> None:
    peak = course(60.0, 80.0, 100.0, 80.0, 60.0)
    assert in_hour(peak, 2).mean() == pytest.approx(100.0, rel=0.02)  # 95 if the line went through 100
    assert peak.bend(2 * 3600 + 1800)[0, 0] == pytest.approx(0.4)


def test_before_its_first_hour_and_after_its_last_the_course_stays_even() -> None:
    two = course(10.0, 20.0)
    assert two.at(-90_000)[0, 0] == two.at(0)[0, 0]
    assert two.at(90_000)[0, 0] == pytest.approx(two.at(7200)[0, 0])


@pytest.mark.parametrize("hours", [(np.nan, 5.0, 5.0), (0.0, 0.0, 0.0)])
def test_a_series_with_an_unknown_hour_or_with_nothing_at_all_has_no_course(hours: tuple[float, ...]) -> None:
    none = course(*hours)
    assert not none.known.any()
    assert in_hour(none, 1).tolist() == [1.0] * 360


def test_an_hour_without_hits_does_not_divide_by_nothing() -> None:
    assert in_hour(course(0.0, 0.0, 100.0), 0).min() > 0.0

"""The detector of one site: what every series was expected to be, how wide its band was, and what is out of it.

    detector = Detector(series, DetectorSettings())
    detector.follow(hour_starts_s, hour_course(...))                          # once there is history, and when remade
    detector.restore(starts_s, values, latency_count, None, open_anomalies)   # the last memory_buckets
    step = detector.step(start_s, values, latency_count)                      # then every closed bucket
    step.expected, step.low, step.high, step.ewma                             # (series,) each
    for change in step.changes: ...                                           # opened, closed

Pure arithmetic on arrays: no clock, no chance, no database. All values are (series,) float64, NaN where unknown (the
stream was not alive). A known bucket without lines is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spark_jobs.trend_bands import amount_band, count_band
from spark_jobs.trend_course import BUCKET_S, Course
from spark_jobs.trend_ewma import ALPHA, ewma, ewma_step
from spark_jobs.trend_judge import Judge, Judgement, Measure, Rules

Values = NDArray[np.float64]
Severity = Literal["notice", "warning", "critical"]


@dataclass(frozen=True)
class Series:
    """One series of a site. ``value``: the path or country code of a page or country (hits), else empty."""

    measure: Measure
    value: str = ""


@dataclass(frozen=True)
class DetectorSettings:
    """What decides every band and anomaly; the same settings and buckets give the same result."""

    alpha: float = ALPHA
    rules: Rules = field(default_factory=Rules)
    memory_buckets: int = 1080  # what ``restore`` needs


@dataclass(frozen=True)
class OpenAnomaly:
    """An anomaly as it was stored, to go on from after a restart."""

    series: Series
    side: Literal[1, -1]
    first_bucket_start_s: int
    window_s: int


@dataclass(frozen=True)
class Change:
    """An anomaly opens or closes. Values are of the window that ends at ``bucket_end_s`` and decided it."""

    state: Literal["opened", "closed"]
    number: int  # of the series, in the order given to the detector
    series: Series
    side: Literal[1, -1]  # above or below the band
    first_bucket_start_s: int  # first bucket outside: when it began
    bucket_end_s: int  # end of the bucket that decided; the earliest moment anybody could know
    window_s: int  # length of the window compared: 10, or longer where counts are small or the change is slow
    observed: float
    expected: float
    low: float
    high: float
    severity: Severity


@dataclass(frozen=True)
class Step:
    """One bucket of a site; arrays are (series,), NaN where unknown or not enough history.

    mean_latency_us is in microseconds a line, everything else sums of the 10 s bucket.
    """

    start_s: int
    observed: Values
    ewma: Values
    expected: Values
    low: Values
    high: Values
    changes: Sequence[Change]


class Detector:
    """See the module. ``series`` holds "hits" once; the order is the order of all arrays."""

    def __init__(self, series: Sequence[Series], settings: DetectorSettings) -> None:
        self.series = tuple(series)
        self.settings = settings
        self._judge = Judge([one.measure for one in self.series], 1, settings.rules)
        self._latency = [n for n, one in enumerate(self.series) if one.measure == "mean_latency_us"]
        self._ewma = np.full(len(self.series), np.nan)

    def follow(self, hour_starts_s: NDArray[np.int64], course: Values) -> None:
        """Divide everything by an expected course of the day from now on, and what is remembered too.

        hour_starts_s: (h,) consecutive hours, from before the oldest remembered bucket to as far ahead as the course
        shall be used (beyond its ends it stays even); course: (h, series), expected values of each hour
        (``trend_forecast.hour_course``), NaN where a series has none. Only its shape matters, not its height.
        """
        self._judge.follow(Course(hour_starts_s, course[:, None, :]))

    def step(self, start_s: int, values: Values, latency_count: float = np.nan) -> Step:
        """Take in one closed bucket; buckets come in order and without gaps (unknown ones as NaN).

        values: (series,) sums; of "mean_latency_us" the sum of latencies in microseconds, whose number is
        ``latency_count``.
        """
        observed = self._means(values, latency_count)
        judged = self._judge.step(start_s, observed[None, :], np.array([latency_count]))
        self._ewma = ewma_step(self._ewma, observed, self.settings.alpha)
        low, high = self._band(judged, 0)
        return Step(
            start_s=start_s,
            observed=observed,
            ewma=np.where(np.isnan(observed), np.nan, self._ewma),
            expected=judged.windows.expected[0, 0],
            low=low,
            high=high,
            changes=self._changes(start_s, judged),
        )

    def restore(
        self,
        starts_s: NDArray[np.int64],
        values: Values,
        latency_count: Values,
        course: tuple[NDArray[np.int64], Values] | None = None,
        open_anomalies: Sequence[OpenAnomaly] = (),
    ) -> None:
        """Take in the last ``memory_buckets`` before the first ``step``, reporting nothing; then open what was open.

        starts_s: (n,) in a row; values: (n, series); latency_count: (n,); course: as for ``follow``.
        What the buckets themselves would open or close is overruled by ``open_anomalies``.
        """
        if course is not None:
            self.follow(*course)
        for place, start_s in enumerate(starts_s.tolist()):
            observed = self._means(values[place], float(latency_count[place]))
            self._judge.step(start_s, observed[None, :], latency_count[place : place + 1])
            self._ewma = ewma_step(self._ewma, observed, self.settings.alpha)
        numbers = {one: n for n, one in enumerate(self.series)}
        self._judge.set_open(
            [
                (
                    numbers[one.series], one.side, one.first_bucket_start_s // BUCKET_S,
                    self._judge.window_buckets.index(one.window_s // BUCKET_S),
                )
                for one in open_anomalies
                if one.series in numbers
            ]
        )  # fmt: skip

    def replace(self, number: int, series: Series, values: Values) -> None:
        """Put another page or country in a place: values are its last buckets (n,), up to the last step.

        It begins with nothing open and no course of the day.
        """
        self.series = (*self.series[:number], series, *self.series[number + 1 :])
        averages = ewma(values, self.settings.alpha)
        known = averages[~np.isnan(averages)]
        self._ewma[number] = known[-1] if len(known) else np.nan
        self._judge.replace(number, values)

    def _means(self, values: Values, latency_count: float) -> Values:
        observed = np.array(values, np.float64)
        for place in self._latency:
            observed[place] = observed[place] / latency_count if latency_count > 0 else np.nan
        return observed

    def _band(self, judged: Judgement, window: int) -> tuple[Values, Values]:
        low, high = np.full((2, len(self.series)), np.nan)
        tail = self.settings.rules.tails[window]
        amount = self._judge.amount[0]
        for chosen, band in ((~amount, count_band), (amount, amount_band)):
            if chosen.any():
                low[chosen] = band(judged.low_mean[window, 0, chosen], judged.low_variance[window, 0, chosen], tail)[
                    0
                ]
                high[chosen] = band(
                    judged.high_mean[window, 0, chosen], judged.high_variance[window, 0, chosen], tail
                )[1]
        return low, high

    def _changes(self, start_s: int, judged: Judgement) -> list[Change]:
        changes: list[Change] = []
        for state, flags in (("opened", judged.opened[0]), ("closed", judged.closed[0])):
            for number in np.flatnonzero(flags).tolist():
                window = int(judged.window[0, number])
                low, high = self._band(judged, window)
                shown = judged.windows
                change = Change(
                    state="opened" if state == "opened" else "closed",
                    number=number,
                    series=self.series[number],
                    side=1 if judged.side[0, number] > 0 else -1,
                    first_bucket_start_s=int(judged.first[0, number]) * BUCKET_S,
                    bucket_end_s=start_s + BUCKET_S,
                    window_s=self._judge.window_buckets[window] * BUCKET_S,
                    observed=float(shown.observed[window, 0, number]) / self._judge.per(window, number),
                    expected=float(shown.expected[window, 0, number]) / self._judge.per(window, number),
                    low=float(low[number]) / self._judge.per(window, number),
                    high=float(high[number]) / self._judge.per(window, number),
                    severity="notice",
                )
                changes.append(replace(change, severity=severity(change)))
        return changes


def severity(change: Change) -> Severity:
    """How far outside: the distance from what was expected, in widths of the band on that side."""
    width = change.high - change.expected if change.side > 0 else change.expected - change.low
    times = abs(change.observed - change.expected) / max(width, 1e-9)
    return "critical" if times >= 3 else "warning" if times >= 1.5 else "notice"


def replay(
    series: Sequence[Series],
    settings: DetectorSettings,
    starts_s: NDArray[np.int64],
    values: Values,
    latency_count: Values,
) -> list[Step]:
    """All steps from scratch: what late lines are judged by (shapes as in ``Detector.restore``)."""
    detector = Detector(series, settings)
    return [
        detector.step(start_s, values[place], float(latency_count[place]))
        for place, start_s in enumerate(starts_s.tolist())
    ]

"""How well incidents are found: generated weeks with and without them, on bucket arrays, without services.

    python -m benchmarks.backtest                      # the reported figures
    python -m benchmarks.backtest --seed 7 --weeks 2   # other weeks, fewer

Every week is played as seven days, each after a lead-in of three hours that is not judged: what a restarted
detector reads. The course of the day comes from two generated weeks before. Seeds from 1,000,000 on were for tuning
only. An alarm is the opening of an anomaly; a true one opens between the start of an incident and two minutes after
its end.
Exit code 1 when a figure is below its bar.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.bucket_weeks import BUCKET_MS, HOUR_BUCKETS, SERIES, hourly_history, weeks
from benchmarks.forecast_weeks import Scored, score_rate
from producers.incidents import KINDS, Incident, Kind, draw_incidents
from producers.site_model import PAGES
from spark_jobs.trend_course import Course
from spark_jobs.trend_forecast import hour_course
from spark_jobs.trend_judge import Judge, Rules

RATES = (1.0, 50.0, 2000.0)
BARRED_RATES = (50.0, 2000.0)
BARRED_KINDS: tuple[Kind, ...] = ("surge", "outage", "errors", "attack")
MONDAY_MS = 1_794_787_200_000
LEAD_IN = 3 * HOUR_BUCKETS
DAY = 24 * HOUR_BUCKETS
INCIDENTS_A_DAY = 4
AFTERWARDS_MS = 120_000
HISTORY_HOURS = 336
WEEKS_OF_A_JOB = 3
out = Console(width=120)


@dataclass(frozen=True)
class Alarm:
    """An opened anomaly: when (end of the bucket), of which series, on which side, seen in which window."""

    at_ms: int
    series: int
    side: int
    window: int

    @property
    def claims(self) -> Kind | None:
        """What it takes the incident for; None: something of a country, bytes or latency."""
        measure = SERIES[self.series].measure
        if measure == "hits":
            return "drift" if self.window == 2 else "surge" if self.side > 0 else "outage"
        found: dict[str, Kind] = {"server_errors": "errors", "client_errors": "attack", "page": "viral"}
        return found.get(measure)


@dataclass(frozen=True)
class SiteDay:
    """What happened on a site on one day, and what was said about it."""

    rate: float
    incidents: Sequence[Incident]
    alarms: Sequence[Alarm]


@dataclass(frozen=True)
class Job:
    """Weeks of one rate that are judged together."""

    rate: float
    with_incidents: bool
    seed: int
    weeks: range

    def rng(self, week: int, part: int) -> np.random.Generator:
        """Of a day (0 to 6) or of the weeks before (7)."""
        return np.random.default_rng((self.seed, int(self.rate * 1000), self.with_incidents, week, part))


def fits(alarm: Alarm, incident: Incident) -> bool:
    """Whether the alarm is about the right thing, not only at the right time."""
    measure = SERIES[alarm.series].measure
    up = alarm.side > 0
    return {
        "surge": up and measure in ("hits", "page"),
        "outage": not up and measure == "hits",
        "errors": measure == "server_errors",
        "attack": up and measure in ("client_errors", "hits"),
        "drift": up and measure == "hits",
        "viral": up and measure in ("hits", "page"),
    }[incident.kind]


def during(alarm: Alarm, incident: Incident) -> bool:
    """Whether it opens in the time of the incident."""
    return incident.start_ms < alarm.at_ms <= incident.end_ms + AFTERWARDS_MS


def play(job: Job) -> list[SiteDay]:
    """Generate the weeks and judge their days, all side by side."""
    begins_ms = [MONDAY_MS + day * DAY * BUCKET_MS for day in range(7)]
    days = []
    for week in job.weeks:
        for day, begin_ms in enumerate(begins_ms):
            rng = job.rng(week, day)
            plan: list[Incident] = []
            if job.with_incidents:
                plan = draw_incidents(rng, begin_ms, begin_ms + (DAY - 30) * BUCKET_MS, INCIDENTS_A_DAY, PAGES)
            days.append(weeks(rng, job.rate, begin_ms - LEAD_IN * BUCKET_MS, LEAD_IN + DAY, plan))
    values = np.stack([one.values for one in days], axis=1)
    lines = np.stack([one.latency_count for one in days], axis=1)
    latency = [one.measure for one in SERIES].index("mean_latency_us")
    with np.errstate(invalid="ignore", divide="ignore"):
        values[:, :, latency] = np.where(lines > 0, values[:, :, latency] / lines, np.nan)

    # Every day begins three hours early; all share one clock, which begins with the first of them.
    judge = Judge([one.measure for one in SERIES], len(days), Rules())
    hours = (LEAD_IN + DAY) // HOUR_BUCKETS + 2
    courses = []
    for week in job.weeks:
        hours_s, sums = hourly_history(job.rng(week, 7), job.rate, MONDAY_MS, HISTORY_HOURS)
        course_s, course = hour_course(hours_s, sums, ahead=7 * 24 + 4)
        for begin_ms in begins_ms:
            first = int(np.searchsorted(course_s, begin_ms // 1000)) - LEAD_IN // HOUR_BUCKETS - 1
            courses.append(course[first : first + hours])
    judge.follow(Course(3600 * np.arange(-1, hours - 1), np.stack(courses, axis=1)))
    alarms: list[list[Alarm]] = [[] for _ in days]
    for place in range(LEAD_IN + DAY):
        judged = judge.step(10 * place, values[place], lines[place])
        if place < LEAD_IN or not judged.opened.any():
            continue
        for site, number in zip(*(axis.tolist() for axis in np.nonzero(judged.opened)), strict=True):
            at_ms = int(days[site].starts_s[place]) * 1000 + BUCKET_MS
            side, window = int(judged.side[site, number]), int(judged.window[site, number])
            alarms[site].append(Alarm(at_ms, number, side, window))
    return [SiteDay(job.rate, one.incidents, tuple(found)) for one, found in zip(days, alarms, strict=True)]


@dataclass(frozen=True)
class Figures:
    """One line of the table: a kind of incident at a rate."""

    rate: float
    kind: Kind
    incidents: int
    recall: float
    within_30_minutes: float
    steep_within_30_minutes: float  # of those that change the hits by at least 15 % in that time
    precision: float
    delays_s: Sequence[float]
    rows: float  # anomalies opened per incident found
    false_a_day: float

    def delay(self, share: float) -> float:
        """Quantile of the detection delay in seconds."""
        return float(np.quantile(self.delays_s, share, method="higher")) if self.delays_s else float("nan")


def figures(days: Sequence[SiteDay], rate: float, kind: Kind) -> Figures:
    """Score one kind at one rate over all its days."""
    delays: list[float] = []
    number = rows = false = true = steep = steep_found = 0
    own = [day for day in days if day.rate == rate]
    for day in own:
        for incident in (one for one in day.incidents if one.kind == kind):
            number += 1
            found = [alarm for alarm in day.alarms if during(alarm, incident)]
            rows += len(found)
            true += len(found)
            right = [(alarm.at_ms - incident.start_ms) / 1000 for alarm in found if fits(alarm, incident)]
            delays += [min(right)] if right else []
            if abs(incident.size - 1.0) * 1800 / (incident.duration_ms / 1000) >= 0.15:
                steep += 1
                steep_found += bool(right) and min(right) <= 1800
        for alarm in day.alarms:
            false += alarm.claims == kind and not any(during(alarm, one) for one in day.incidents)
    return Figures(
        rate, kind, number, len(delays) / max(number, 1), sum(one <= 1800 for one in delays) / max(number, 1),
        steep_found / max(steep, 1),
        true / max(true + false, 1), delays, rows / max(len(delays), 1), false / len(own),
    )  # fmt: skip


def false_alarms_a_week(days: Sequence[SiteDay], rate: float) -> tuple[int, float]:
    """(number, a week and site) on days without incidents, all series together."""
    clean = [day for day in days if day.rate == rate and not day.incidents]
    number = sum(len(day.alarms) for day in clean)
    return number, number / max(len(clean), 1) * 7


def report(days: Sequence[SiteDay]) -> bool:
    """Print the tables; True when all bars are held."""
    held = True
    table = Table(title="Incidents found, by kind and rate")
    for column in (
        "hits/s", "incident", "number", "recall", "in 30 min", "steep in 30 min", "precision", "delay p50 s", "p95 s",
        "max s", "rows each", "false a day",
    ):  # fmt: skip
        table.add_column(column, justify="left" if column == "incident" else "right")
    for rate in sorted({day.rate for day in days}):
        for kind in KINDS:
            one = figures(days, rate, kind)
            good = True
            if rate in BARRED_RATES and kind in BARRED_KINDS:
                good = one.recall >= 0.95 and one.precision >= 0.9 and one.delay(0.95) <= 30
            elif rate in BARRED_RATES and kind == "drift":
                good = one.steep_within_30_minutes >= 0.95
            held &= good
            table.add_row(
                f"{rate:g}", kind, str(one.incidents), f"{one.recall:.3f}", f"{one.within_30_minutes:.3f}",
                f"{one.steep_within_30_minutes:.3f}" if kind == "drift" else "",
                f"{one.precision:.3f}", *(f"{one.delay(q):.0f}" for q in (0.5, 0.95, 1.0)), f"{one.rows:.2f}",
                f"{one.false_a_day:.3f}", style=None if good else "red",
            )  # fmt: skip
        table.add_section()
    out.print(table)
    table = Table(title="Days without incidents, all 35 series together")
    for column in ("hits/s", "site weeks", "false alarms", "a week and site"):
        table.add_column(column, justify="right")
    for rate in sorted({day.rate for day in days}):
        number, weekly = false_alarms_a_week(days, rate)
        weeks_played = sum(day.rate == rate and not day.incidents for day in days) / 7
        held &= rate not in BARRED_RATES or weekly <= 1
        table.add_row(f"{rate:g}", f"{weeks_played:g}", str(number), f"{weekly:.2f}")
    out.print(table)
    return held


def report_forecasts(scores: Sequence[Scored]) -> bool:
    """Print the forecasts' table; True when the bars are held for the hits."""
    held = True
    table = Table(title="Forecasts of the next 24 hours over two weeks, remade daily")
    for column in ("hits/s", "series", "history", "plain rule", "MAE", "plain MAE", "below", "coverage of 95 %"):
        table.add_column(column, justify="left" if column in ("series", "history", "plain rule") else "right")
    for one in scores:
        good = one.series != "hits" or (one.better >= 0.2 and 0.92 <= one.coverage <= 0.98)
        held &= good
        table.add_row(
            f"{one.rate:g}", one.series, "from 48 h on" if one.history_hours == 48 else "8 weeks",
            "a day ago" if one.season_hours == 24 else "a week ago", f"{one.error:,.1f}", f"{one.naive_error:,.1f}",
            f"{one.better:.0%}", f"{one.coverage:.3f}", style=None if good else "red",
        )  # fmt: skip
    out.print(table)
    return held


def main(
    seed: Annotated[int, typer.Option(help="Seed of the weeks; below 1,000,000 was never tuned on.")] = 1959,
    weeks_each: Annotated[int, typer.Option("--weeks", min=1, help="Weeks with and as many without, per rate.")] = 3,
    rate: Annotated[list[float] | None, typer.Option(help="Hits a second; may be given again.")] = None,
    details: Annotated[bool, typer.Option(help="List missed incidents and false alarms.")] = False,
) -> None:
    """Play the weeks, print what was found how soon, and what was none."""
    began = time.monotonic()
    jobs = [
        Job(one, with_incidents, seed, range(first, min(first + WEEKS_OF_A_JOB, weeks_each)))
        for one in rate or RATES
        for with_incidents in (True, False)
        for first in range(0, weeks_each, WEEKS_OF_A_JOB)
    ]
    forecasts = [(one, seed, MONDAY_MS) for one in rate or RATES]
    with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, 8)) as pool:
        played = track(pool.map(play, jobs), "playing weeks", total=len(jobs), console=out)
        days = [day for week in played for day in week]
        scores = [one for found in pool.map(score_rate, *zip(*forecasts, strict=True)) for one in found]
    held = report(days) & report_forecasts(scores)
    if details:
        show_details(days)
    out.print(f"{len(days) // 7} weeks in {time.monotonic() - began:.0f} s; all bars held: {'yes' if held else 'no'}")
    raise typer.Exit(0 if held else 1)


def show_details(days: Sequence[SiteDay]) -> None:
    """What went wrong, one line each."""
    for day in days:
        for incident in day.incidents:
            found = [one for one in day.alarms if during(one, incident) and fits(one, incident)]
            late = 1800 if incident.kind == "drift" else 30
            if not found or min(one.at_ms for one in found) - incident.start_ms > late * 1000:
                delays = [(one.at_ms - incident.start_ms) // 1000 for one in found]
                out.print(
                    f"missed or late: {day.rate:g}/s {incident.kind} of {incident.size} over "
                    f"{incident.duration_ms / 60_000:.0f} min at {_clock(incident.start_ms)}: {delays}"
                )
        for alarm in day.alarms:
            if not any(during(alarm, one) for one in day.incidents):
                series = SERIES[alarm.series]
                before = [(alarm.at_ms - one.end_ms) // 1000 for one in day.incidents if one.end_ms < alarm.at_ms]
                out.print(
                    f"false: {day.rate:g}/s {series.measure} {series.value} {alarm.side:+d} window {alarm.window} at "
                    f"{_clock(alarm.at_ms)}, {min(before, default='no incident')} s after an incident"
                )


def _clock(at_ms: int) -> str:
    return time.strftime("%a %H:%M:%S", time.gmtime(at_ms / 1000))


if __name__ == "__main__":
    typer.run(main)

"""Which of the series that leave their bands together is the incident, and which are parts of it."""

from __future__ import annotations

from collections.abc import Iterable

from spark_jobs.followed_site import Incident
from spark_jobs.trend_detector import Change
from spark_jobs.trend_judge import Measure

# Series of one cause leave their bands within this time of each other: windows differ, small counts take longer.
TOGETHER_S = 120
# While there are more (or fewer) visitors, every page, every country and the bytes follow.
VOLUME: frozenset[Measure] = frozenset({"hits", "bytes_sent", "page", "country"})


def by_prominence(changes: Iterable[Change]) -> list[Change]:
    """The site's totals first, and of those the one that is farthest outside, in half widths of its band."""
    return sorted(changes, key=lambda one: (one.series.measure in ("page", "country"), -_distance(one), one.number))


def head_of(change: Change, incidents: Iterable[Incident]) -> int | None:
    """The open incident that an opening belongs to; None when it is one of its own."""
    heads = [
        incident
        for incident in incidents
        if incident.is_open
        and incident.head_id is None
        and (
            change.bucket_end_s - incident.opened_s <= TOGETHER_S
            or (change.series.measure in VOLUME and incident.series.measure in VOLUME)
        )
    ]
    return max(heads, key=lambda one: one.opened_s).anomaly_id if heads else None


def _distance(change: Change) -> float:
    width = change.high - change.expected if change.side > 0 else change.expected - change.low
    return abs(change.observed - change.expected) / max(width, 1e-9)

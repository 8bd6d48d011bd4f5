"""What the follower of live sites reads from Postgres and writes to it; every turn is one transaction of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from spark_jobs.hour_history import HourHistory, read_history
from spark_jobs.lease import hold_lease
from spark_jobs.standstill import Standstill
from spark_jobs.trend_course import BUCKET_S
from spark_jobs.trend_detector import Change, Series
from spark_jobs.trend_explanation import explain
from sql.warehouse import Cursor, Row, Warehouse, rows, run

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Stored:
    """Everything that following goes on from, as of one moment."""

    positions: Mapping[int, int]  # by Kafka partition: batches up to here are in the sums
    sums: Sequence[Row]  # sql/trends/recent_sums.sql
    sites: Sequence[Row]  # sql/trends/followed_sites.sql
    series: Mapping[int, tuple[str, Series]]  # by series_id: site and series
    standstills: Sequence[Standstill]
    anomalies: Sequence[Row]  # sql/trends/recent_anomalies.sql
    judged_until: float | None  # epoch seconds
    records_lost: bool  # since then


class TrendWriter:
    """Reads and writes under one fencing epoch; raises Fenced once a newer launch holds the lease."""

    def __init__(self, warehouse: Warehouse, topic_id: UUID, epoch: int) -> None:
        self._warehouse = warehouse
        self._topic_id = str(topic_id)
        self._epoch = epoch
        self._series_ids: dict[tuple[str, Series], int] = {}

    def read(self, since_s: float) -> Stored:
        """What is stored of the time since then, of one snapshot."""
        since = {"since": datetime.fromtimestamp(since_s, UTC)}
        with self._warehouse.transaction("REPEATABLE READ") as cursor:
            positions = rows(cursor, "stream/read_positions", {"topic_id": self._topic_id})
            known = rows(cursor, "trends/read_series")
            (judged,) = rows(cursor, "trends/judged_until")
            series = {
                row["series_id"]: (row["site"], Series(row["series_kind"], row["series_name"])) for row in known
            }
            self._series_ids = {one: series_id for series_id, one in series.items()}
            return Stored(
                positions={row["kafka_partition"]: row["next_offset"] for row in positions},
                sums=rows(cursor, "trends/recent_sums", since),
                sites=rows(cursor, "trends/followed_sites"),
                series=series,
                standstills=[Standstill(**row) for row in rows(cursor, "trends/read_standstills", since)],
                anomalies=rows(cursor, "trends/recent_anomalies", since),
                judged_until=judged["judged_until"],
                records_lost=judged["records_lost"],
            )

    def hours(self, as_of_s: float) -> dict[str, HourHistory]:
        """Published hours by site."""
        return read_history(self._warehouse, datetime.fromtimestamp(as_of_s, UTC))

    @contextmanager
    def turn(self) -> Iterator[TurnWriter]:
        """One transaction: all that a turn finds becomes visible together or not at all."""
        with self._warehouse.transaction() as cursor:
            yield TurnWriter(cursor, self._series_ids)
            hold_lease(cursor, self._epoch)  # last, so that no batch waits for it longer than the COMMIT

    def say_failed(self, words: str) -> None:
        self._warehouse.run("trends/note_error", {"last_error": words[:500]})


class TurnWriter:
    """The statements of one turn."""

    def __init__(self, cursor: Cursor, series_ids: dict[tuple[str, Series], int]) -> None:
        self._cursor = cursor
        self._series_ids = series_ids

    def standstill(self, span: Standstill) -> None:
        self._run("add_standstill", start_s=span.start_s, end_s=span.end_s, records_lost=span.records_lost)

    def follow(self, site: str, since_bucket: int) -> None:
        self._run("follow_site", site=site, followed_since=since_bucket * BUCKET_S)

    def unfollow(self, site: str, now_s: float) -> None:
        self._run("unfollow_site", site=site, closed_at=now_s)

    def bucket(self, site: str, start_s: int, series: Sequence[Series], bands: Sequence[Values]) -> None:
        """bands: expected, low, high, each (series,)."""
        self._run(
            "add_bucket", site=site, bucket_start=start_s, series_ids=self._ids(site, series), **_arrays(bands)
        )  # fmt: skip

    def live_forecast(self, site: str, end_s: int, series: Sequence[Series], bands: Sequence[Values]) -> None:
        """bands: expected, low, high, each (steps, series)."""
        self._run(
            "set_live_forecast", site=site, history_end=end_s, steps=len(bands[0]),
            series_ids=self._ids(site, series), **_arrays([band.T.ravel() for band in bands]),
        )  # fmt: skip

    def opened(self, site: str, change: Change, peak: float, head_id: int | None) -> int:
        """Write a new incident with what explains it; returns its id."""
        (written,) = rows(
            self._cursor,
            "trends/open_anomaly",
            {
                "site": site,
                "series_kind": change.series.measure,
                "series_name": change.series.value,
                "started_s": change.first_bucket_start_s,
                "opened_s": change.bucket_end_s,
                "window_seconds": change.window_s,
                "direction": "above" if change.side > 0 else "below",
                "severity": change.severity,
                "observed": change.observed,
                "expected": change.expected,
                "band_low": change.low,
                "band_high": change.high,
                "peak": peak,
                "contributors": json.dumps(self._explanation(site, change)),
                "head_id": head_id,
            },
        )
        return int(written["anomaly_id"])

    def closed(self, anomaly_id: int, end_s: int) -> None:
        self._run("close_anomaly", anomaly_id=anomaly_id, closed_at=end_s)

    def peak(self, anomaly_id: int, peak: float) -> None:
        self._run("move_peak", anomaly_id=anomaly_id, peak=peak)

    def dissolved(self, anomaly_id: int) -> None:
        self._run("dissolve_anomaly", anomaly_id=anomaly_id)

    def done(self, alpha: float, judged_until_s: int, seconds: float) -> None:
        self._run("note_run", alpha=alpha, judged_until=judged_until_s, last_run_seconds=seconds)

    def _explanation(self, site: str, change: Change) -> list[dict[str, Any]]:
        end_s = change.bucket_end_s
        length_s = max(end_s - change.first_bucket_start_s, change.window_s)
        measure, value = change.series.measure, change.series.value
        cells = rows(
            self._cursor,
            "trends/contributing_cells",
            {
                "site": site,
                "path": value if measure == "page" else None,
                "country": value if measure == "country" else None,
                "start_s": end_s - 2 * length_s,
                "middle_s": end_s - length_s,
                "end_s": end_s,
                "measure": "latency_us" if measure == "mean_latency_us" else measure,
            },
        )
        return explain(cells, is_mean=measure == "mean_latency_us")

    def _ids(self, site: str, series: Sequence[Series]) -> list[int]:
        for one in series:
            if (site, one) not in self._series_ids:
                (added,) = rows(
                    self._cursor,
                    "trends/add_series",
                    {"site": site, "series_kind": one.measure, "series_name": one.value},
                )
                self._series_ids[site, one] = added["series_id"]
        return [self._series_ids[site, one] for one in series]

    def _run(self, name: str, **parameters: Any) -> None:
        run(self._cursor, f"trends/{name}", parameters)


def _arrays(bands: Sequence[Values]) -> dict[str, list[float | None]]:
    names = ("expected_values", "band_lows", "band_highs")
    return {
        name: [value if np.isfinite(value) else None for value in band.tolist()]
        for name, band in zip(names, bands, strict=True)
    }

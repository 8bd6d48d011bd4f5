"""What becomes of closed buckets in Postgres: bands, incidents, standstills; and that nothing is done twice."""

from __future__ import annotations

import gc
import logging
import re
import time
import weakref
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from settings import CHECKOUT, Settings
from spark_jobs.lease import take_lease
from spark_jobs.site_series import SiteMemory
from spark_jobs.trend_detector import DetectorSettings
from spark_jobs.trend_follower import TrendFollower
from spark_jobs.trend_thread import TrendThread
from spark_jobs.trend_writer import TrendWriter
from sql.warehouse import Warehouse
from tests.spark_jobs.conftest import Ask
from tests.sql.counted_traffic import TOPIC_ID, Cell, CountedTraffic, at, select

pytestmark = pytest.mark.services

NOON_S = int(at("12:00:00").timestamp())
CLOSE_AFTER_S = 3.0
Bucket = Sequence[Cell]


def usual(random: np.random.Generator, hits: float = 200.0, site: str = "shop") -> list[Cell]:
    """A bucket of a calm site: Poisson counts on four pages, 4 % of them not found."""
    return [
        Cell("", path, country, status, int(number), site)
        for path, share in (("/", 0.5), ("/news", 0.3), ("/about", 0.16), ("/promo", 0.04))
        for country, part in (("DE", 0.7), ("FR", 0.3))
        for status, much in ((2, 0.96), (4, 0.04))
        if (number := random.poisson(hits * share * part * much))
    ]


class Live:
    """A stream job's clock and batches: every bucket is one batch, counted right after its end."""

    def __init__(self, settings: Settings, ask: Ask) -> None:
        self.traffic = CountedTraffic(settings)
        self.settings = settings
        self.ask = ask
        self.random = np.random.default_rng(4)
        self.now_s = float(NOON_S)
        self.bucket = NOON_S // 10
        self.launch()

    def launch(self) -> None:
        """A driver takes over."""
        lease = take_lease(self.traffic.warehouse, "test", "footfall-stream-test")
        self.writer = TrendWriter(
            Warehouse(self.settings.dsn("footfall_writer"), "footfall-stream-test"), UUID(TOPIC_ID), lease.epoch
        )
        self.follower = TrendFollower(self.writer, lambda: self.now_s, DetectorSettings(), CLOSE_AFTER_S)

    def count(self, bucket: int, cells: Bucket) -> None:
        """Commit a batch of lines of one bucket, and tell the follower."""
        timed = [
            Cell(at_text(bucket), c.path, c.country, c.status_class, c.hits, c.site, c.agent_class) for c in cells
        ]
        self.traffic.batch(*timed)
        self.follower.counted(table(bucket, timed), {0: self.traffic.next_offset})

    def go_on(self, *buckets: Bucket) -> int:
        """Let so many buckets pass, each counted in time; returns how many were judged."""
        judged = 0
        for cells in buckets:
            if cells:
                self.count(self.bucket, cells)
            self.bucket += 1
            self.now_s = self.bucket * 10 + CLOSE_AFTER_S + 1
            judged += self.follower.turn(self.now_s)
        return judged

    def calm(self, buckets: int) -> int:
        return self.go_on(*(usual(self.random) for _ in range(buckets)))

    def incidents(self) -> list[dict[str, Any]]:
        return self.ask(
            "SELECT series_kind, series_name, state, direction, contributors, head_id FROM report.anomaly"
            " ORDER BY anomaly_id"
        )


def at_text(bucket: int) -> str:
    return str(np.datetime64(bucket * 10, "s"))


def table(bucket: int, cells: Bucket) -> pa.Table:
    """The cells as a committed batch hands them on."""
    return pa.table(
        {
            "bucket_start": pa.array([bucket * 10] * len(cells), pa.int64()),
            "site": [cell.site for cell in cells],
            "path": [cell.path for cell in cells],
            "country": [cell.country for cell in cells],
            "status_class": pa.array([cell.status_class for cell in cells], pa.int32()),
            "agent_class": [cell.agent_class for cell in cells],
            "hits": pa.array([cell.hits for cell in cells], pa.int64()),
            "bytes_sent": pa.array([100 * cell.hits for cell in cells], pa.int64()),
            "latency_us_sum": pa.array([2000 * cell.hits for cell in cells], pa.int64()),
            "latency_count": pa.array([cell.hits for cell in cells], pa.int64()),
        }
    )


@pytest.fixture
def live(fresh_database: Settings, ask: Ask) -> Iterator[Live]:
    one = Live(fresh_database, ask)
    yield one
    one.traffic.warehouse.close()


SURGE = [Cell("", "/promo", "DE", 2, 800)]


def test_a_surge_on_one_page_opens_one_incident_that_names_the_page_first(live: Live) -> None:
    live.calm(40)
    assert live.incidents() == []
    live.go_on(*([*usual(live.random), *SURGE] for _ in range(4)))
    heads = [one for one in live.incidents() if one["head_id"] is None]
    assert [(one["state"], one["direction"]) for one in heads] == [("open", "above")]
    assert heads[0]["contributors"][0]["dimension"] == "page"
    assert heads[0]["contributors"][0]["value"] == "/promo"
    live.calm(12)
    assert {one["state"] for one in live.incidents()} == {"closed"}
    assert live.calm(30) == 30
    assert len([one for one in live.incidents() if one["head_id"] is None]) == 1


def test_a_reader_computes_what_was_expected_again_with_the_query_of_the_page_about_trends(live: Live) -> None:
    live.calm(100)
    live.go_on(*([*usual(live.random), *SURGE] for _ in range(4)))
    live.bucket += 400  # more than the hour that the live view shows
    live.calm(2)
    page = (CHECKOUT / "docs" / "trends.md").read_text(encoding="utf-8")
    query = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)[1].replace("'default'", "'shop'")
    with Warehouse(live.settings.dsn("footfall_reader"), "test-reader") as reader:
        ((again, then, dispersion),) = select(reader, query)
    assert then == pytest.approx(200, rel=0.1)
    assert again == pytest.approx(then, rel=1e-6)
    assert 0.4 < dispersion < 2.5


def test_a_restarted_driver_neither_opens_nor_judges_anything_twice(live: Live) -> None:
    live.calm(40)
    live.go_on(*([*usual(live.random), *SURGE] for _ in range(4)))
    before = live.ask("SELECT count(*)::int AS n FROM stream.trend_bucket"), live.incidents()
    assert before[1]
    live.launch()
    assert live.follower.turn(live.now_s) == 0
    assert (live.ask("SELECT count(*)::int AS n FROM stream.trend_bucket"), live.incidents()) == before
    live.go_on([*usual(live.random), *SURGE])
    assert len(live.incidents()) == len(before[1])
    live.calm(12)
    assert {one["state"] for one in live.incidents()} == {"closed"}


def test_an_older_driver_cannot_write_any_more(live: Live) -> None:
    live.calm(3)
    older = live.follower
    live.launch()
    live.now_s += 10
    with pytest.raises(Exception, match="fenced"):
        older.turn(live.now_s)


def test_every_closed_bucket_is_judged_once_and_the_bands_are_kept(live: Live) -> None:
    assert live.calm(40) == 39  # the first one made the site live
    assert live.ask(
        "SELECT count(*)::int AS n, min(bucket_start) AS first FROM report.trend_band WHERE series_kind = 'hits'"
    ) == [{"n": 39, "first": at("12:00:10")}]
    (row,) = live.ask(
        "SELECT observed, is_known, ewma > 150 AS near, band_low < observed AND observed < band_high AS inside"
        " FROM report.live_trend WHERE series_kind = 'hits' ORDER BY bucket_start DESC LIMIT 1"
    )
    assert (row["is_known"], row["near"], row["inside"]) == (True, True, True)
    assert live.ask("SELECT count(*)::int AS n FROM report.live_forecast WHERE series_kind = 'hits'") == [{"n": 6}]


def test_late_lines_that_came_while_no_driver_looked_dissolve_an_incident_too(live: Live) -> None:
    live.calm(40)
    silent = live.bucket
    live.go_on(*[[]] * 4)
    assert [one["state"] for one in live.incidents() if one["head_id"] is None] == ["open"]
    for bucket in range(silent, silent + 4):
        live.count(bucket, usual(live.random))
    live.launch()  # before the one that counted them had a turn
    live.calm(1)
    assert {one["state"] for one in live.incidents()} == {"dissolved"}


def test_an_outage_opens_an_incident_and_late_lines_dissolve_it(live: Live) -> None:
    live.calm(40)
    silent = live.bucket
    live.go_on(*[[]] * 4)
    (outage,) = [one for one in live.incidents() if one["head_id"] is None]
    assert (outage["state"], outage["direction"]) == ("open", "below")
    for bucket in range(silent, silent + 4):
        live.count(bucket, usual(live.random))
    live.calm(1)
    assert {one["state"] for one in live.incidents()} == {"dissolved"}
    live.calm(12)
    assert {one["state"] for one in live.incidents()} == {"dissolved"}


def test_empty_buckets_are_unknown_while_counting_stood_still_and_zero_while_it_did_not(live: Live) -> None:
    live.calm(40)
    live.bucket += 6  # a minute without a driver, and nobody sent anything
    live.now_s = live.bucket * 10 + CLOSE_AFTER_S + 1
    live.launch()
    live.follower.turn(live.now_s)
    assert live.incidents() == []
    live.calm(3)
    live.ask("UPDATE stream.lease SET caught_up_to = '2026-06-02' RETURNING 1")
    known = live.ask(
        "SELECT is_known, observed, ewma FROM report.live_trend WHERE series_kind = 'hits' ORDER BY bucket_start"
    )
    assert [row["is_known"] for row in known] == [True] * 40 + [False] * 6 + [True] * 3
    assert {row["observed"] for row in known[40:46]} == {0.0}
    assert {row["ewma"] for row in known[40:46]} == {known[39]["ewma"]}
    live.go_on(*[[]] * 2)
    assert [row["is_known"] for row in live.ask(
        "SELECT is_known FROM report.series('shop', '10 seconds', '2026-06-01 12:08:00', '2026-06-01 12:08:30')"
        " WHERE series_kind = 'hits'"
    )] == [True] * 3  # fmt: skip


def test_an_imported_old_log_is_history(live: Live) -> None:
    for bucket in range(10):
        live.count(NOON_S // 10 - 9000 + bucket, usual(live.random, site="old"))
    live.calm(2)
    assert live.ask("SELECT site FROM stream.followed_site") == [{"site": "shop"}]


def test_what_is_counted_before_anything_is_judged_does_not_pile_up_in_memory(live: Live) -> None:
    cells = table(live.bucket, usual(live.random))
    kept = weakref.ref(cells)
    live.follower.counted(cells, {0: 1})
    del cells
    assert live.follower.turn(None) == 0  # still behind: a backlog
    assert kept() is None


def test_a_site_that_is_history_takes_no_memory(live: Live) -> None:
    live.count(live.bucket - 100, usual(live.random, site="passing"))
    live.calm(2)
    assert memories() == 2
    live.bucket += 1300
    live.calm(2)
    assert memories() == 1


def memories() -> int:
    gc.collect()
    return sum(type(one) is SiteMemory for one in gc.get_objects())  # isinstance would ask lazy proxies


def test_history_that_is_counted_up_to_the_present_opens_nothing(live: Live) -> None:
    for bucket in range(60):  # at a tenth of the traffic to come
        live.count(NOON_S // 10 - 60 + bucket, usual(live.random, hits=20))
    live.calm(40)
    assert live.incidents() == []


def test_ten_times_as_hot_a_page_takes_a_place_among_the_twenty(live: Live) -> None:
    many = [Cell("", f"/page/{n}", "DE", 2, 5) for n in range(30)]
    live.go_on(*(many for _ in range(3)))
    live.go_on(*([*many, Cell("", "/page/new", "DE", 2, 50)] for _ in range(2)))
    names = live.ask(
        "SELECT series_name FROM report.trend_band WHERE series_kind = 'page' AND bucket_start ="
        " (SELECT max(bucket_start) FROM report.trend_band)"
    )
    assert len(names) == 20
    assert {"series_name": "/page/new"} in names


def test_a_failure_is_said_counting_goes_on_and_the_next_bucket_begins_anew(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    live.calm(5)
    live.ask("ALTER TABLE stream.trend_bucket RENAME TO away; SELECT 1 AS one")
    thread = TrendThread(live.follower, live.writer)
    live.count(live.bucket, usual(live.random))
    live.bucket += 1
    live.now_s = live.bucket * 10 + CLOSE_AFTER_S + 1
    thread.caught_up(live.now_s)
    with caplog.at_level(logging.CRITICAL, "footfall.trends"):
        thread.start()
        assert thread_said(live, "UndefinedTable")
    thread.stop()
    live.ask("ALTER TABLE stream.away RENAME TO trend_bucket; SELECT 1 AS one")
    assert live.calm(1) == 2  # the bucket that failed, too
    assert live.ask("SELECT trend_error FROM report.stream_status") == [{"trend_error": ""}]


def thread_said(live: Live, words: str) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if words in str(live.ask("SELECT trend_error FROM report.stream_status")):
            return True
        time.sleep(0.1)
    return False

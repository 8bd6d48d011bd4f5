"""What the platform says of itself, read as the role users have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sql.hourly_reports import publish_hours
from sql.stream_status import (
    StreamStatus,
    read_hour_summary,
    read_ledger_total,
    read_rejected_lines,
    read_rejected_reasons,
    read_site_totals,
    read_source_progress,
    read_stream_status,
    stream_troubles,
)
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import TOPIC_ID, Cell, CountedTraffic, at

WELL = StreamStatus("idle", "running", "", 1, None, at("10:00:00"), 2.0, None, None, None, 0, 0.0, None)


@pytest.mark.services
def test_status_screens_read_everything_as_the_reader(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    assert read_stream_status(reader).state == "stopped"
    assert read_ledger_total(reader).consumed == 0
    last = traffic.batch(Cell("10:00:00", hits=3), Cell("11:00:00", hits=4))
    publish_hours(reporter, as_of=at("11:30:00"))
    traffic.execute("UPDATE stream.lease SET state = 'counting', heartbeat_at = now(), lag_records = 5")
    traffic.execute("INSERT INTO stream.rejected_count VALUES ('2026-06-01T10:00Z', 'not JSON', 2)")
    traffic.execute(
        "INSERT INTO stream.rejected_record VALUES (%(topic)s, 0, 9, now(), 'not JSON', 'log-1', 4, 'sample')",
        {"topic": TOPIC_ID},
    )
    traffic.execute("INSERT INTO stream.source_range VALUES ('log-1', 'shop', '{[1,4),[6,11)}')")

    status = read_stream_status(reader)
    assert (status.state, status.lag_records, status.last_ledger_id) == ("counting", 5, last)
    assert status.heartbeat_age_seconds is not None
    assert 0 <= status.heartbeat_age_seconds < 60
    ledger = read_ledger_total(reader)
    assert (ledger.consumed, ledger.accepted, ledger.rejected, ledger.lost) == (7, 7, 0, 0)
    hours = read_hour_summary(reader)
    # 11:00 is past by the clock too, so without a report it is due.
    assert (hours.hours, hours.hours_reported, hours.hours_due, hours.seals_unchecked) == (2, 1, 1, 1)
    assert [(total["site"], total["hits"]) for total in read_site_totals(reader)] == [("shop", 7)]
    assert [(row["reason"], row["records"]) for row in read_rejected_reasons(reader)] == [("not JSON", 2)]
    assert read_rejected_lines(reader, "log-1") == [{"seq": 4, "reason": "not JSON"}]
    progress = read_source_progress(reader, "log-1")
    assert progress is not None
    assert (progress.lines_counted, progress.last_line, progress.lines_missing) == (8, 10, 2)
    assert read_source_progress(reader, "another") is None


def test_a_stream_job_is_well_only_while_it_gives_signs_of_life() -> None:
    assert stream_troubles(WELL, stalled_after_s=60) == []
    assert stream_troubles(replace(WELL, heartbeat_age_seconds=61.0), stalled_after_s=60) == [
        "stream job: no sign of life for 61 s (was idle)"
    ]
    assert stream_troubles(replace(WELL, heartbeat_age_seconds=None), stalled_after_s=60) == [
        "stream job: never started"
    ]
    assert stream_troubles(replace(WELL, state="failed", message="disk full"), stalled_after_s=60) == [
        "stream job: failed: disk full"
    ]


def test_a_stream_job_that_was_asked_to_stop_is_well_once_it_has_stopped() -> None:
    assert stream_troubles(replace(WELL, state="stopped", desired_state="stopped"), stalled_after_s=60) == []
    assert stream_troubles(replace(WELL, desired_state="stopped"), stalled_after_s=60) == [
        "stream job: asked to stop, still idle"
    ]


def test_trends_that_fail_are_named_while_counting_is_well() -> None:
    (words,) = stream_troubles(replace(WELL, trend_error="UndefinedTable: x"), 60)
    assert words == "trends do not follow the sites (counting goes on): UndefinedTable: x"

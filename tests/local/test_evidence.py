"""``make evidence`` finds the lines behind a number, counts all of them, and says what Kafka no longer has."""

from __future__ import annotations

import io
import json
import uuid
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from local.evidence import hour_of, show_evidence, status_of
from local.steps import StepFailed
from settings import Settings
from spark_jobs.evidence_search import Range, split
from spark_jobs.kafka_topic import TopicState
from tests.spark_jobs.conftest import NOON, event, send
from tests.spark_jobs.counted_records import counted

TOPIC_ID = UUID("00000000-0000-0000-0000-000000000001")


@pytest.mark.parametrize(
    "text", ["2026-11-25T10", "2026-11-25 10:00", "2026-11-25T11:00+01:00", "2026-11-25T10:00:00Z"]
)
def test_an_hour_is_given_in_utc_or_with_its_offset(text: str) -> None:
    assert hour_of(text) == datetime(2026, 11, 25, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-25T10:30", "25.11.2026 10:00"])
def test_what_is_no_hour_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(StepFailed) as refused:
        hour_of(text)
    assert "HOUR=" in refused.value.way_out


def test_a_status_is_a_number_or_a_class() -> None:
    assert [status_of(text) for text in ("", "404", "4xx", "5XX", "4")] == [None, 404, 4, 5, 4]
    for text in ("x", "600", "44", "4x"):
        with pytest.raises(StepFailed):
            status_of(text)


def row(partition: int, start: int, until: int, topic_id: UUID = TOPIC_ID) -> dict[str, Any]:
    return {
        "topic": "t", "topic_id": topic_id, "kafka_partition": partition, "from_offset": start, "until_offset": until
    }  # fmt: skip


def test_what_kafka_has_deleted_is_told_apart_also_within_a_range() -> None:
    state = TopicState("cluster", TOPIC_ID, "t", earliest={0: 15, 1: 0}, latest={0: 30, 1: 9})
    rows = [row(0, 0, 10), row(0, 10, 20), row(0, 20, 30), row(1, 0, 9), row(2, 0, 5), row(1, 0, 9, uuid.uuid4())]
    kept, gone = split(rows, state)
    assert kept == [Range("t", 0, 15, 20), Range("t", 0, 20, 30), Range("t", 1, 0, 9)]
    assert gone == [Range("t", 0, 0, 10), Range("t", 0, 10, 15), Range("t", 2, 0, 5), Range("t", 1, 0, 9)]


def printed(settings: Settings, *, as_json: bool = True, **cell: str) -> str:
    out = io.StringIO()
    wanted = {"path": "", "status": ""} | cell
    show_evidence(
        settings, "shop", NOON.isoformat(), wanted["path"], wanted["status"], 3, as_json, Console(file=out, width=200)
    )
    return out.getvalue()


@pytest.mark.services
def test_the_lines_of_a_cell_are_shown_up_to_the_limit_and_counted_to_the_last(fresh_pipeline: Settings) -> None:
    lines = [event(seq, f"web-{seq % 3}", path="/home?x=1" if seq % 2 else "/other") for seq in range(1, 11)]
    lines += [event(11, "web-1", path="/missing", status=404), event(11, "web-1", path="/missing", status=404)]
    lines += [event(12, "web-1", second=3600), b"not json"]
    send(fresh_pipeline, [(str(number).encode(), line) for number, line in enumerate(lines)])
    counted(fresh_pipeline)

    found = json.loads(printed(fresh_pipeline))
    assert (found["lines"], found["repeats"], found["more"], len(found["events"]), found["gone"]) == (11, 1, 9, 3, [])
    page = json.loads(printed(fresh_pipeline, path="/home"))
    assert (page["lines"], page["more"]) == (5, 2)
    assert {each["path"] for each in page["events"]} == {"/home"}
    errors = json.loads(printed(fresh_pipeline, status="4xx"))
    assert [(each["seq"], each["repeated"]) for each in errors["events"]] == [(11, False), (11, True)]

    text = printed(fresh_pipeline, as_json=False, path="/home")
    assert "5 lines in 14 records read, 2 more than are shown" in text
    assert "192.0.x.x" in text
    assert "192.0.2.7" not in text


def test_the_sum_of_other_pages_is_no_page_and_what_to_do_is_said() -> None:
    with pytest.raises(StepFailed, match=r"^\(other\) is no page but the sum of all pages") as refused:
        printed(Settings(), path="(other)")
    assert "leave PAGE out" in refused.value.way_out
    assert "STATUS=404" in refused.value.way_out


@pytest.mark.services
def test_an_hour_without_traffic_is_said_so_with_a_query_that_lists_hours(fresh_pipeline: Settings) -> None:
    with pytest.raises(StepFailed, match="nothing is counted") as refused:
        printed(fresh_pipeline)
    assert "report.hour_state" in refused.value.way_out

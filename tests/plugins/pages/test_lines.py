"""From a figure of an hour to its lines: what of them is shown, and what is said when they are gone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from plugins.pages.app import create_app
from settings import Settings
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import browser_of
from tests.spark_jobs.conftest import event, send
from tests.spark_jobs.counted_records import counted
from tests.sql.counted_traffic import execute

pytestmark = pytest.mark.services

HOUR = "/footfall/lines?site=shop&start=2026-11-19T12:00Z"
HOSTILE = "/<img src=x onerror=alert(1)>{{7*7}}\u202e"


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text.split("<main")[1]).split())


def shown(settings: Settings, token: Callable[[str], str], address: str) -> str:
    app = create_app(settings)
    try:
        text: str = browser_of(app, token)("viewer").get(address).text
        return text
    finally:
        app.state.reader.close()
        app.state.lines.close()


def test_from_an_error_to_its_lines_with_addresses_masked_and_nothing_as_markup(
    fresh_pipeline: Settings, auth_manager: Any, token: Callable[[str], str]
) -> None:
    lines = [event(seq) for seq in range(1, 4)]
    lines += [event(4, path="/missing", status=404), event(5, path=HOSTILE, status=404, referrer="javascript:x")]
    lines += [event(6, path="/broken", status=500), b"not json"]
    send(fresh_pipeline, [(str(number).encode(), line) for number, line in enumerate(lines)])
    counted(fresh_pipeline)

    text = shown(fresh_pipeline, token, f"{HOUR}&status=404")
    page = words(text)
    assert "2 lines, all of them read." in page
    assert "GET /missing" in page and "/broken" not in page
    assert "192.0.x.x" in page and "192.0.2.7" not in text
    assert "<img" not in text and "&lt;img" in text.lower().replace("%3c", "&lt;")
    assert "\u202e" not in text and "javascript:" not in text
    assert "1 line, all of them read." in words(shown(fresh_pipeline, token, f"{HOUR}&status=4&page=/missing"))
    other = words(shown(fresh_pipeline, token, f"{HOUR}&page=(other)"))
    assert "(other) is no page : it is the sum of all pages that have no row of their own" in other
    assert "0 lines" not in other


def test_lines_that_kafka_no_longer_has_are_said_to_be_gone(
    fresh_pipeline: Settings, auth_manager: Any, token: Callable[[str], str]
) -> None:
    send(fresh_pipeline, [(b"1", event(1, status=404))])
    counted(fresh_pipeline)
    with Warehouse(fresh_pipeline.dsn("footfall_admin"), "test") as admin:
        # As if the topic had been made anew: the counts stay, the records of the old one are gone.
        execute(
            admin,
            "INSERT INTO stream.topic SELECT gen_random_uuid(), cluster_id, topic, now() FROM stream.topic;"
            "UPDATE stream.hour_offsets"
            " SET topic_id = (SELECT topic_id FROM stream.topic ORDER BY first_seen_at DESC LIMIT 1)",
        )
    assert "Lines older than 48 h are no longer kept." in words(shown(fresh_pipeline, token, f"{HOUR}&status=404"))


def test_kafka_being_away_is_said_and_the_page_is_there(
    fresh_pipeline: Settings, auth_manager: Any, token: Callable[[str], str]
) -> None:
    send(fresh_pipeline, [(b"1", event(1))])
    counted(fresh_pipeline)
    away = fresh_pipeline.model_copy(update={"kafka_bootstrap": "127.0.0.1:9"})
    page = words(shown(away, token, HOUR))
    assert "The lines could not be read" in page
    assert "The report is unaffected." in page


def test_an_hour_without_traffic_has_no_lines(
    fresh_pipeline: Settings, auth_manager: Any, token: Callable[[str], str]
) -> None:
    assert "No line of this hour has been counted." in words(shown(fresh_pipeline, token, HOUR))

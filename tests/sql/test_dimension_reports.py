"""Reports by agent, referrer, method and the like; and the class of an agent rule, which may change later."""

from __future__ import annotations

import pytest

from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.sql.counted_traffic import Cell, CountedTraffic, at, select

pytestmark = pytest.mark.services

AS_OF = at("2026-08-01T00:00:00")
AGENTS = "SELECT rule, agent_class, hits FROM report.current_hourly_agent ORDER BY rule"


def test_each_dimension_has_a_view_of_its_own_and_campaigns_only_the_lines_that_have_one(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(
        Cell("10:00:00", hits=3),
        Cell("10:10:00", hits=2, status_class=4, dimensions={"browser": "curl", "utm_source": "letter"}),
        Cell(
            "10:10:00", hits=1, status_class=5, dimensions={"referrer": "search.example", "referrer_class": "search"}
        ),
    )
    publish_hours(reporter, AS_OF)
    assert select(
        reader,
        "SELECT browser, hits, bytes_sent, client_errors, server_errors FROM report.current_hourly_browser"
        " ORDER BY browser",
    ) == [("Firefox", 4, 400, 0, 1), ("curl", 2, 200, 2, 0)]
    for view, column, expected in (
        ("referrer", "referrer", [("", 5), ("search.example", 1)]),
        ("referrer_class", "referrer_class", [("none", 5), ("search", 1)]),
        ("status_code", "status_code", [("200", 3), ("400", 2), ("500", 1)]),
        ("method", "method", [("GET", 6)]),
        ("os", "os", [("Linux", 6)]),
        ("device", "device", [("Other", 6)]),
        ("protocol", "protocol", [("HTTP/1.1", 6)]),
        ("host", "host", [("shop.example", 6)]),
        ("campaign", "value", [("letter", 2)]),
    ):
        query = f"SELECT {column}, hits FROM report.current_hourly_{view} ORDER BY 1"  # noqa: S608
        assert select(reader, query) == expected, view
    assert select(reader, AGENTS) == [("a browser", "human", 6)]


def test_a_rule_that_gives_another_class_now_makes_a_revision_that_says_so(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3), Cell("10:00:00", hits=2, dimensions={"agent_rule": "a crawler"}))
    publish_hours(reporter, AS_OF)
    # A rule nobody has described is unknown, until the rules say what it is.
    assert select(reader, AGENTS) == [("a browser", "human", 3), ("a crawler", "unknown", 2)]
    traffic.execute(
        "INSERT INTO stream.agent_rule VALUES ('a crawler', 'bot', 2);"
        "UPDATE stream.touched_hour SET last_ledger_id = last_ledger_id + 1"
    )
    (revision,) = publish_hours(reporter, AS_OF)
    assert (revision.revision, revision.cause, revision.hits_delta) == (2, "agent rules", 0)
    assert select(reader, AGENTS) == [("a browser", "human", 3), ("a crawler", "bot", 2)]
    assert select(reader, "SELECT state FROM report.hour_state") == [("reported",)]
    assert select(reader, "SELECT revision, pages_moved FROM report.hour_revision ORDER BY revision") == [
        (1, 1),
        (2, 0),
    ]


def test_late_lines_under_a_changed_rule_are_late_data(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    traffic.execute("UPDATE stream.agent_rule SET agent_class = 'tool', rules_version = 2")
    traffic.batch(Cell("10:00:00", hits=1))
    (revision,) = publish_hours(reporter, AS_OF)
    assert (revision.cause, revision.hits_delta) == ("late data", 1)
    assert select(reader, AGENTS) == [("a browser", "tool", 4)]


def test_numbers_that_moved_between_values_are_a_correction(
    traffic: CountedTraffic, reporter: Warehouse, reader: Warehouse
) -> None:
    traffic.batch(Cell("10:00:00", hits=3))
    publish_hours(reporter, AS_OF)
    traffic.execute(
        "UPDATE stream.dimension_hour SET value = 'Lynx' WHERE dimension = 'browser';"
        "UPDATE stream.touched_hour SET last_ledger_id = last_ledger_id + 1"
    )
    (revision,) = publish_hours(reporter, AS_OF)
    assert (revision.cause, revision.hits_delta) == ("corrected data", 0)
    assert select(reader, "SELECT browser, hits FROM report.current_hourly_browser") == [("Lynx", 3)]

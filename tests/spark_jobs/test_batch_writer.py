"""The warehouse after batches: the same whatever the order of the lines and the batches they come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settings import Settings
from spark_jobs.agent_restating import adopt_rules
from spark_jobs.agent_rules import RULES_VERSION, rule_classes
from spark_jobs.batch_count import BatchCount, count_task, merged
from spark_jobs.batch_writer import BatchWriter, PlannedRange, PositionMismatch
from spark_jobs.lease import take_lease
from spark_jobs.sketch_compaction import compact_sketches
from spark_jobs.table_writer import Cardinality
from spark_jobs.visitor_sketches import united, visitors_in
from sql.warehouse import Warehouse, run
from tests.spark_jobs.conftest import BROWSER, KEYS, NOON, Ask, event, kafka_rows

pytestmark = pytest.mark.services

TOPIC = UUID("00000000-0000-0000-0000-000000000001")
NOW = datetime(2026, 12, 2, tzinfo=UTC).timestamp()
ROOMY = Cardinality(pages_a_day=5_000, values_a_day=1_000)
FIREFOX, GOOGLEBOT, CURL = BROWSER, "Googlebot/2.1 (+http://www.google.com/bot.html)", "curl/8.5.0"


class Counting:
    """Batches written into a database, as the stream job writes them, from lines instead of Kafka."""

    def __init__(self, warehouse: Warehouse, most: Cardinality = ROOMY) -> None:
        self.warehouse = warehouse
        self.next_offset = 0
        lease = take_lease(warehouse, "test", "footfall-stream-test")
        self.writer = BatchWriter(warehouse, TOPIC, lease.epoch, most)
        with warehouse.transaction() as cursor:
            run(
                cursor,
                "stream/register_topic",
                {"topic_id": str(TOPIC), "cluster_id": "test", "topic": "web.access"},
            )
            for key_id in KEYS.keys:
                run(
                    cursor,
                    "stream/register_visitor_key",
                    {"key_id": key_id, "period_start": NOON, "period_end": NOON + timedelta(days=31)},
                )

    def batch(self, *tasks: Sequence[bytes]) -> tuple[list[PlannedRange], BatchCount]:
        """Count and write one batch, one list of records a task."""
        rows = []
        start = self.next_offset
        for records in tasks:
            batch = kafka_rows(records, self.next_offset)
            rows += [row for part in count_task([batch], NOW, {}, KEYS) for row in part.to_pylist()]
            self.next_offset += len(records)
        count = merged(rows)
        planned = [PlannedRange(0, start, self.next_offset)]
        self.writer.commit(planned, count)
        return planned, count


@pytest.fixture
def counting(fresh_database: Settings) -> Iterator[Counting]:
    with Warehouse(fresh_database.dsn("footfall_writer"), "footfall-stream-test") as warehouse:
        yield Counting(warehouse)


TABLES = {
    "traffic_bucket": """
        SELECT bucket_start, site, path, country, status_class, agent_class, hits, bytes_sent, latency_us_sum,
               latency_count
        FROM stream.traffic_bucket JOIN stream.page USING (page_id)""",
    "latency_bin": """
        SELECT bucket_start, site, path, bins, counts, latency_us_max
        FROM stream.latency_bin JOIN stream.page USING (page_id)""",
    "visitor_sketch": "SELECT site, minute_start, key_id, agent_class, sketch::text FROM stream.visitor_sketch",
    "dimension_hour": "SELECT * FROM stream.dimension_hour",
    "visit": "SELECT * FROM stream.visit",
    "own_row": "SELECT site, day_start, dimension, value FROM stream.own_row",
    "agent_rule": "SELECT * FROM stream.agent_rule",
    "touched_hour": "SELECT site, hour_start FROM stream.touched_hour",
}


def tables(ask: Ask) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(tuple(row.values()) for row in ask(query)) for name, query in TABLES.items()}


def _lines() -> list[dict[str, Any]]:
    """Some of everything: two sites, three agents, visits that only some lines join, three hours, two days."""
    minutes = [0, 1, 25, 29.5, 55, 61, 90, 119, 121, 150, 710, 719.9, 721, 749]
    agents = [FIREFOX, FIREFOX, GOOGLEBOT, CURL, None]
    paths = ["/home", "/a?utm_source=mail&id=7", "/logo.png", "/wp-login.php", "/b"]
    return [
        {
            "second": round(minute * 60),
            "ip": f"192.0.2.{number % 3}",
            "user_agent": agents[number % 5],
            "path": paths[number % 5],
            "status": [200, 200, 200, 404, 500, 304][number % 6],
            "latency_ms": [0.0, 0.4, 12.0, None, 900.0, 12.1][number % 6],
            "referrer": [None, "https://www.google.com/", "https://blog.example/x"][number % 3],
            "site": "shop" if number % 4 else "blog",
        }
        for number, minute in enumerate(minutes * 3)
    ]


LINES = [event(seq, **line) for seq, line in enumerate(_lines(), 1)]


@pytest.fixture
def expected(counting: Counting, ask: Ask) -> dict[str, list[tuple[Any, ...]]]:
    """The tables after one batch of one task, in the order of the lines."""
    counting.batch(LINES)
    found = tables(ask)
    _empty(ask)
    return found


def _empty(ask: Ask) -> None:
    ask(
        """TRUNCATE stream.traffic_bucket, stream.latency_bin, stream.visitor_sketch, stream.dimension_hour,
               stream.visit, stream.own_row, stream.agent_rule, stream.touched_hour, stream.source_range,
               stream.hour_offsets, stream.page RESTART IDENTITY;
           SELECT 1 AS one"""
    )


@given(st.permutations(range(len(LINES))), st.lists(st.integers(0, len(LINES)), max_size=5), st.integers(1, 3))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_batches_of_the_same_lines_give_the_same_tables(
    counting: Counting,
    ask: Ask,
    expected: dict[str, list[tuple[Any, ...]]],
    order: list[int],
    cuts: list[int],
    tasks: int,
) -> None:
    _empty(ask)
    lines = [LINES[place] for place in order]
    bounds = [0, *sorted(cuts), len(lines)]
    for begin, end in pairwise(bounds):
        part = lines[begin:end]
        if not part:
            continue
        counting.batch(*(part[task::tasks] for task in range(tasks)))
    found = tables(ask)
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_what_the_tables_of_the_property_hold_can_be_checked_by_eye(
    expected: dict[str, list[tuple[Any, ...]]],
) -> None:
    assert sum(row[6] for row in expected["traffic_bucket"]) == len(LINES) == 42
    hits: dict[str, int] = {}
    for _, _, dimension, _, count, *_ in expected["dimension_hour"]:
        hits[dimension] = hits.get(dimension, 0) + count
    assert hits.pop("utm_source") == sum(b"utm_source" in line for line in LINES)
    assert set(hits.values()) == {42}
    assert sum(sum(row[4]) for row in expected["latency_bin"]) == 35  # every sixth line has no latency
    assert {row[4] for row in expected["visitor_sketch"]}  # not empty
    assert sum(row[5] for row in expected["visit"]) == 42


def test_a_batch_that_was_written_is_refused_and_adds_nothing(counting: Counting, ask: Ask) -> None:
    planned, count = counting.batch(LINES)
    before = tables(ask)
    with pytest.raises(PositionMismatch):
        counting.writer.commit(planned, count)
    assert tables(ask) == before


def test_a_late_line_joins_two_visits_into_one(counting: Counting, ask: Ask) -> None:
    counting.batch([event(1, path="/in"), event(2, second=40 * 60, path="/out")])
    assert ask("SELECT count(*)::int AS n FROM stream.visit") == [{"n": 2}]
    counting.batch([event(3, second=20 * 60, path="/style.css"), event(4, second=20 * 60, status=404)])
    assert ask(
        """SELECT extract(epoch FROM ended_at - started_at)::int AS seconds, hits::int, page_views::int,
                  client_errors::int, entry_path, exit_path, agent_class
           FROM stream.visit"""
    ) == [
        {
            "seconds": 2400,
            "hits": 4,
            "page_views": 2,
            "client_errors": 1,
            "entry_path": "/in",
            "exit_path": "/out",
            "agent_class": "human",
        }
    ]


def test_a_visit_crosses_the_hour_and_midnight_but_no_gap_over_thirty_minutes(counting: Counting, ask: Ask) -> None:
    midnight = 12 * 3600
    counting.batch([event(1, second=midnight - 60), event(2, second=midnight + 1740)])
    counting.batch([event(3, second=midnight + 1740 + 1801)])
    assert ask("SELECT started_at, hits::int FROM stream.visit ORDER BY 1") == [
        {"started_at": datetime(2026, 11, 19, 23, 59, tzinfo=UTC), "hits": 2},
        {"started_at": datetime(2026, 11, 20, 0, 59, 1, tzinfo=UTC), "hits": 1},
    ]


def test_a_visit_that_crosses_into_the_next_months_key_is_two(counting: Counting, ask: Ask) -> None:
    month_end = 12 * 86400 - 12 * 3600
    counting.batch([event(1, second=month_end - 60), event(2, second=month_end + 60)])
    assert ask("SELECT key_id, hits::int FROM stream.visit ORDER BY 1") == [
        {"key_id": "2026-11", "hits": 1},
        {"key_id": "2026-12", "hits": 1},
    ]
    assert ask("SELECT key_id FROM stream.visitor_sketch ORDER BY 1") == [
        {"key_id": "2026-11"},
        {"key_id": "2026-12"},
    ]


def test_twenty_answers_4xx_make_a_scanner_of_a_visit_until_they_are_less_than_a_fifth(
    counting: Counting, ask: Ask
) -> None:
    counting.batch([event(seq, status=404, path=f"/x{seq}") for seq in range(1, 21)])
    assert ask("SELECT agent_class, line_class FROM stream.visit") == [
        {"agent_class": "scanner", "line_class": "human"}
    ]
    counting.batch([event(seq) for seq in range(21, 102)])
    assert ask("SELECT hits::int, agent_class FROM stream.visit") == [{"hits": 101, "agent_class": "human"}]


def test_visitors_leave_out_lines_answered_4xx_and_know_one_way_to_write_an_address(
    counting: Counting, ask: Ask
) -> None:
    counting.batch(
        [
            event(1, ip="192.0.2.7"),
            event(2, ip="::FFFF:192.0.2.7"),
            event(3, ip="192.0.2.8"),
            event(4, ip="192.0.2.9", status=404),
            event(5, ip="192.0.2.7", user_agent=None),
        ]
    )
    sketches = ask("SELECT agent_class, sketch FROM stream.visitor_sketch ORDER BY 1")
    assert [(row["agent_class"], visitors_in(bytes(row["sketch"]))) for row in sketches] == [
        ("human", 2.0),
        ("unknown", 1.0),
    ]


def test_no_address_user_agent_or_query_string_is_stored(counting: Counting, ask: Ask) -> None:
    counting.batch(
        [
            event(
                1,
                ip="203.0.113.77",
                user_agent="Mozilla/5.0 planted-agent 203.0.113.78",
                path="/x/203.0.113.79?secret=planted-query&utm_term=203.0.113.80",
                referrer="https://203.0.113.81/planted-referrer?q=planted-search",
                host="203.0.113.82:8080",
                method="203.0.113.83",
                protocol="203.0.113.84",
            )
        ]
    )
    names = ask("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'stream'")
    text = "\n".join(str(ask(f"TABLE stream.{row['name']}")) for row in names)
    assert "/x/:ip" in text
    assert "203.0.113" not in text
    assert "planted" not in text


def test_beyond_the_largest_number_of_pages_a_day_is_other_and_totals_stay_exact(
    fresh_database: Settings, ask: Ask
) -> None:
    with Warehouse(fresh_database.dsn("footfall_writer"), "footfall-stream-test") as warehouse:
        counting = Counting(warehouse, Cardinality(pages_a_day=4, values_a_day=1_000))
        counting.batch([event(1), event(2), *(event(seq, path=f"/flood{seq}", status=404) for seq in range(3, 103))])
        counting.batch([event(103, path="/real"), event(104, path="/real2"), event(105, path="/real3")])
    assert ask(
        """SELECT path, sum(hits)::int AS hits FROM stream.traffic_bucket JOIN stream.page USING (page_id)
           GROUP BY 1 ORDER BY 1"""
    ) == [
        {"path": "(other)", "hits": 100},
        {"path": "/flood10", "hits": 1},
        {"path": "/home", "hits": 2},
        {"path": "/real", "hits": 1},
        {"path": "/real2", "hits": 1},
    ]
    assert ask("SELECT count(*)::int AS pages FROM stream.page") == [{"pages": 5}]
    assert ask("SELECT sum(n)::int AS n FROM stream.latency_bin, unnest(counts) AS n") == [{"n": 105}]


def test_a_visit_that_begins_or_ends_on_a_page_beyond_the_largest_number_does_so_on_other(
    fresh_database: Settings, ask: Ask
) -> None:
    with Warehouse(fresh_database.dsn("footfall_writer"), "footfall-stream-test") as warehouse:
        counting = Counting(warehouse, Cardinality(pages_a_day=2, values_a_day=1_000))
        counting.batch([event(1), event(2, second=1, path="/second")])
        counting.batch([event(3, second=2, path="/random1"), event(4, second=3, path="/random2", ip="192.0.2.8")])
        counting.batch([event(5, second=4, path="/home", ip="192.0.2.8")])
    assert ask("SELECT entry_path, exit_path, page_views::int FROM stream.visit ORDER BY started_at") == [
        {"entry_path": "/home", "exit_path": "(other)", "page_views": 3},
        {"entry_path": "(other)", "exit_path": "/home", "page_views": 2},
    ]


def test_beyond_the_largest_number_of_values_of_a_dimension_is_other(fresh_database: Settings, ask: Ask) -> None:
    with Warehouse(fresh_database.dsn("footfall_writer"), "footfall-stream-test") as warehouse:
        counting = Counting(warehouse, Cardinality(pages_a_day=5_000, values_a_day=1))
        counting.batch([event(1, referrer="https://a.example/"), event(2, referrer="https://b.example/")])
    assert ask("SELECT value, hits::int FROM stream.dimension_hour WHERE dimension = 'referrer' ORDER BY 1") == [
        {"value": "(other)", "hits": 1},
        {"value": "a.example", "hits": 1},
    ]


def test_the_lines_of_an_hour_stand_among_the_offsets_noted_for_it(counting: Counting, ask: Ask) -> None:
    counting.batch([event(1), event(2, second=3600), event(3)])
    counting.batch([event(4, second=3600), event(5, second=3700)])
    assert ask("SELECT hour_start, offset_ranges::text AS offsets FROM stream.hour_offsets ORDER BY 1") == [
        {"hour_start": NOON, "offsets": "{[0,3)}"},
        {"hour_start": NOON + timedelta(hours=1), "offsets": "{[1,2),[3,5)}"},
    ]


def test_compacting_the_sketches_of_an_hour_loses_no_visitor_and_late_lines_still_add(
    counting: Counting, ask: Ask
) -> None:
    counting.batch([event(seq, second=60 * seq, ip=f"192.0.2.{seq % 7}") for seq in range(1, 71)])
    later = NOON + timedelta(minutes=150)
    assert compact_sketches(counting.warehouse, later) == 0, "the last 30 minutes are asked for by the minute"
    counting.batch([event(70 + hour, second=3600 * hour + 600, ip="192.0.2.1") for hour in (2, 3)])
    hours = """SELECT date_trunc('hour', minute_start, 'UTC') AS hour, array_agg(sketch) AS sketches
               FROM stream.visitor_sketch WHERE minute_start < '2026-11-19T14:00Z' GROUP BY 1 ORDER BY 1"""
    before = [united(map(bytes, row["sketches"])) for row in ask(hours)]
    # The hour of the moment is not over yet.
    assert compact_sketches(counting.warehouse, NOON + timedelta(minutes=90)) == 58
    assert compact_sketches(counting.warehouse, NOON + timedelta(minutes=90)) == 0
    assert [united(map(bytes, row["sketches"])) for row in ask(hours)] == before
    assert visitors_in(before[0]) == 7
    counting.batch([event(74, second=90, ip="192.0.2.99")])
    assert compact_sketches(counting.warehouse, NOON + timedelta(minutes=90)) == 1
    (noon, _) = ask(hours)
    assert [visitors_in(bytes(sketch)) for sketch in noon["sketches"]] == [8.0]


def test_a_new_version_of_the_rules_changes_classes_on_record_and_has_hours_restated(
    counting: Counting, ask: Ask
) -> None:
    counting.batch([event(1), event(2, user_agent=CURL), event(3, second=-86400)])
    epoch = take_lease(counting.warehouse, "test", "footfall-stream-test").epoch
    ledger = "SELECT max(ledger_id) AS last FROM stream.ledger"
    since = NOON - timedelta(hours=1)
    changed = adopt_rules(counting.warehouse, epoch, RULES_VERSION + 1, rule_classes() | {"browser": "bot"}, since)
    assert changed == ["browser was human, is bot"]
    assert adopt_rules(counting.warehouse, epoch, RULES_VERSION + 1, rule_classes(), since) == []
    assert ask("SELECT DISTINCT rules_version FROM stream.agent_rule") == [{"rules_version": RULES_VERSION + 1}]
    # A version that is taken back gives the classes it gave before.
    changed = adopt_rules(counting.warehouse, epoch, RULES_VERSION, rule_classes(), since)
    assert changed == ["browser was bot, is human"]
    adoptions = ask("SELECT rules_version, ledger_id > 1 AS later FROM stream.rules_adoption ORDER BY ledger_id")
    assert adoptions == [
        {"rules_version": RULES_VERSION + 1, "later": True},
        {"rules_version": RULES_VERSION, "later": True},
    ]
    last = ask(ledger)[0]["last"]
    touched = ask("SELECT hour_start, last_ledger_id FROM stream.touched_hour ORDER BY 1")
    assert [row["last_ledger_id"] > last for row in touched] == [False, True]

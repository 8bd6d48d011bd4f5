"""What is planted in log lines, to be found nowhere: not in a table, the job's output, a log file, or an export."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from producers.access_log import UnparsedLine
from settings import Settings
from sql.daily_reports import publish_days, publish_visits
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.spark_jobs.conftest import NOON, count_all, event, send
from tests.sql.counted_traffic import execute, select

pytestmark = pytest.mark.services

IPV4, MAPPED, IPV6, HOST_NAME = "203.0.113.77", "198.51.100.23", "2001:db8:77::99", "planted-pc.isp.example"
EMAIL, TOKEN = "planted.person@mail.example", "eyJwbGFudGVkIjoi.eyJzdWIiOiJwIn0.cGxhbnRlZA"
SECRETS = [f"plantedsecret{number}" for number in range(9)]
AGENT = (
    f"Mozilla/5.0 (Windows NT 10.0; plantedagent-qzx) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36 {SECRETS[0]}"
)
PLANTED = [IPV4, MAPPED, IPV6, HOST_NAME, EMAIL, "planted.person", TOKEN, "plantedagent-qzx", *SECRETS]
QUERY = f"session={SECRETS[1]}&utm_source={EMAIL}&utm_term={IPV4}&utm_content=to%20planted.person%2540mail.example"

LINK = f"https%3A%2F%2Fx.example%2F%3Ftoken%3D{SECRETS[2]}"
# As other servers than Apache write them: nothing quoted, by tabs, with a blank in the query string.
UNPARSED = [
    f"2026-11-19 09:00:00 GET /x session={SECRETS[1]} 80 planted.person {IPV4} {AGENT.replace(' ', '+')}",
    f"{HOST_NAME}\tplanted.person\t2026-11-19\tGET\t/x?{SECRETS[1]}\t{AGENT}",
    f'{IPV4} - - [19/Nov/2026:09:00:00 +0000] "GET /a? {SECRETS[1]} HTTP/1.1" 200 5 "-" "{AGENT}"',
]


def lines() -> Iterator[bytes]:
    """Good lines, repeated lines, rejected records, and lines that a shipper could not read."""
    clients = [IPV4, f"::ffff:{MAPPED}", IPV6, IPV6.upper(), HOST_NAME]
    paths = [
        f"/home?{QUERY}",
        f"/unsubscribe/{EMAIL}?x={SECRETS[2]}#{SECRETS[3]}",
        f"/unsubscribe/{EMAIL.replace('@', '%40')}",
        f"/proxy/{IPV4}/{IPV6.replace(':', '%3A')}",
        f"/login/{TOKEN}",
        f"https://user:{SECRETS[4]}@shop.example/cart;jsessionid={SECRETS[5]}",
        "/.env",
    ]
    referrer = f"https://user:{SECRETS[6]}@other.example/{SECRETS[7]}?q={SECRETS[8]}"
    seq = 0
    for ip in clients:
        for path in paths:
            for status in (200, 404):
                seq += 1
                yield event(
                    seq, "planted", seq, ip=ip, path=path, status=status, user_agent=AGENT, referrer=referrer,
                    host=IPV4, protocol="HTTP/1.1", country=None,
                )  # fmt: skip
    yield event(1, "planted", user_agent=AGENT, ip=IPV4)
    good = msgspec.json.decode(event(None, None, ip=IPV4, path=paths[0], user_agent=AGENT, referrer=referrer))
    for change in ({"status": "x"}, {"ts": "x"}, {"status": 99, "client_name": HOST_NAME, "agent": AGENT}):
        yield msgspec.json.encode(good | change)
    logged = f'{HOST_NAME} - planted.person [x] "GET {paths[1]} HTTP/1.1" 200 5 "{referrer}" "{AGENT}"'
    yield logged.encode()
    yield msgspec.json.encode(UnparsedLine("planted", 9_001, "not in the log format", logged))
    for number, raw in enumerate(UNPARSED, 9_003):
        yield msgspec.json.encode(UnparsedLine("planted", number, f"no place for {SECRETS[1]}", raw))
    for path in (f'/a?q="{SECRETS[1]}"', f"/a?q=john {SECRETS[1]}", f"/a%3Fsession={SECRETS[1]}"):
        yield msgspec.json.encode(good | {"status": "x", "path": path})
    yield msgspec.json.encode(good | {"ip": [HOST_NAME], "user_agent": [AGENT]})
    yield event(seq + 1, "planted", path=f"/home%3Fsession={SECRETS[1]}", method=f"GET?x={SECRETS[2]}")
    yield event(seq + 2, "planted", path=f"/home?utm_content={LINK}", method=EMAIL, protocol=SECRETS[3])
    yield msgspec.json.encode(UnparsedLine("planted", 9_002, f"broken by {EMAIL} at {IPV4}", f"{IPV4} {paths[0]}"))


def found_in(text: str) -> list[str]:
    return [planted for planted in PLANTED if planted.lower() in text.lower()]


def as_text(value: Any) -> str:
    return value.tobytes().decode("latin-1") if isinstance(value, memoryview) else str(value)


def tables(warehouse: Warehouse) -> list[str]:
    return [
        name
        for (name,) in select(
            warehouse,
            "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
        )
    ]


def test_nothing_planted_in_log_lines_is_found_anywhere_but_in_kafka(
    fresh_pipeline: Settings, tmp_path: Path
) -> None:
    began = datetime.now(UTC).timestamp()
    send(fresh_pipeline, [(str(number % 7).encode(), line) for number, line in enumerate(lines())])
    outputs = {"the job's output": count_all(fresh_pipeline)}
    as_of = NOON + timedelta(days=3)
    with Warehouse(fresh_pipeline.dsn("footfall_reporter"), "test") as reporter:
        publish_hours(reporter, as_of)
        publish_days(reporter, as_of)
        publish_visits(reporter, as_of)

    leaks: list[tuple[str, str]] = []
    with Warehouse(fresh_pipeline.dsn("footfall_admin"), "test") as admin:
        searched = 0
        for table in tables(admin):
            rows = execute(admin, f"TABLE {table}")
            searched += len(rows)
            text = "\n".join(as_text(value) for row in rows for value in row.values())
            leaks += [(table, planted) for planted in found_in(text)]
        counts = select(
            admin, "SELECT sum(accepted) AS a, sum(rejected) AS r, sum(duplicate) AS d FROM stream.ledger"
        )
        assert counts == [(72, 13, 1)]
        assert searched > 300
    with Warehouse(fresh_pipeline.dsn("footfall_reader"), "test") as reader:
        for (table,) in select(
            reader,
            "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables"
            " WHERE table_schema IN ('report', 'quality') ORDER BY 1",
        ):
            out = io.StringIO()
            reader.query_csv(f"TABLE {table}", out)
            outputs[f"export of {table}"] = out.getvalue()
    for path in fresh_pipeline.home.rglob("*"):
        # Kafka holds the lines themselves, and Postgres's files are what was just searched through its door.
        inner = path.relative_to(fresh_pipeline.home).parts[0]
        if inner not in ("kafka", "postgres", "jars") and path.is_file() and path.stat().st_mtime >= began:
            outputs[str(path)] = path.read_bytes().decode("latin-1")
    leaks += [(where, planted) for where, text in outputs.items() for planted in found_in(text)]
    assert leaks == []


def test_the_search_finds_what_is_there(fresh_database: Settings) -> None:
    with Warehouse(fresh_database.dsn("footfall_admin"), "test") as admin:
        execute(
            admin, "INSERT INTO stream.own_row VALUES ('s', '2026-06-01', 'page', %(text)s)", {"text": f"/{IPV4}"}
        )
        execute(admin, "INSERT INTO stream.visitor_key VALUES ('2026-06', '2026-06-01', '2026-07-01')")
        execute(
            admin,
            "INSERT INTO stream.visitor_sketch VALUES ('s', '2026-06-01', '2026-06', 'bot', %(data)s)",
            {"data": EMAIL.upper().encode()},
        )
        for table, planted in (("stream.own_row", [IPV4]), ("stream.visitor_sketch", [EMAIL, "planted.person"])):
            rows = execute(admin, f"TABLE {table}")
            assert found_in("\n".join(as_text(value) for row in rows for value in row.values())) == planted

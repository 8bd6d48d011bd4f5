"""Whatever bytes a log holds, each line becomes a record that keeps the contract."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.access_log import AccessEvent, Names, UnparsedLine
from producers.log_formats import NICKNAMES, parser
from producers.log_records import LogRecords

GOOD = b'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"'
JSON_LINE = (
    b'{"ts":"2026-11-17T10:00:00Z","ip":"1.1.1.1","method":"GET","path":"/","status":200,"bytes":1,'
    b'"site":"SITE","country":"DE"}'
)


def decode(value: bytes) -> AccessEvent | UnparsedLine:
    try:
        event = msgspec.json.decode(value, type=AccessEvent)
    except msgspec.ValidationError:
        return msgspec.json.decode(value, type=UnparsedLine)
    Names.checked(event.site, event.source, event.country)
    return event


def records(log_format: str = "combined") -> LogRecords:
    return LogRecords("access.log", "shop", parser(log_format))


def test_an_event_carries_its_place_in_the_log_and_its_key_is_the_source() -> None:
    log = records()
    log.record(b"cut")
    key, value = log.record(GOOD)
    event = decode(value)
    assert isinstance(event, AccessEvent)
    assert (key.decode(), event.seq, event.site) == (event.source, 1, "shop")
    assert key.endswith(b"@2")


def test_an_unparsed_line_travels_with_its_reason_and_its_escaped_beginning() -> None:
    log = records()
    line = decode(log.record(b"\x00cut \xff\xc3\xa9")[1])
    assert isinstance(line, UnparsedLine)
    assert (line.error, line.raw, line.seq) == ("not in the log format", "\\x00cut \\\\xff\\xe9", 1)
    assert log.report.unparsed["not in the log format"].line_numbers == [1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.replace(b" 200 ", b" 000 "), "status"),
        (GOOD.replace(b" 5 ", b" 99999999999999 "), "bytes"),
        (GOOD.replace(b"1.2.3.4", b"h" * 256), "ip"),
    ],
)
def test_a_value_out_of_the_contracts_range_is_unparsed_with_the_name_of_the_field(line: bytes, reason: str) -> None:
    event = decode(records().record(line)[1])
    assert isinstance(event, UnparsedLine)
    assert f"$.{reason}" in event.error


@pytest.mark.parametrize("agent", [b"x" * 70_000, b"\\x00" * 15_000])
def test_a_line_or_record_over_the_cap_is_unparsed_and_its_record_small(agent: bytes) -> None:
    _, value = records().record(GOOD.replace(b"curl", agent))
    assert isinstance(decode(value), UnparsedLine)
    assert len(value) < 6000


def test_a_json_line_may_name_its_own_site_but_no_impossible_one() -> None:
    log = records("json")
    named = decode(log.record(JSON_LINE.replace(b"SITE", b"blog"))[1])
    impossible = decode(log.record(JSON_LINE.replace(b"SITE", b"a/b"))[1])
    assert (named.site, type(impossible)) == ("blog", UnparsedLine)


FRAGMENTS = st.sampled_from(
    [
        b'"',
        b"\\",
        b"\\x",
        b"\\xff",
        b" ",
        b"[",
        b"]",
        b"-",
        b"\xff",
        b"\x00",
        b"HTTP/1.1",
        b"://",
        b"{",
        b"\xed\xa0\x80",
    ]
)


@given(
    st.sampled_from([*NICKNAMES, "json"]),
    st.lists(
        st.tuples(st.integers(0, 110), st.integers(0, 3), st.one_of(FRAGMENTS, st.binary(max_size=6))), max_size=5
    ),
    st.booleans(),
)
def test_any_damage_to_a_line_gives_an_event_or_a_reject_that_keeps_the_contract(
    log_format: str, damage: list[tuple[int, int, bytes]], whole: bool
) -> None:
    line = JSON_LINE if log_format == "json" else GOOD
    if log_format.startswith("vhost"):
        line = b"s:80 " + line
    for at, removed, put in damage:
        line = line[:at] + put + line[at + removed :]
    if not whole:
        line = b"".join(put for _, _, put in damage)
    line = line.replace(b"\n", b"")
    _, value = records(log_format).record(line)
    assert decode(value).seq == 1

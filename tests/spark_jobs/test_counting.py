"""From records to sums and rejects, with a list and no Spark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.count_tables import CountTables
from spark_jobs.counting import RecordCounter, Summary
from spark_jobs.seq_ranges import Range
from tests.spark_jobs.conftest import KEYS, NOON, event

NOW = NOON.timestamp() + 3600


@dataclass(frozen=True)
class Counted:
    """What a counter made of records."""

    tables: CountTables
    summary: Summary

    @property
    def cells(self) -> dict[tuple[Any, ...], list[Any]]:
        """(bucket_start, site, path, country, status_class, agent_class) -> [hits, bytes, latency sum, count]"""
        rows = zip(*(column.to_pylist() for column in self.tables.cells.columns), strict=True)
        return {row[:6]: list(row[6:]) for row in rows}


def counted(*values: bytes | None, before: dict[str, list[Range]] | None = None) -> Counted:
    counter = RecordCounter(NOW, before or {})
    places = np.arange(len(values))
    counter.count(0, places, np.zeros_like(places), values)
    return Counted(*counter.result(KEYS))


def outcome(counted: Counted) -> tuple[int, int, int]:
    tally = counted.summary.tallies[0]
    assert tally.consumed == tally.accepted + tally.rejected + tally.duplicate
    return tally.accepted, tally.rejected, tally.duplicate


def reasons(counted: Counted) -> list[str]:
    return [count.reason for count in counted.summary.reject_counts]


def test_hits_bytes_and_latency_add_up_in_their_ten_seconds() -> None:
    counter = counted(event(1), event(2, second=9, latency_ms=None), event(3, second=10, latency_ms=0.0005))
    start = int(NOON.timestamp())
    assert counter.cells == {
        (start, "shop", "/home", "DE", 2, "human"): [2, 200, 5000, 1],
        (start + 10, "shop", "/home", "DE", 2, "human"): [1, 100, 0, 1],
    }


def test_an_offset_in_the_time_is_only_another_way_to_write_it() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert counted(event(1, ts=NOON.astimezone(india))).cells.keys() == counted(event(1)).cells.keys()


def test_a_country_told_by_the_edge_wins_over_the_address() -> None:
    told, looked_up, unknown = (
        next(iter(counted(value).cells))[3]
        for value in (event(1, ip="8.8.8.8"), event(1, ip="8.8.8.8", country=None), event(1, country=None))
    )
    assert (told, looked_up, unknown) == ("DE", "US", "")


def test_a_line_sent_twice_is_counted_once() -> None:
    counter = counted(event(1), event(2), event(1), event(1, source="web-2"))
    assert outcome(counter) == (3, 0, 1)
    assert counter.summary.sources["web-1"].ranges == [(1, 2)]


def test_a_line_counted_by_an_earlier_batch_is_a_duplicate() -> None:
    counter = counted(event(5), event(6), before={"web-1": [(1, 5)]})
    assert outcome(counter) == (1, 0, 1)
    assert counter.summary.sources["web-1"].ranges == [(6, 6)]


def test_equal_lines_with_other_numbers_are_separate_hits() -> None:
    assert outcome(counted(event(1), event(2))) == (2, 0, 0)


def test_a_record_without_source_is_counted_and_noted() -> None:
    counter = counted(event(None, source=None), event(None, source=None))
    assert outcome(counter) == (2, 0, 0)
    assert counter.summary.tallies[0].unsourced == 2
    assert counter.summary.sources == {}


def test_an_unparsed_line_is_rejected_with_its_shippers_reason_and_takes_its_place() -> None:
    line = b'{"source":"web-1","seq":7,"error":"no closing quote","raw":"GET /"}'
    counter = counted(line, line)
    assert outcome(counter) == (0, 1, 1)
    assert reasons(counter) == ["Line not parsed: no closing quote"]
    assert counter.summary.sources["web-1"].ranges == [(7, 7)]


def test_a_reject_whose_source_can_be_read_takes_its_place_there() -> None:
    counter = counted(event(4).replace(b'"status":200', b'"status":900'))
    assert outcome(counter) == (0, 1, 0)
    assert counter.summary.sources["web-1"].ranges == [(4, 4)]


GOOD = event(1)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "Record has no value"),
        (b"", "Input data was truncated"),
        (b"null", "Expected `object`, got `null`"),
        (b"[]", "Expected `object`, got `array`"),
        (b'"x"', "Expected `object`, got `str`"),
        (b"12", "Expected `object`, got `int`"),
        (GOOD[:-5], "Input data was truncated"),
        (GOOD + GOOD, "JSON is malformed: trailing characters"),
        (GOOD + b"x", "JSON is malformed: trailing characters"),
        (b"\xef\xbb\xbf" + GOOD, "JSON is malformed: invalid character"),
        (GOOD.decode().encode("utf-16"), "JSON is malformed: invalid character"),
        (GOOD.replace(b'"', b"'"), "JSON is malformed: object keys must be strings"),
        (GOOD.replace(b"5.0", b"NaN"), "JSON is malformed: invalid character"),
        (GOOD.replace(b"5.0", b"-Infinity"), "JSON is malformed: invalid character"),
        (GOOD.replace(b"5.0", b'"NaN"'), "Expected `float | null`, got `str` - at `$.latency_ms`"),
        (GOOD.replace(b"5.0", b"1e400"), "Number out of range - at `$.latency_ms`"),
        (GOOD.replace(b"5.0", b"-1"), "Expected `float` >= 0.0 - at `$.latency_ms`"),
        (GOOD.replace(b"200", b'"200"'), "Expected `int`, got `str` - at `$.status`"),
        (GOOD.replace(b"200", b"200.7"), "Expected `int`, got `float` - at `$.status`"),
        (GOOD.replace(b"200", b"99"), "Expected `int` >= 100 - at `$.status`"),
        (GOOD.replace(b"200", b"99999999999"), "Expected `int` <= 599 - at `$.status`"),
        (GOOD.replace(b":100", b":-5"), "Expected `int` >= 0 - at `$.bytes`"),
        (GOOD.replace(b":100", b":1e300"), "Expected `int`, got `float` - at `$.bytes`"),
        (GOOD.replace(b'"ip":"192.0.2.7"', b'"ip":null'), "Expected `str`, got `null` - at `$.ip`"),
        (GOOD.replace(b'"/home"', b'{"a":1}'), "Expected `str`, got `object` - at `$.path`"),
        (GOOD.replace(b'"/home"', b'""'), "Expected `str` of length >= 1 - at `$.path`"),
        (GOOD.replace(b"path", b"PATH"), "Object missing required field `path`"),
        (GOOD.replace(b"/home", b"/\\ud800"), "JSON is malformed: unexpected end of escaped utf-16 surrogate pair"),
        (GOOD.replace(b"/home", b"/\xff\xfe"), "Record is not UTF-8"),
        (GOOD.replace(b"/home", b"/\xc0\xaf"), "Record is not UTF-8"),
        (GOOD.replace(b"/home", b"/\x00"), "JSON is malformed: invalid character"),
        (GOOD.replace(b"/home", b"/" + b"a" * 1_000_000), "Record is larger than 65536 bytes"),
        (
            GOOD.replace(b"shop", b"sh\\u0000"),
            "Expected `str` matching regex '^[A-Za-z0-9._:-]{1,64}\\\\Z' - at `$.site`",
        ),
        (GOOD.replace(b'"DE"', b'"de"'), "Expected `str` matching regex '^[A-Z]{2}\\\\Z' - at `$.country`"),
        (GOOD.replace(b"2026-11", b"0001-11"), "Time is before 1995 or in the future - at `$.ts`"),
        (GOOD.replace(b"2026-11", b"9999-11"), "Time is before 1995 or in the future - at `$.ts`"),
        (GOOD.replace(b"2026-11", b"2026-13"), "Invalid RFC3339 encoded datetime - at `$.ts`"),
        (GOOD.replace(b"00Z", b"00"), "Expected `datetime` with a timezone component - at `$.ts`"),
        (GOOD[:-1] + b',"x":' + b"[" * 50_000 + b"]" * 10 + b"}", "Record is nested too deeply"),
    ],
)
def test_what_breaks_the_contract_is_rejected_with_a_reason_that_names_it(record: bytes | None, reason: str) -> None:
    counter = counted(event(100), record, event(101))
    assert outcome(counter) == (2, 1, 0)
    (count,) = counter.summary.reject_counts
    assert count.reason == reason


def test_odd_but_valid_records_are_counted() -> None:
    odd = [
        GOOD[:-1] + b',"unknown":{"a":[1]}}',
        event(2, path="/\u0000", user_agent="\u0000\u202e", method="\u0000"),
        event(3, path="/" + "a" * 60_000),
        event(4, method="-", path="(malformed)"),
        event(5, ts=NOON + timedelta(minutes=64)),
        event(6, ts=datetime(1995, 1, 1, tzinfo=UTC)),
        b" " + event(7) + b"\n",
    ]
    assert outcome(counted(*odd)) == (7, 0, 0)


def test_reasons_and_samples_stay_few_whatever_is_sent() -> None:
    lines = [b'{"source":"s","seq":%d,"error":"%s","raw":""}' % (n, b"!" * (n % 100 + 1)) for n in range(1, 1001)]
    summary = counted(*lines).summary
    assert len(summary.reject_counts) == 51  # fifty and (other)
    assert sum(count.records for count in summary.reject_counts) == 1000
    assert len(summary.reject_samples) <= 51 * 5


def test_samples_hold_no_address() -> None:
    (sample,) = counted(b'{"ip":"192.0.2.7"').summary.reject_samples
    assert sample.sample == '{"ip":":ip"'


@given(st.lists(st.binary(max_size=60) | st.sampled_from([GOOD, event(2), GOOD[:-1]])))
def test_every_record_ends_up_somewhere(values: list[bytes]) -> None:
    assert sum(outcome(counted(*values))) == len(values)

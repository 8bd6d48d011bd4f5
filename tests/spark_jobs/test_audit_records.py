"""Records as rows of single lines: one row a record, with the shared meaning of its values and nothing added up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from spark_jobs.audit_ledger import PartitionLedger
from spark_jobs.audit_records import read_records
from tests.spark_jobs.conftest import NOON, event

SECRET = b"0123456789abcdef"
NOON_US = int(NOON.timestamp()) * 1_000_000


def ledger(until: int, committed_us: int = NOON_US + 60_000_000) -> dict[int, PartitionLedger]:
    """One batch that counted the offsets before ``until`` a minute after noon."""
    of = [np.array([number], dtype=np.int64) for number in (0, until, 7, committed_us, until, 0)]
    return {3: PartitionLedger(*of)}


def read(*values: bytes | None, until: int = 100, secret: bytes = SECRET) -> list[dict[str, Any]]:
    batch = pa.RecordBatch.from_pydict(
        {
            "partition": pa.array([3] * len(values), pa.int32()),
            "offset": pa.array(range(len(values)), pa.int64()),
            "value": pa.array(values, pa.binary()),
        }
    )
    rows = [row for part in read_records([batch], secret, ledger(until)) for row in part.to_pylist()]
    return sorted(rows, key=lambda row: row["kafka_offset"])


def test_a_record_becomes_a_row_that_says_where_it_stands_and_what_it_holds() -> None:
    (row,) = read(event(5, path="/about?utm_source=mail&q=x", referrer="https://www.google.com/search?q=x"))
    visitor = row.pop("visitor")
    assert isinstance(visitor, int)
    assert row == {
        **{"ledger_id": 7, "committed_us": NOON_US + 60_000_000, "kafka_partition": 3, "kafka_offset": 0},
        **{"source": "web-1", "seq": 5, "valid": True, "ts_us": NOON_US, "status_code": 200, "bytes_sent": 100},
        **{"latency_us": 5000, "site": "shop", "country": "DE", "path": "/about", "method": "GET", "is_page": True},
        **{
            "agent_class": "human",
            "agent_rule": "browser",
            "browser": "Firefox",
            "os": "Linux",
            "device": "unrecognised",
        },
        **{"utm_source": "mail", "utm_medium": None, "utm_campaign": None, "utm_term": None, "utm_content": None},
        **{"referrer_class": "search", "referrer": "google.com", "protocol": "", "host": ""},
    }


def test_neither_address_nor_user_agent_nor_query_string_is_in_a_row() -> None:
    (row,) = read(event(1, ip="198.51.100.77", user_agent="curl/8.5.0 planted-agent", path="/x?token=planted-query"))
    for planted in ("198.51.100.77", "planted-agent", "planted-query"):
        assert planted not in str(row)


def test_a_visitor_is_the_same_within_an_audit_and_another_in_the_next() -> None:
    first, again, elsewhere, mapped = (
        row["visitor"] for row in read(event(1), event(2), event(3, site="blog"), event(4, ip="::FFFF:192.0.2.7"))
    )
    assert first == again == mapped
    assert first != elsewhere
    assert read(event(1), secret=b"fedcba9876543210")[0]["visitor"] != first


def test_a_scanner_is_one_by_what_it_asks_for_whoever_it_says_it_is() -> None:
    first, second = read(event(1, path="/.env", status=404), event(2, path="/wp-login.php"))
    assert (first["agent_class"], first["agent_rule"]) == ("scanner", "probing path: secrets")
    assert (second["agent_class"], second["agent_rule"]) == ("human", "browser")


def test_a_rejected_record_keeps_only_its_place_in_its_source() -> None:
    unreadable = b'{"source":"web-1","seq":2,"error":"not in the format","raw":"?"}'
    found = read(
        event(1).replace(b'"status":200', b'"status":"200"'),
        unreadable,
        b"{",
        None,
        event(5, ts=NOON.replace(year=1994)),
    )
    assert [(row["valid"], row["source"], row["seq"]) for row in found] == [
        *((False, "web-1", 1), (False, "web-1", 2), (False, None, None), (False, None, None), (False, "web-1", 5)),
    ]
    assert {row["site"] for row in found} == {None}


def test_the_future_begins_five_minutes_after_the_batch() -> None:
    just, beyond = read(event(1, second=360), event(2, second=361))
    assert (just["valid"], beyond["valid"]) == (True, False)


def test_a_record_that_no_batch_has_counted_yet_is_left_out() -> None:
    assert [row["kafka_offset"] for row in read(event(1), event(2), event(3), until=2)] == [0, 1]

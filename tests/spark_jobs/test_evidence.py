"""The lines behind a cell are found and shown without telling who they are of."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from spark_jobs.evidence import EvidenceReader, Shown, Wanted, network
from tests.spark_jobs.conftest import NOON, event


def shown(wanted: Wanted, *values: bytes | None) -> list[Shown]:
    reader = EvidenceReader(wanted)
    found = [reader.shown(2, offset, value) for offset, value in enumerate(values, start=40)]
    return [each for each in found if each is not None]


def test_only_lines_of_the_site_and_hour_are_shown_each_with_its_place() -> None:
    found = shown(
        Wanted("shop", NOON),
        event(1, second=-1),
        event(2),
        event(3, second=3599),
        event(4, second=3600),
        event(5, site="blog"),
        b"{",
        None,
        event(6, ts=(NOON + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00")),
    )
    assert [(each.kafka_partition, each.kafka_offset, each.seq) for each in found] == [
        (2, 41, 2),
        (2, 42, 3),
        (2, 47, 6),
    ]


@pytest.mark.parametrize(
    ("path", "status", "seqs"),
    [
        (None, None, [1, 2, 3]),
        ("/home", None, [1, 2]),
        ("/home", 404, [2]),
        (None, 4, [2, 3]),
        (None, 5, []),
        ("(malformed)", None, [3]),
    ],
)
def test_a_page_and_a_status_or_its_class_narrow_it_down(
    path: str | None, status: int | None, seqs: list[int]
) -> None:
    lines = [event(1, path="/home?x=1"), event(2, status=404), event(3, status=400, method="-", path="(malformed)")]
    assert [each.seq for each in shown(Wanted("shop", NOON, path, status), *lines)] == seqs


def test_a_repeated_line_is_marked_and_one_without_a_place_in_a_source_never_is() -> None:
    lines = [event(1), event(1), event(None, None), event(None, None)]
    assert [each.repeated for each in shown(Wanted("shop", NOON), *lines)] == [False, True, False, False]


def test_nothing_shown_tells_address_query_string_or_whole_user_agent() -> None:
    secrets: dict[str, object] = {
        "ip": "203.0.113.77",
        "path": "/a/joe@example.org?token=SECRET&utm_source=news&utm_term=203.0.113.77#x",
        "referrer": "https://user:SECRET@other.example/SECRET?q=SECRET",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; SECRET) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
        "host": "203.0.113.77",
        "method": "GET?x=SECRET",
        "protocol": "SECRET",
    }
    (found,) = shown(Wanted("shop", NOON), event(1, **secrets))  # type: ignore[arg-type]
    text = msgspec.json.encode(found).decode()
    for secret in ("SECRET", "203.0.113.77", "joe", "token"):
        assert secret not in text
    assert (found.method, found.protocol) == ("(other)", "(other)")
    assert (found.network, found.referrer, found.host) == ("203.0.x.x", "other.example", ":ip")
    assert found.campaign == {"utm_source": "news", "utm_term": ":ip"}
    assert (found.browser, found.agent_class) == ("Chrome", "scanner")  # by its method


@pytest.mark.parametrize(
    ("address", "shown_as"),
    [
        ("203.0.113.77", "203.0.x.x"),
        ("::ffff:203.0.113.77", "203.0.x.x"),
        ("2001:db8:1:2::3", "2001:0db8:x"),
        ("dialup-7.isp.example", "(host name)"),
    ],
)
def test_of_an_address_its_network_is_shown(address: str, shown_as: str) -> None:
    assert network(address) == shown_as

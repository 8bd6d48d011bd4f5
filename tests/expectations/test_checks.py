"""What counts as an address in stored text."""

from __future__ import annotations

import re

import pytest

from expectations.checks import CHECKS
from expectations.remedies import remedy
from sql.stored_text import IPV4, IPV6
from sql.warehouse import statement


def looks_like_an_address(text: str) -> bool:
    return re.search(IPV4, text) is not None or re.search(IPV6, text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "/who/192.0.2.7",
        "/192.0.2.7/x",
        "192.0.2.7",
        "/x-192.0.2.7.html",
        "/ip=255.255.255.255",
        "/2001:db8::1",
        "/2001:db8:0:0:0:0:0:1/x",
        "/2001%3Adb8%3A%3A1",
        "/fe80::1",
        "/::1",
        "/2001:db8::",
        "/::ffff:192.0.2.7",
    ],
)
def test_an_address_is_found_in_a_text(text: str) -> None:
    assert looks_like_an_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/home",
        "/products/10.2.3",
        "/files/logstash-1.1.13-monolithic.jar",
        "/1.2.3.4.5",
        "/999.1.1.1",
        "/12:30:45",
        "/Add::Face",
        "/perl/Net::DNS",
        "/:ip/x",
        "/a%20b%3Ac",
        "status: expected int in 100..599",
        "seq 12345678901234567890",
    ],
)
def test_what_is_no_address_is_left_alone(text: str) -> None:
    assert not looks_like_an_address(text)


def test_each_check_has_a_name_of_its_own_and_says_what_it_demands_and_who_looks() -> None:
    names = [(check.suite, check.name) for check in CHECKS]
    assert len(names) == len(set(names))
    for check in CHECKS:
        assert check.description.endswith("."), check.name
        assert check.threshold, check.name
        assert check.owner, check.name


def test_each_check_names_the_statement_that_gives_its_columns() -> None:
    def columns(name: str) -> set[str]:
        return set(re.findall(r"\w+", re.sub(r"--.*", "", statement(name))))

    texts = {name: columns(name) for name in ("quality/hour_facts", "quality/hour_cells")}
    for check in CHECKS:
        assert set(check.columns) <= texts[check.statement], check.name
        assert {name for name, found in texts.items() if set(check.columns) <= found} == {check.statement}, check.name


def test_each_check_says_what_to_do_when_it_fails_and_none_that_is_no_more() -> None:
    for check in CHECKS:
        words = remedy(check.suite, check.name)
        assert words.endswith("."), check.name
        assert len(words.split()) > 15, check.name
    assert len({remedy(check.suite, check.name) for check in CHECKS if "value" not in check.name}) >= 20
    assert remedy("hourly_report", "hour_has_buckets") == ""


def test_a_check_of_a_number_names_its_unit() -> None:
    for check in CHECKS:
        assert bool(check.unit) == (check.statement == "quality/hour_facts"), check.name

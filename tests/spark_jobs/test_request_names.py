"""Only registered methods and HTTP's versions are stored by name."""

from __future__ import annotations

import pytest

from producers.site_model import METHODS as GENERATED
from spark_jobs.request_names import METHODS, stored_method, stored_protocol


@pytest.mark.parametrize("method", sorted({*METHODS, *GENERATED, "-"}))
def test_a_registered_method_and_the_mark_of_a_malformed_request_stay(method: str) -> None:
    assert stored_method(method) == method


@pytest.mark.parametrize(
    "method", ["person@mail.example", "GET?x=secret", "get", "", "203.0.113.9", "\u0000", "(other)"]
)
def test_whatever_else_is_sent_as_a_method_is_other(method: str) -> None:
    assert stored_method(method) == "(other)"


@pytest.mark.parametrize(
    ("protocol", "stored"),
    [
        ("HTTP/1.1", "HTTP/1.1"),
        ("HTTP/2.0", "HTTP/2.0"),
        ("HTTP/3", "HTTP/3"),
        (None, ""),
        ("", ""),
        ("HTTP/1.1?x=s", "(other)"),
        ("joe@mail.example", "(other)"),
        ("HTTP/1.1\n", "(other)"),
    ],
)
def test_a_protocol_is_a_version_of_http_nothing_or_other(protocol: str | None, stored: str) -> None:
    assert stored_protocol(protocol) == stored

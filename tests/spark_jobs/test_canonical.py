"""What strangers type is made fit to be stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.canonical import canonical_path, mask_addresses, printable_sample, registered_country
from sql.stored_text import ADDRESS


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/home", "/home"),
        ("/home?utm_source=x#top", "/home"),
        ("/Home", "/Home"),
        ("http://shop.example/cart?x=1", "/cart"),
        ("http://shop.example", "/"),
        ("*", "*"),
        ("?x=1", "(malformed)"),
        ("shop.example:443", "(malformed)"),
        ("(malformed)", "(malformed)"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("/<script>", "/%3Cscript%3E"),
        ("/\u202egpj.exe", "/%E2%80%AEgpj.exe"),
        ("/\x00", "/%00"),
        ("/\ud800", "/%5Cud800"),
        ("/proxy/192.0.2.7/x", "/proxy/:ip/x"),
        ("/2001:db8::1/x", "/:ip/x"),
        ("/x/2001%3Adb8%3A%3A1", "/x/:ip"),
        ("/x/%31.2.3.4", "/x/:ip"),
        ("/x/2001%253Adb8%253A%253A1/%20", "/x/:ip/%20"),
        ("/std%3A%3Avector", "/std%3A%3Avector"),
        ("/v/1.2.3.4.5", "/v/1.2.3.4.5"),
        ("/std::vector", "/std::vector"),
    ],
)
def test_a_target_becomes_its_path(target: str, path: str) -> None:
    assert canonical_path(target) == path


def test_long_paths_are_cut_at_512_bytes_and_stay_different() -> None:
    one, other = canonical_path("/" + "a" * 1_000_000), canonical_path("/" + "a" * 999_999 + "b")
    assert len(one) == len(other) == 512
    assert one != other


def test_neither_encoding_nor_cutting_makes_an_address() -> None:
    assert ADDRESS.search(canonical_path("/é:1::2")) is None
    for length in range(470, 500):
        assert ADDRESS.search(canonical_path("/" + "a" * length + "/1.2.3.4567" + "b" * 99)) is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", [":", "%", "1.", "a:", "%3A", "1", "::1/", "1.2.3.4."])
def test_no_text_however_hostile_takes_long(part: str) -> None:
    text = (part * 64_000)[:64_000] + "g"
    assert len(canonical_path("/" + text)) <= 512
    assert len(printable_sample(text.encode())) <= 2000
    mask_addresses(text)


@given(st.text(st.characters(exclude_categories=[])))
def test_every_path_is_printable_ascii_bounded_and_stable(target: str) -> None:
    path = canonical_path(target)
    assert path
    assert len(path) <= 512
    assert all("!" <= character <= "~" for character in path)
    assert canonical_path(path) == path


@given(st.ip_addresses())
def test_no_address_survives_masking(address: object) -> None:
    assert str(address) not in mask_addresses(f"from {address} to")


def test_a_sample_shows_other_bytes_as_escapes_and_no_address() -> None:
    assert printable_sample(b'{"ip":"192.0.2.7","p":"\x1b[31m\xff"}') == '{"ip":":ip","p":"\\x1b[31m\\xff"}'
    assert len(printable_sample(b"\xff" * 100_000)) <= 2000


def test_a_sample_shows_neither_client_name_nor_query_string() -> None:
    record = b'{"ip":"dialup-1.isp.example","path":"/a?token=x","raw":"192.168.001.005 - - GET"}'
    assert printable_sample(record) == '{"ip":":ip","path":"/a?","raw":":ip - - GET"}'


@pytest.mark.parametrize(
    ("ip", "country"),
    [("8.8.8.8", "US"), ("::ffff:8.8.8.8", "US"), ("2a00:1450::1", "IE"), ("10.0.0.1", ""), ("host.example", "")],
)
def test_an_address_gives_its_registered_country_or_nothing(ip: str, country: str) -> None:
    assert registered_country(ip) == country

"""What strangers type is made fit to be stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.canonical import canonical_path, mask_addresses, registered_country
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
        ("/unsubscribe/joe.doe@mail.example.org", "/unsubscribe/:id"),
        ("/unsubscribe/joe%40example.org/x", "/unsubscribe/:id/x"),
        ("/unsubscribe/joe%252540example.org", "/unsubscribe/:id"),
        ("/u/joe@163.com", "/u/:id"),
        ("/img/logo@2x.png", "/img/logo@2x.png"),
        ("/npm/jquery@3.7.1/dist/jquery.min.js", "/npm/jquery@3.7.1/dist/jquery.min.js"),
        ("/npm/jquery@3.7.1.min.js", "/npm/jquery@3.7.1.min.js"),
        ("/@joe/photos", "/@joe/photos"),
        ("/login/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/login/:id"),
        ("/orders/123e4567-e89b-12d3-a456-426614174000/pay", "/orders/:id/pay"),
        ("/reset/0123456789abcdef0123456789abcdef", "/reset/:id"),
        ("/static/0123456789abcdef0123456789abcdef.css", "/static/0123456789abcdef0123456789abcdef.css"),
        ("/commit/0123456789abcdef", "/commit/0123456789abcdef"),
        ("/a%3Fsession=secret", "/a"),
        ("/a%20b%253fsession=secret", "/a%20b"),
        ("/a%252525253Fsession=secret", "/a"),
        ("/a%25%33%46session=secret", "/a"),
        ("/%3Fx", "/"),
        ("http://shop.example/cart%3Fx=1", "/cart"),
        ("/shop;jsessionid=0A1B2C3D.node7/cart", "/shop;jsessionid=:id/cart"),
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
@pytest.mark.parametrize(
    "part", [":", "%", "1.", "a:", "%3A", "1", "::1/", "1.2.3.4.", "a@", "a.", "@", "eyJ", ";sid=", "a0/", "f"]
)
def test_no_text_however_hostile_takes_long(part: str) -> None:
    text = (part * 64_000)[:64_000] + "g"
    assert len(canonical_path("/" + text)) <= 512
    mask_addresses(text)


@given(st.text(st.characters(exclude_categories=[])))
def test_every_path_is_printable_ascii_bounded_and_stable(target: str) -> None:
    path = canonical_path(target)
    assert path
    assert len(path) <= 512
    assert all("!" <= character <= "~" for character in path)
    assert canonical_path(path) == path


@given(st.from_regex(r"/[a@.%/;=:-]{0,40}(?:a@b\.co|@2x\.png|;sid=1|[0-9a-f]{32})[a@.%/;=:é-]{0,40}", fullmatch=True))
def test_masking_what_names_a_person_once_is_enough(target: str) -> None:
    path = canonical_path(target)
    assert canonical_path(path) == path


@given(st.emails(domains=st.sampled_from(["example.org", "mail.example.co.uk"])))
def test_no_e_mail_address_survives_in_a_path(email: str) -> None:
    assert email.partition("@")[2] not in canonical_path(f"/u/{email}/x".replace("/u//", "/u/")) or "/" in email


@given(st.ip_addresses())
def test_no_address_survives_masking(address: object) -> None:
    assert str(address) not in mask_addresses(f"from {address} to")


@pytest.mark.parametrize(
    ("ip", "country"),
    [("8.8.8.8", "US"), ("::ffff:8.8.8.8", "US"), ("2a00:1450::1", "IE"), ("10.0.0.1", ""), ("host.example", "")],
)
def test_an_address_gives_its_registered_country_or_nothing(ip: str, country: str) -> None:
    assert registered_country(ip) == country

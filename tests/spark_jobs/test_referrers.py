"""Of a referrer its host and class are kept, of a query string the campaign; nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.referrers import CAMPAIGN_PARAMETERS, campaign, classify, host_name
from sql.stored_text import ADDRESS

OWN = {"shop.example"}


@pytest.mark.parametrize(
    ("referrer", "referrer_class", "host"),
    [
        (None, "none", ""),
        ("", "none", ""),
        ("-", "none", ""),
        ("https://www.google.com/", "search", "google.com"),
        ("http://www.google.co.uk/search?q=secret", "search", "google.co.uk"),
        ("https://mail.google.com/mail/u/0", "other", "mail.google.com"),
        ("https://duckduckgo.com/", "search", "duckduckgo.com"),
        ("https://de.search.yahoo.com/", "search", "de.search.yahoo.com"),
        ("android-app://com.google.android.gm/", "other", "com.google.android.gm"),
        ("https://notgoogle.com/", "other", "notgoogle.com"),
        ("https://google.com.evil.example/", "other", "google.com.evil.example"),
        ("https://t.co/abc", "social", "t.co"),
        ("https://l.instagram.com/?u=x", "social", "l.instagram.com"),
        ("https://news.ycombinator.com/item?id=1", "social", "news.ycombinator.com"),
        ("https://netflix.com/", "other", "netflix.com"),
        ("https://www.shop.example/cart?token=x", "internal", "shop.example"),
        ("HTTPS://SHOP.EXAMPLE:8443/x", "internal", "shop.example"),
        ("/cart", "internal", ""),
        ("https://user:pw@other.example./x", "other", "other.example"),
        ("http://192.0.2.7:8080/x", "other", ":ip"),
        ("http://[2001:db8::1]/x", "other", ":ip"),
        ("http://b\u00fccher.example/", "other", "xn--bcher-kva.example"),
        ("http://\u202e/", "other", "(malformed)"),
        ("http://", "other", "(malformed)"),
        ("javascript:alert(1)", "other", "(malformed)"),
        ("//evil.example/x", "other", "(malformed)"),
        ("http://" + "a" * 300 + ".example/", "other", "a" * 92 + ".example"),
    ],
)  # fmt: skip
def test_a_referrer_has_a_class_and_a_host(referrer: str | None, referrer_class: str, host: str) -> None:
    assert classify(referrer, OWN) == (referrer_class, host)


@given(st.text(st.characters(exclude_categories=[])).map("http://".__add__) | st.text())
def test_whatever_is_sent_a_referrer_is_a_host_name_and_no_address(referrer: str) -> None:
    _, host = classify(referrer, OWN)
    assert re.fullmatch(r"[a-z0-9._-]{0,100}|:ip|\(malformed\)", host)
    assert ADDRESS.search(host) is None


def test_a_host_name_is_the_same_however_it_is_written() -> None:
    assert {host_name(text) for text in ("www.Shop.example", "shop.example:443", "SHOP.EXAMPLE.")} == {"shop.example"}


def test_the_campaign_is_all_that_is_kept_of_a_query_string() -> None:
    target = "/x?session=secret&utm_source=news%20letter&utm_medium=e+mail&utm_id=7&UTM_TERM=x#utm_term=y"
    assert campaign(target) == {"utm_source": "news letter", "utm_medium": "e mail"}
    assert campaign("/utm_source=x") == {}
    assert campaign("/x?utm_source=&utm_source=second&utm_source=third") == {"utm_source": "second"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("joe@example.org", ":id"),
        ("to%20joe%2540example.org%21", "to :id!"),
        ("192.0.2.7", ":ip"),
        ("2001%3Adb8%3A%3A1", ":ip"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", ":id"),
        ("caf%C3%A9", "caf%C3%A9"),
        ("%00%1b[31m", "%00%1B[31m"),
        ("x" * 300, "x" * 100),
        ("<b>", "<b>"),
        ("https%3A%2F%2Fx.example%2F%3Ftoken%3Dsecret", "https://x.example/"),
        ("x%25252525253Ftoken=secret", "x"),
        ("https://x.example/%26token=secret", "https://x.example/"),
        ("https://x.example/%23access_token%3Dsecret", "https://x.example/"),
        ("black%26white+%231", "black&white #1"),
    ],
)
def test_a_campaign_value_is_printable_short_and_names_nobody(value: str, kept: str) -> None:
    assert campaign(f"/x?utm_term={value}") == {"utm_term": kept}


@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_is_sent_a_campaign_is_printable_ascii_and_no_address(text: str) -> None:
    for name, value in campaign(f"/x?utm_source={text}&utm_term={text}").items():
        assert name in CAMPAIGN_PARAMETERS
        assert re.fullmatch(r"[ -~]{1,100}", value)
        assert ADDRESS.search(value) is None


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "part", ["a@", "@", "a.", "eyJ", "%25", "1.", "a:", "utm_source=", "&", "%26", "%26a", "x-", "\u00fc."]
)
def test_no_referrer_or_query_however_hostile_takes_long(part: str) -> None:
    text = part * 60_000
    classify("http://" + text, OWN)
    campaign("/?utm_source=" + text)

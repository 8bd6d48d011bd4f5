"""Lines of real servers become events; what a stranger typed never breaks the parser."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from producers.apache_format import FormatUnusable, Unparsable
from producers.log_formats import parser, recognise

COMBINED = parser("combined")


def combined(
    request: str = "GET / HTTP/1.1",
    *,
    time: str = "17/May/2015:10:05:03 +0000",
    size: str = "5",
    agent: str = "curl",
) -> bytes:
    return f'1.2.3.4 - - [{time}] "{request}" 200 {size} "-" "{agent}"'.encode("latin-1")


def test_a_combined_line_becomes_an_event() -> None:
    event = COMBINED(b'1.2.3.4 - bob [17/May/2015:12:05:03 +0200] "GET /a?b=1 HTTP/1.1" 404 12 "http://r/" "curl/8"')
    assert event.ts == datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)
    assert (event.ip, event.method, event.path, event.status, event.bytes) == ("1.2.3.4", "GET", "/a?b=1", 404, 12)
    assert (event.referrer, event.user_agent) == ("http://r/", "curl/8")


def test_a_common_line_has_no_referrer_and_no_user_agent() -> None:
    event = parser("common")(b'::1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 200 -')
    assert (event.ip, event.bytes, event.referrer, event.user_agent) == ("::1", 0, None, None)


@pytest.mark.parametrize(
    ("request_line", "method", "path"),
    [
        ("GET / HTTP/1.1", "GET", "/"),
        ("get /A/b HTTP/2", "get", "/A/b"),
        ("PROPFIND /x HTTP/1.1", "PROPFIND", "/x"),
        ("GET http://Shop.example:80/A?x=1 HTTP/1.1", "GET", "/A?x=1"),
        ("GET https://shop.example HTTP/1.1", "GET", "/"),
        ("GET http://shop.example?x HTTP/1.1", "GET", "/?x"),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*"),
        ("CONNECT shop.example:443 HTTP/1.1", "CONNECT", "shop.example:443"),
        ("GET /?next=http://x/y HTTP/1.1", "GET", "/?next=http://x/y"),
        ("GET /caf\\xc3\\xa9 HTTP/1.1", "GET", "/caf%C3%A9"),
        ("GET /caf\xc3\xa9 HTTP/1.1", "GET", "/caf%C3%A9"),
        ("GET /\\xff HTTP/1.1", "GET", "/%FF"),
        ('GET /\\"q\\" HTTP/1.1', "GET", '/"q"'),
        ("GET /%41 HTTP/1.1", "GET", "/%41"),
        ("-", "-", "(malformed)"),
        ("", "-", "(malformed)"),
        ("GET /", "-", "(malformed)"),
        ("GET /a b HTTP/1.1", "-", "(malformed)"),
        ("\\x16\\x03\\x01", "-", "(malformed)"),
        ("\x16\x03\x01\x00", "-", "(malformed)"),
    ],
)
def test_a_request_is_what_the_stranger_typed_or_malformed(request_line: str, method: str, path: str) -> None:
    event = COMBINED(combined(request_line))
    assert (event.method, event.path) == (method, path)


@pytest.mark.parametrize(
    ("request_line", "protocol"),
    [
        ("GET / HTTP/1.1", "HTTP/1.1"),
        ("GET / HTTP/2", "HTTP/2"),
        ("GET /", None),
        ("-", None),
        ("GET / HTTP/11.1", None),
    ],
)
def test_the_protocol_is_that_of_the_request_line(request_line: str, protocol: str | None) -> None:
    assert COMBINED(combined(request_line)).protocol == protocol


@pytest.mark.parametrize(
    ("log_format", "prefix", "host"),
    [
        ("%v", "shop.example", "shop.example"),
        ("%V", "shop.example", "shop.example"),
        ("%{Host}i", "Shop.example:8080", "Shop.example:8080"),
        ("%{Host}i", "-", None),
        ("%{Host}i", "x" * 9000, "x" * 255),
        ("%{Host}i %v", "asked.example own.example", "own.example"),
        ("%{X}i", "y", None),
    ],
)
def test_the_virtual_host_comes_from_the_fields_that_name_it(log_format: str, prefix: str, host: str | None) -> None:
    parse = parser(f"{log_format} %h %t %r %>s %b")
    assert parse(f"{prefix} 1.1.1.1 [17/May/2015:10:05:03 +0000] GET /x HTTP/1.1 200 1".encode()).host == host


def test_a_protocol_logged_apart_is_read() -> None:
    parse = parser("%h %t %m %U %H %>s %b")
    assert parse(b"1.1.1.1 [17/May/2015:10:05:03 +0000] GET /x HTTP/2.0 200 1").protocol == "HTTP/2.0"
    assert parse(b"1.1.1.1 [17/May/2015:10:05:03 +0000] GET /x INCLUDED 200 1").protocol is None


def test_json_lines_may_name_protocol_and_host() -> None:
    event = parser("json")(JSON_LINE[:-1] + b',"protocol":"HTTP/3","host":"s.example"}')
    assert (event.protocol, event.host) == ("HTTP/3", "s.example")


@pytest.mark.parametrize(
    ("logged", "utc"),
    [
        ("31/Dec/2016:23:59:60 +0000", datetime(2017, 1, 1, tzinfo=UTC)),
        ("01/Jan/2017:05:29:60 +0530", datetime(2017, 1, 1, tzinfo=UTC)),
        ("29/Feb/2016:23:30:00 -0100", datetime(2016, 3, 1, 0, 30, tzinfo=UTC)),
    ],
)
def test_times_are_utc_and_a_leap_second_is_the_next_second(logged: str, utc: datetime) -> None:
    assert COMBINED(combined(time=logged)).ts == utc


@pytest.mark.parametrize(
    "logged", ["30/Feb/2016:10:00:00 +0000", "01/Foo/2016:10:00:00 +0000", "01/Jan/0001:00:00:00 +1400", "x"]
)
def test_a_time_that_does_not_exist_makes_the_line_unparsable(logged: str) -> None:
    with pytest.raises(Unparsable, match="no such time"):
        COMBINED(combined(time=logged))


def test_a_user_agent_keeps_its_quotes_and_shows_bytes_that_are_no_text() -> None:
    assert COMBINED(combined(agent='\\"x\\" \\xff')).user_agent == '"x" \\xff'


@pytest.mark.parametrize("line", [b"", b"rubbish", combined()[:-1], combined() + b' "extra"'])
def test_a_line_cut_or_of_another_format_is_unparsable(line: bytes) -> None:
    with pytest.raises(Unparsable):
        COMBINED(line)


def test_a_log_format_string_may_name_other_fields_and_a_latency() -> None:
    parse = parser('%v %a \\"%r\\" %>s %O %D %{%Y-%m-%dT%H:%M:%S%z}t \\"%{user-agent}i\\" %{X-Id}o')
    event = parse(b's.example 9.9.9.9 "GET /x HTTP/1.1" 200 77 1500 2026-11-17T01:00:00+0100 "curl" -')
    assert (event.ip, event.path, event.bytes, event.latency_ms) == ("9.9.9.9", "/x", 77, 1.5)
    assert event.ts == datetime(2026, 11, 17, tzinfo=UTC)
    assert event.user_agent == "curl"


def test_method_and_path_may_be_logged_apart() -> None:
    event = parser("%h %t %m %U%q %>s %b")(b"1.1.1.1 [17/May/2015:10:05:03 +0000] GET /x?y=1 200 1")
    assert (event.method, event.path) == ("GET", "/x?y=1")


def test_a_time_without_a_zone_is_unparsable() -> None:
    with pytest.raises(Unparsable, match="without a zone"):
        parser('%h %{%Y-%m-%d %H:%M:%S}t "%r" %>s %b')(b'1.1.1.1 2026-11-17 10:00:00 "GET / HTTP/1.1" 200 1')


@pytest.mark.parametrize(
    ("log_format", "says"), [("bogus", "unknown format"), ("%h %t", "lacks"), ("%h %9", "not an Apache LogFormat")]
)
def test_an_unusable_format_says_why(log_format: str, says: str) -> None:
    with pytest.raises(FormatUnusable, match=says):
        parser(log_format)


def test_the_format_is_that_of_the_first_line_that_fits() -> None:
    parse, first = recognise([b"cut in rotation", combined("GET /first HTTP/1.1")])
    assert first.path == "/first"
    assert parse(combined("GET /x HTTP/1.1")).path == "/x"


def test_an_unknown_log_is_refused_with_the_line_and_the_option() -> None:
    with pytest.raises(FormatUnusable, match=r"line 1 .*FORMAT"):
        recognise([b"root:x:0:0"])


JSON_LINE = b'{"ts":"2026-11-17T10:00:00+01:00","ip":"1.1.1.1","method":"GET","path":"/p","status":200,"bytes":1}'


def test_json_lines_are_the_wire_contract() -> None:
    assert parser("json")(JSON_LINE).path == "/p"


@pytest.mark.parametrize(
    ("path", "repaired"), [(b"/\xff", "/%FF"), (b"/\\xc3\\xa9", "/é"), (b"/\\x22", '/"'), (b"/\\\\x41", "/\\x41")]
)
def test_json_that_a_server_wrote_wrong_is_repaired(path: bytes, repaired: str) -> None:
    assert parser("json")(JSON_LINE.replace(b"/p", path)).path == repaired


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (JSON_LINE + b"{}", "not JSON"),
        (JSON_LINE.replace(b"200", b'"200"'), "status"),
        (JSON_LINE.replace(b"200", b"NaN"), "not JSON"),
        (JSON_LINE.replace(b'"bytes":1', b'"bytes":-1'), "bytes"),
        (JSON_LINE[:-1] + b',"protocol":"' + b"x" * 17 + b'"}', "protocol"),
        (b"[1]", "Expected"),
    ],
)
def test_json_that_breaks_the_contract_is_unparsable_with_its_field(line: bytes, reason: str) -> None:
    with pytest.raises(Unparsable, match=reason):
        parser("json")(line)

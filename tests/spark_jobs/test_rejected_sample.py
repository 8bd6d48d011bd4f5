"""A sample of a rejected record shows how the record is built, and cannot hold whom it tells of."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.access_log import AccessEvent, Names, UnparsedLine
from producers.log_records import TOO_LONG
from spark_jobs.rejected_sample import rejected_sample, shape, told_error
from tests.spark_jobs.conftest import event

AGENT = "Mozilla/5.0 (Windows NT 10.0; plantedagent) AppleWebKit/537.36"


def unparsed(raw: str, error: str = "not in the log format") -> bytes:
    return msgspec.json.encode(UnparsedLine("log-1", 7, error, raw))


@pytest.mark.parametrize(
    ("record", "sample"),
    [
        (
            b'{"ts":"2026-13-01T00:00:00Z","ip":"pc7.isp.example","status":"OK","bytes":-1,"method":"GET"}',
            '{"ts":"2026-13-01T00:00:00Z","ip":"(string)","status":"a","bytes":-1,"method":"GET"}',
        ),
        (b'{"ip":["pc7.isp.example"],"user_agent":{"x":1}}', '{"ip":"(array)","user_agent":"(object)"}'),
        (b'{"ip":3405803785,"referrer":null,"ts":1763539200}', '{"ip":"(number)","referrer":null,"ts":1763539200}'),
        (b'{"path":"/a?q=\\"joe\\""}', '{"path":"/a?a=\\"a\\""}'),
        (b'{"path":"/a?q=john doe#x"}', '{"path":"/a?a=a a#a"}'),
        (b'{"path":"/a%3Fsession=x"}', '{"path":"/a%0a=a"}'.replace("%0a", "%a0")),
        (b'{"path":"/u/joe@example.org/192.0.2.7"}', '{"path":"/u/:id/:ip"}'),
        (b'{"path":"/a HTTP/1.1 Mozilla/5.0"}', '{"path":"/a HTTP/0.0 a/0.0"}'),
        (b'{"path":"https://joe:pw@h.example/a"}', '{"path":"a://a:a@a.a/a"}'),
        (b'{"path":{"path":"/home"},"method":"GET?x"}', '{"path":"(object)","method":"GET?a"}'),
        (b'{"client_name":"Joe","john.doe":1,"pc7.isp":[]}',
         '{"client_name":"(string)","a.a":"(number)","a0.a":"(array)"}'),
        (b'{"site":"shop.example","source":"log-1","seq":"x","site2":"x"}',
         '{"site":"shop.example","source":"log-1","seq":"a","a0":"(string)"}'),
        (b'{"source":"/a?token=x","site":"192.0.2.7"}', '{"source":"/a?a=a","site":":ip"}'),
        (b'{"ip":"192.0.2.7","status":2', '{"ip":":ip","status":0'),
        (b'[{"ts":"x"}]', '[{"ts":"a"}]'),
        (b"\xff\x00caf\xc3\xa9", "\\x..\\x00a\\x.."),
        (b"", ""),
        (b"null", "null"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_harmless_is_shown_and_of_all_else_type_or_shape(record: bytes, sample: str) -> None:
    assert rejected_sample(record) == sample


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (
            f"2026-11-19 09:00:00 GET /x session=plantedsecret 80 planteduser 203.0.113.9 {AGENT.replace(' ', '+')}",
            "0-0-0 0:0:0 GET /a a=a 0 a :ip a/0.0+(a+a+0.0;+a)+a/0.0",
        ),
        ("pc7.isp.example\tjoe\tGET\t/a", r"a0.a.a\a\a\a/a"),
        (
            'pc7.isp.example - joe [19/Nov/2026:09:00:00 +0000] "GET /a? x HTTP/1.1" 200 5 "-" "Mozilla/5.0"',
            'a0.a.a - a [0/a/0:0:0:0 +0] "GET /a? a HTTP/0.0" 0 0 "-" "a/0.0"',
        ),
    ],
)
def test_of_a_line_that_was_not_parsed_the_shape_is_shown_with_its_reason(raw: str, shown: str) -> None:
    # The shipper escapes what is not printable before it sends a line.
    sample = json.loads(rejected_sample(unparsed(raw.replace("\t", "\\t"))))
    assert sample == {"source": "log-1", "seq": 7, "error": "not in the log format", "raw": shown}


PLANTED = st.from_regex(r"plantedagent|planted-pc\.isp\.example|plantedsecret[0-9]{1,3}", fullmatch=True)
# Not site and source: they are names that whoever runs the shipper gave, and stand in tables of their own.
NAMES = st.sampled_from(
    sorted({*AccessEvent.__struct_fields__, *UnparsedLine.__struct_fields__, "client", "agent"} - {"site", "source"})
)


@given(
    st.dictionaries(NAMES, st.text() | st.lists(st.text()), max_size=4),
    PLANTED,
    NAMES,
    st.sampled_from(["", "GET ", "/a? ", "/a?x=", '"', "\\", "\t", "Mozilla/5.0 (", "{", "-"]),
    st.booleans(),
)  # fmt: skip
def test_what_is_planted_in_any_field_or_line_is_not_in_the_sample(
    fields: dict[str, object], planted: str, name: str, before: str, cut: bool
) -> None:
    value = before + planted + before
    record = json.dumps(fields | {name: value}).encode()
    for one in (record[:-1] if cut else record, value.encode(), unparsed(value, value[:200])):
        assert "planted" not in rejected_sample(one)
    assert "planted" not in told_error(value)


@given(st.binary(max_size=300) | st.text().map(lambda text: json.dumps({text: text, "path": text}).encode()))
def test_whatever_is_sent_a_sample_is_printable_ascii_and_bounded(record: bytes) -> None:
    sample = rejected_sample(record)
    assert len(sample) <= 2000
    assert all(" " <= letter <= "~" for letter in sample)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "part", [":", "1.", "a:", "::1/", "1.2.3.4.", "a@", "@", "eyJ", "%25", "\x00", "\u00e9", "a0", "["]
)
def test_no_record_however_hostile_takes_long_or_much(part: str) -> None:
    text = (part * 64_000)[:64_000] + "g"
    for record in (text.encode(), unparsed(text), event(1, path="/" + text), event(1, path=text, source=text)):
        assert len(rejected_sample(record)) <= 2000
    assert len(rejected_sample(b'{"seq":' + b"9" * 60_000 + b"}")) <= 2000
    assert len(rejected_sample(json.dumps({f"k{number}": number for number in range(5_000)}).encode())) <= 2000


def test_the_sentences_of_the_shipper_and_of_the_decoder_are_told_as_they_are() -> None:
    sentences = [
        "empty line",
        "not in the log format",
        "not JSON",
        "no such time",
        TOO_LONG,
        "status is not a number",
    ]
    good = msgspec.json.decode(event(1))
    for change in (
        {"ts": "x"}, {"ts": "2026-11-19T12:00:00"}, {"ip": ""}, {"ip": None}, {"status": "x"}, {"status": 99},
        {"bytes": 10**30}, {"latency_ms": -1}, {"latency_ms": 1e12}, {"host": "h" * 256}, {"user_agent": [1]},
    ):  # fmt: skip
        with pytest.raises(msgspec.ValidationError) as refused:
            msgspec.json.decode(json.dumps(good | change).encode(), type=AccessEvent)
        sentences.append(str(refused.value))
    for names in (("a b", None, None), ("a", "", None), ("a", None, "de")):
        with pytest.raises(msgspec.ValidationError) as refused:
            Names.checked(*names)
        sentences.append(str(refused.value))
    sentences.append("Object missing required field `path`")
    assert [told_error(sentence) for sentence in sentences] == sentences


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("no closing quote", "no closing quote"),
        ("unexpected character at 17 in john", "unexpected character at 0 in a"),
        ("cannot parse GET /a?token=abc of joe@example.org", "cannot parse GET /a?token=a of a@a.a"),
    ],
)
def test_other_reasons_keep_the_words_that_tell_of_nobody(error: str, told: str) -> None:
    assert told_error(error) == told


def test_known_words_stay_in_a_shape() -> None:
    assert shape('{"user_agent": "Joe9", "seq": NaN}') == '{"user_agent": "a0", "seq": NaN}'

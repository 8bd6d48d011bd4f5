"""The published JSON Schema is the wire contract's, and changes only on purpose."""

from __future__ import annotations

import json

from producers.access_event_schema import SCHEMA_FILE, schema_text
from producers.access_log import json_schema


def test_the_published_schema_is_that_of_the_code() -> None:
    published = SCHEMA_FILE.read_text(encoding="utf-8")
    assert published == schema_text(), "run `python -m producers.access_event_schema` and say why in the commit"


def test_required_fields_and_bounds_stay_as_third_party_producers_know_them() -> None:
    event = json_schema()["$defs"]["AccessEvent"]
    assert sorted(event["required"]) == ["bytes", "ip", "method", "path", "status", "ts"]
    fields = event["properties"]
    assert fields["ts"]["format"] == "date-time"
    assert (fields["status"]["minimum"], fields["status"]["maximum"]) == (100, 599)
    assert fields["bytes"]["minimum"] == 0
    assert {name: fields[name]["anyOf"][0]["maxLength"] for name in ("protocol", "host")} == {
        "protocol": 16,
        "host": 255,
    }


def test_an_unparsed_line_always_says_where_it_came_from_and_why() -> None:
    line = json_schema()["$defs"]["UnparsedLine"]
    assert sorted(line["required"]) == ["error", "raw", "seq", "source"]


def test_the_published_schema_is_json() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))["$schema"].startswith("https://json-schema.org/")

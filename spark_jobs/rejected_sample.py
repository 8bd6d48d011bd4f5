"""What of a rejected record is stored, to find out why it was rejected: nothing that tells of a person.

A record that broke the contract may hold anything anywhere. So nothing is looked for and taken out: only what is
known to be harmless is kept, and of everything else its shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

import msgspec

from producers.access_log import COUNTRY_PATTERN, SITE_PATTERN, SOURCE_PATTERN, AccessEvent, UnparsedLine
from spark_jobs.canonical import canonical_path, mask_personal
from spark_jobs.request_names import METHODS, PROTOCOL

LONGEST_START = 1024  # bytes of a record that is no JSON object, of which the shape is taken
LONGEST_VALUE = 200
LONGEST_SAMPLE = 1000
MOST_FIELDS = 40
LARGEST_NUMBER = 10**18

_FIELDS = frozenset(
    {*AccessEvent.__struct_fields__, *UnparsedLine.__struct_fields__}
)  # names of the contract, which are no secrets wherever they stand
_WORDS = _FIELDS | METHODS | {"HTTP", "true", "false", "null", "NaN", "Infinity"}
_PART = re.compile(r"[A-Za-z0-9_]+|[^\x00-\x7f]+|[\x00-\x1f\x7f]")
# Keys of objects that are not the contract's: such as client_name, but nothing that a value could be.
_KEY = re.compile(r"[A-Za-z_@][A-Za-z_-]{0,31}")
_NUMBERS = frozenset(("ts", "status", "bytes", "latency_ms", "seq"))
_TEXTS = {
    "ts": re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII),
    "status": re.compile(r"[0-9]{1,3}|-"),
    "bytes": re.compile(r"[0-9]{1,12}|-"),
    "latency_ms": re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,9})?|-"),
    "seq": re.compile(r"[0-9]{1,12}"),
    "site": re.compile(r"[A-Za-z0-9._:-]{1,64}"),
    "source": re.compile(r"[A-Za-z0-9._:-]{1,128}"),
    "country": re.compile(r"[A-Z]{2}"),
    "protocol": PROTOCOL,
    "method": re.compile("|".join(map(re.escape, [*sorted(METHODS, reverse=True), "-"]))),
}
_TARGET = re.compile(r"[!-~]*")  # a path ends where a blank would end it in a log line
_TARGET_END = re.compile(r"[?#\"<>\\^`{|}]|%(?:25)*3[Ff]")
# The sentences of this project's own shipper, and those of the decoder that it passes on.
_NAMED = "|".join(sorted(_FIELDS))
_TYPE = "(?:str|int|float|bool|object|array|null|datetime)"
_PATTERNS = "|".join(
    re.escape(repr(one.replace("$", r"\Z"))) for one in (SITE_PATTERN, SOURCE_PATTERN, COUNTRY_PATTERN)
)
_ERROR = re.compile(
    r"empty line|not in the log format|not JSON|no such time|time without a zone|longer than [0-9]{1,4} KiB"
    r"|no (?:client address|status|bytes|request|path|method)|(?:status|bytes|duration) is not a number"
    rf"|Object missing required field `(?:{_NAMED})`"
    rf"|(?:Invalid RFC3339 encoded datetime"
    rf"|Expected `{_TYPE}(?: \| null)?`(?:, got `{_TYPE}`| with a timezone component"
    rf"| (?:of length )?[<>]= [0-9]{{1,13}}(?:\.0)?| matching regex (?:{_PATTERNS}))?)(?: - at `\$\.(?:{_NAMED})`)?"
)
# Words of which other shippers' reasons are made; they tell nothing of whose line it is.
_ERROR_WORDS = _WORDS | frozenset(
    [
        *("a", "an", "and", "at", "bad", "be", "by", "cannot", "character"),
        *("closing", "could", "decode", "empty", "end", "error", "expected", "failed", "field"),
        *("fields", "format", "from", "got", "in", "invalid", "is", "JSON", "length"),
        *("line", "log", "long", "match", "matched", "missing", "no", "not", "number"),
        *("of", "or", "parse", "parsed", "parser", "quote", "request", "short", "string"),
        *("the", "time", "timestamp", "to", "token", "too", "unexpected", "unknown", "value"),
        *("with", "without"),
    ]
)


def rejected_sample(record: bytes) -> str:
    """At most 2,000 characters of printable ASCII that show how a record is built.

    Of a JSON object: the fields with what they hold, if that is a time, a number, a name or a path as the contract
    has them, and else the shape of the text or only its type. Of anything else the shape of its start (``shape``).
    """
    try:
        decoded = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = None  # rejected for just that
    if isinstance(decoded, dict):
        text = json.dumps(_shown_fields(decoded), separators=(",", ":"))
    else:
        text = shape(record[:LONGEST_START].decode("latin-1"))
    # Masking makes a text longer by half at most.
    return mask_personal(text[:LONGEST_SAMPLE])


def told_error(error: str) -> str:
    """The reason a shipper gives for a line it could not read: in words that tell of nobody, else their shape."""
    return error if _ERROR.fullmatch(error) else shape(error[:LONGEST_VALUE], _ERROR_WORDS)


def shape(text: str, known: Collection[str] = _WORDS) -> str:
    r"""How a text is built: letters as ``a``, digits as ``0``, both together as ``a0``, punctuation as it is.

    Known words stay: methods, the contract's fields, ``HTTP``. Other characters than ASCII are ``\x..``, control
    characters ``\x00``.
    """

    def of_part(match: re.Match[str]) -> str:
        part = match[0]
        if part in known:
            return part
        if not part.isascii():
            return r"\x.."
        if not part.isprintable():
            return f"\\x{ord(part):02x}"
        return "0" if part.isdigit() else "a0" if any(letter.isdigit() for letter in part) else "a"

    return _PART.sub(of_part, text)


def _shown_fields(fields: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in fields.items():
        if len(shown) == MOST_FIELDS:
            shown["(more)"] = len(fields) - MOST_FIELDS
            break
        known = name in _FIELDS or _KEY.fullmatch(name)
        shown[name if known else shape(name[:LONGEST_VALUE])] = _shown(name, value)
    return shown


def _shown(name: str, value: Any) -> Any:
    """What is kept of a field: the value itself, the shape of a text, or a type."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and name in _NUMBERS and abs(value) <= LARGEST_NUMBER:
        return value
    if isinstance(value, str):
        return _shown_text(name, value)
    return "(number)" if isinstance(value, int | float) else "(array)" if isinstance(value, list) else "(object)"


def _shown_text(name: str, text: str) -> str:
    if name == "path":
        return _shown_target(text)
    if name == "error":
        return told_error(text)
    if name == "raw":
        return shape(text[:LONGEST_START])
    if name not in _TEXTS:
        return "(string)"
    return text if _TEXTS[name].fullmatch(text) else shape(text[:LONGEST_VALUE])


def _shown_target(target: str) -> str:
    """The path as reports would show it, and the shape of what stands behind it."""
    printable = _TARGET.match(target)
    whole = printable[0] if printable else ""
    end = _TARGET_END.search(whole)
    head = whole[: end.start()] if end else whole
    rest = shape(target[len(head) :][:LONGEST_VALUE])
    return (canonical_path(head) if head.startswith("/") else shape(head[:LONGEST_VALUE])) + rest

"""What no text in Postgres may hold: what reads as an address. The stream masks it, the checks look for it."""

from __future__ import annotations

import re

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_COLON = r"(?::|%3[Aa])"
_NO_HEX_BEFORE = r"(?<![0-9A-Za-z:])"
_NO_HEX_AFTER = r"(?![0-9A-Za-z:])"

# Anything that reads as an address, percent-encoded colons included. An IPv6 address is eight groups, or fewer
# with one "::" between them; at least one digit, so that a class name (Add::Face) is none.
IPV4 = rf"(?<![0-9.]){_OCTET}(?:\.{_OCTET}){{3}}(?!\.?[0-9])"
IPV6 = (
    rf"{_NO_HEX_BEFORE}(?=[A-Fa-f:%]{{0,40}}[0-9])"
    rf"(?:(?:[0-9A-Fa-f]{{1,4}}{_COLON}){{7}}[0-9A-Fa-f]{{1,4}}"
    rf"|(?:[0-9A-Fa-f]{{1,4}}{_COLON}){{1,7}}(?:{_COLON}[0-9A-Fa-f]{{1,4}}){{1,6}}"
    rf"|(?:[0-9A-Fa-f]{{1,4}}{_COLON}){{1,7}}:"
    rf"|{_COLON}(?:{_COLON}[0-9A-Fa-f]{{1,4}}){{1,7}}){_NO_HEX_AFTER}"
)
ADDRESS = re.compile(f"{IPV4}|{IPV6}")

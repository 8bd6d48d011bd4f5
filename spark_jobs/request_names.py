"""Methods and protocols by their registered names; whatever else was sent as one is ``(other)``.

What stands in these two fields is the sender's choice: a method may hold an e-mail address or a query string.
"""

from __future__ import annotations

import re

from producers.access_log import MALFORMED_METHOD

OTHER = "(other)"  # pages and values without a row of their own are counted under this name, too

# Registered at https://www.iana.org/assignments/http-methods, but for PRI, which only opens HTTP/2.
METHODS = frozenset(
    [
        *("ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD"),
        *("LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE"),
        *("MOVE", "OPTIONS", "ORDERPATCH", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PUT", "QUERY", "REBIND"),
        *("REPORT", "SEARCH", "TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF"),
        "VERSION-CONTROL",
    ]
)
PROTOCOL = re.compile(r"HTTP/[0-9](?:\.[0-9])?")  # RFC 9110 section 2.5


def stored_method(method: str) -> str:
    """A registered method, ``-`` for a request line that was none, or ``(other)``; case counts (RFC 9110, 9.1)."""
    return method if method in METHODS or method == MALFORMED_METHOD else OTHER


def stored_protocol(protocol: str | None) -> str:
    """``HTTP/1.1`` and the like; empty when the line does not say; else ``(other)``."""
    if not protocol:
        return ""
    return protocol if PROTOCOL.fullmatch(protocol) else OTHER

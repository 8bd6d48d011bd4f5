"""A combined log whose every field tries something: markup, templates, direction marks, formulas."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

MINUTES = 20

# path, agent, referrer
TRIES = [
    ("/<script>alert(1)</script>", "<script>alert(2)</script>", "https://evil.test/<img src=x onerror=alert(3)>"),
    ('/"onmouseover="alert(4)', '"><svg onload=alert(5)>', "javascript:alert(6)"),
    (
        "/{{7*7}}${7*7}<%= 7 %>",
        "{{constructor.constructor('alert(7)')()}}",
        "data:text/html,<script>alert(8)</script>",
    ),
    ("/\u202egnp.exe", "\u202eevil\x07", "http://\u202eevil.test/"),
    ("/=cmd|calc", "=1+1", "http://=1+1/"),
    ("/+1</bdi></td></script><script>alert(9)</script>", "@SUM(A1)", "-2"),
]
HITS = len(TRIES) * MINUTES

# Records that break the wire contract, and the sample kept of each: words go, punctuation stays.
MARKUP, MARKUP_SAMPLE = b'{"ts": "<img src=x onerror=alert(11)>"}', '{"ts":"<a a=a a=a(0)>"}'
FORMULA, FORMULA_SAMPLE = b"=cmd|' /C calc'!A0", "=a|' /a a'!a0"


def write_hostile_log(path: Path, hour: datetime, late: int = 0) -> None:
    """``HITS`` lines of one hour, one that is no line, and so many later ones at the hour's end."""
    lines = [
        line(hour.replace(minute=minute), _quoted(target.replace(" ", "%20")), _quoted(referrer), _quoted(agent))
        for target, agent, referrer in TRIES
        for minute in range(MINUTES)
    ]
    text = "".join(lines) + "<script>alert(10)</script> is no line\n"
    text += line(hour.replace(minute=59), "/late", "-", "curl/8") * late
    path.write_text(text, encoding="utf-8")


def line(moment: datetime, target: str, referrer: str, agent: str) -> str:
    return f'8.8.8.8 - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "GET {target} HTTP/1.1" 200 100 "{referrer}" "{agent}"\n'


def _quoted(text: str) -> str:
    return text.replace('"', '\\"')

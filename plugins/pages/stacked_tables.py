"""Tables that become one block a row on narrow screens: there each cell carries the head of its column itself."""

from __future__ import annotations

import html
import re

from markupsafe import Markup

_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[dh])\b([^>]*)>(.*?)</\1>", re.DOTALL)
_SPAN = re.compile(r'\bcolspan="(\d+)"')
_TAG = re.compile(r"<[^>]+>")


def labelled(table: str) -> Markup:
    """One table of ours with ``data-label`` on every cell of its body that has text and stands below a head."""
    head, end, body = str(table).partition("</thead>")  # a Markup would escape what is joined to it
    heads: list[str] = []
    for cell in _CELL.finditer(head):
        words = " ".join(html.unescape(_TAG.sub(" ", cell[3])).split())
        heads += [words] * _width(cell[2])
    return Markup(head + end + _ROW.sub(lambda row: _with_labels(row[0], heads), body))  # noqa: S704  # was markup before


def _with_labels(row: str, heads: list[str]) -> str:
    place = 0

    def with_label(cell: re.Match[str]) -> str:
        nonlocal place
        label = heads[place] if place < len(heads) and _width(cell[2]) == 1 else ""
        place += _width(cell[2])
        if cell[1] == "th" or not label or not cell[3].strip():
            return cell[0]
        return f'<td data-label="{html.escape(label)}"{cell[2]}>{cell[3]}</td>'

    return _CELL.sub(with_label, row)


def _width(attributes: str) -> int:
    found = _SPAN.search(attributes)
    return int(found[1]) if found else 1

"""Which revisions of an hour stand side by side, and what one is compared with. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sql.warehouse import Row

MOST_COLUMNS = 4


def compared_revision(revisions: Sequence[Row], shown: Row | None, compare: str) -> Row | None:
    """The revision that ``compare`` names (r1), else the first one; None when that is the one shown, or is not there.

    revisions: of one hour, the newest first.
    """
    if shown is None:
        return None
    wanted = int(compare[1:]) if compare else min(row["revision"] for row in revisions)
    found = next((row for row in revisions if row["revision"] == wanted), None)
    return None if found is None or wanted == shown["revision"] else found


def revision_columns(revisions: Sequence[Row], shown: Row | None, against: Row | None) -> list[Row]:
    """At most MOST_COLUMNS revisions, the oldest first: those two, the first one, and the newest besides."""
    needed = {row["revision"] for row in (shown, against, *revisions[-1:]) if row is not None}
    for row in revisions:
        if len(needed) >= MOST_COLUMNS:
            break
        needed.add(row["revision"])
    return sorted((row for row in revisions if row["revision"] in needed), key=lambda row: row["revision"])

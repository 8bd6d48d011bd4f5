"""Which revisions of an hour or a day stand side by side, and what one is compared with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plugins.pages.report_rows import known_revision
from sql.warehouse import Row

MOST_COLUMNS = 4

# A revision by its number, a moment, or whatever stands first.
Against = int | datetime | None


def compared_revision(revisions: Sequence[Row], shown: Row | None, against: Against) -> Row | None:
    """The revision by that number or known at that moment, else the first one; None when that is shown, or none.

    revisions: of one hour or day, the newest first.
    """
    if shown is None:
        return None
    if isinstance(against, datetime):
        found = known_revision(revisions, against)
    else:
        wanted = against or min(row["revision"] for row in revisions)
        found = next((row for row in revisions if row["revision"] == wanted), None)
    return None if found is None or found["revision"] == shown["revision"] else found


def revision_columns(revisions: Sequence[Row], shown: Row | None, against: Row | None) -> list[Row]:
    """At most MOST_COLUMNS revisions, the oldest first: those two, the first one, and the newest besides."""
    needed = {row["revision"] for row in (shown, against, *revisions[-1:]) if row is not None}
    for row in revisions:
        if len(needed) >= MOST_COLUMNS:
            break
        needed.add(row["revision"])
    return sorted((row for row in revisions if row["revision"] in needed), key=lambda row: row["revision"])

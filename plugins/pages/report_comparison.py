"""A report beside another state of itself: a revision of an hour or a day, a range as known at another moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugins.pages.reading import Block, Query
from plugins.pages.report_range import Asked
from plugins.pages.report_rows import known_revision
from plugins.pages.revision_columns import Against, compared_revision, revision_columns
from sql.warehouse import Row

MOST_MOVED = 5


@dataclass(frozen=True)
class Comparison:
    """What stands beside what.

    shown: the revision of the hour or day that the page shows; None for a range. against: the one beside it.
    against_at: the moment as of which the other state is; None while there is nothing to compare. absent: the number
    of the revision asked for, when there is none.
    """

    asked: Asked
    columns: Sequence[Row]
    shown: Row | None
    against: Row | None
    against_at: datetime | None
    absent: int | None = None

    def queries(self, site: str) -> dict[str, Query]:
        """What moved between the two and, where there are no revisions, the figures of both."""
        if self.against_at is None:
            return {}
        known = self.shown["made_at"].isoformat() if self.shown else self.asked.as_known["known_at"]
        pair = self.asked.parameters | {"site": site, "known_at": known, "against": self.against_at.isoformat()}
        found = {"differences": Query("report_compare", pair | {"most": MOST_MOVED})}
        if self.shown is None:
            found["moments"] = Query("report_moments", pair)
        return found

    @property
    def words(self) -> tuple[str, str]:
        """The shown one and the other, as heads of columns: r3, r1; for a range: now or then, before."""
        if self.shown is not None and self.against is not None:
            return f"r{self.shown['revision']}", f"r{self.against['revision']}"
        return ("then" if self.asked.known_at else "now"), "before"


def compare(asked: Asked, revisions: Sequence[Row], days: Block | None, changes: Row, against: Against) -> Comparison:
    """revisions: of its hours, the newest first; days: of the day; changes: of ``report_changes``."""
    own = revisions if asked.kind == "hour" else days.rows if days else []
    numbers = {row["revision"] for row in own}
    absent = against if isinstance(against, int) and against not in numbers else None
    if own or asked.kind == "hour":
        shown = known_revision(own, asked.moment)
        other = compared_revision(own, shown, against)
        columns = revision_columns(own, shown, other)
        return Comparison(asked, columns, shown, other, other["made_at"] if other else None, absent)
    if not isinstance(against, datetime):
        # A range has no revisions: beside it stands what was known when the last of its hours had its first report.
        is_changed = changes.get("changed_at") and changes["changed_at"] > changes["first_made_at"]
        against = changes["first_made_at"] if is_changed else None
    return Comparison(asked, [], None, None, against, absent)


def context_of(comparison: Comparison, found: Mapping[str, Block]) -> dict[str, Any]:
    """What the template shows of it."""
    return {
        "columns": comparison.columns,
        "shown": comparison.shown,
        "against": comparison.against,
        "against_at": comparison.against_at,
        "absent_revision": comparison.absent,
        "compared_words": comparison.words,
        "differences": found.get("differences"),
        "moments": found.get("moments"),
    }

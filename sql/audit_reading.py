"""What an audit found, for screens and logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sql.audit import Difference
from sql.warehouse import Warehouse

MOST_SHOWN = 20


@dataclass(frozen=True)
class AuditReport:
    """One audit: its row in ``quality.audit``, why hours were not checked, and the first differences."""

    audit_id: int
    audited_from: datetime
    audited_until: datetime
    status: str
    hours_checked: int
    hours_unchecked: int
    records_read: int
    offsets_gone: int
    cells_compared: int
    cells_differing: int
    estimates: int
    estimates_beyond_bound: int
    visitors_error: int | None
    visitors_error_bound: int | None
    latency_error: float | None
    notes: str
    error: str | None
    seconds: float | None
    unchecked: list[tuple[int, str]]  # number of hours, reason
    differences: list[Difference]

    def in_words(self) -> str:
        """One line."""
        return (
            f"audit {self.audit_id}: {self.status}; {self.cells_compared:,} cells compared, {self.cells_differing:,} "
            f"differ; {self.hours_checked} hours checked, {self.hours_unchecked} not"
        )


def read_audit(warehouse: Warehouse, run_label: str) -> AuditReport:
    """The newest audit under a label; LookupError when there is none. Any role of ours may ask."""
    found = warehouse.rows("audit/read_audit", {"run_label": run_label})
    if not found:
        raise LookupError(f"there is no audit {run_label!r} in quality.audit")
    of = {"audit_id": found[0]["audit_id"]}
    reasons = warehouse.rows("audit/read_unchecked", of)
    differences = warehouse.rows("audit/read_differences", of | {"most": MOST_SHOWN})
    return AuditReport(
        **found[0],
        unchecked=[(row["hours"], row["reason"]) for row in reasons],
        differences=[Difference(**row) for row in differences],
    )

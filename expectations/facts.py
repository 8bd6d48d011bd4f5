"""Reads what the checks look at: one frame for many hours, all of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from sql.warehouse import Warehouse, rows

_MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")

# pandas' nullable kinds, so that integers stay integers and sums compare exactly.
COLUMNS: dict[str, str] = (
    {"hour": "Int64", "dimension": "object"}
    | dict.fromkeys(
        (
            "ledger_gaps", "waits_for_revision", "bucket_rows", "bucket_nulls", "bucket_out_of_range",
            "bucket_off_grid", "report_rows", "report_nulls", "report_out_of_range", "report_dimensions_off",
            "report_histograms_off", "report_bins_off", "report_sketches_off", "visitors_beyond_bounds",
        ),
        "Int64",
    )
    | dict.fromkeys(("seconds_past_hour", "report_delay_seconds", "volume_ratio"), "Float64")
    | {f"{side}_{measure}": "Int64" for measure in _MEASURES for side in ("report", "bucket")}
    | {f"{side}_{text}": "object" for text in ("text", "country", "status_class") for side in ("report", "bucket")}
)  # fmt: skip


@dataclass(frozen=True)
class HourRevision:
    """The revision of one site's hour that is to be checked."""

    site: str
    hour_start: datetime
    revision: int


def unsealed_hours(warehouse: Warehouse, as_of: datetime) -> list[HourRevision]:
    """Latest revisions without a verdict, of hours closed by ``as_of``, the oldest first."""
    return [HourRevision(**hour) for hour in warehouse.rows("quality/unsealed_hours", {"as_of": as_of})]


def load_facts(warehouse: Warehouse, hours: Sequence[HourRevision]) -> pd.DataFrame:
    """Facts of the hours. Shape: one row an hour (``dimension`` = ``hour``), then one a cell and one a text.

    Column ``hour`` is the place in ``hours``. A column that a row has nothing to say about is null there, and
    expectations pass over nulls.
    """
    arrays = {
        "sites": [hour.site for hour in hours],
        "hour_starts": [hour.hour_start for hour in hours],
        "revisions": [hour.revision for hour in hours],
    }
    with warehouse.transaction(isolation="REPEATABLE READ") as cursor:
        facts = rows(cursor, "quality/hour_facts", arrays)
        cells = rows(cursor, "quality/hour_cells", arrays)
    records = [fact | {"dimension": "hour"} for fact in facts] + cells
    return pd.DataFrame.from_records(records, columns=list(COLUMNS)).astype(COLUMNS)

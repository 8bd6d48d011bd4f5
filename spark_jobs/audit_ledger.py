"""The ledger as an audit needs it: which batch counted an offset, when, and which batches held copies of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.csv

Column = npt.NDArray[np.int64]
NOT_COUNTED = -1


@dataclass(frozen=True)
class PartitionLedger:
    """Rows of one partition in columns, by offset."""

    from_offset: Column
    until_offset: Column
    ledger_id: Column
    committed_us: Column
    accepted: Column
    duplicate: Column

    def place_of(self, offset: Column) -> Column:
        """Place of the row that counted each offset; NOT_COUNTED when none has as of the snapshot."""
        place = np.searchsorted(self.from_offset, offset, side="right") - 1
        inside = (place >= 0) & (offset < self.until_offset[place])
        return np.where(inside, place, NOT_COUNTED)


Ledger = Mapping[int, PartitionLedger]  # by Kafka partition


def read_ledger(csv: Path) -> dict[int, PartitionLedger]:
    """The ledger from a CSV of ``sql/audit/ledger.sql``: whole numbers, in order of partition and offset."""
    table = pyarrow.csv.read_csv(csv)
    columns = {name: table[name].to_numpy().astype(np.int64) for name in table.column_names}
    partitions = columns.pop("kafka_partition")
    return {
        int(partition): PartitionLedger(**{name: column[partitions == partition] for name, column in columns.items()})
        for partition in np.unique(partitions)
    }


def batches_with_copies(ledger: Ledger, spans: Mapping[int, Sequence[tuple[int, int]]]) -> dict[int, int]:
    """Batches that touch the spans and held lines counted before: ledger id -> records accepted."""
    found: dict[int, int] = {}
    for partition, some in spans.items():
        rows = ledger.get(partition)
        if rows is None:
            continue
        for start, until in some:
            touches = (rows.from_offset < until) & (rows.until_offset > start) & (rows.duplicate > 0)
            found |= dict(zip(rows.ledger_id[touches].tolist(), rows.accepted[touches].tolist(), strict=True))
    return found


def begins_before(ledger: Ledger, earliest: Mapping[int, int]) -> bool:
    """Whether anything was counted that Kafka no longer has."""
    return any(
        len(rows.from_offset) > 0 and int(rows.from_offset[0]) < earliest.get(partition, 0)
        for partition, rows in ledger.items()
    )

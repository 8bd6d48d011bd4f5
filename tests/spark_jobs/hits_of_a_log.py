"""Series of hits for the tests of trends: of a real log, and of really generated traffic."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from producers.access_log import AccessEvent
from producers.log_formats import parser
from producers.log_records import LogRecords
from producers.traffic import Traffic
from tests.producers.generated import HOUR_MS, small_run

Integers = NDArray[np.int64]


def seconds_of_log(path: Path) -> Integers:
    """Epoch seconds of every event of a combined log, (lines,)."""
    records = LogRecords(str(path), "shop", parser("combined"))
    seconds = []
    for line in path.read_bytes().splitlines():
        try:
            event = msgspec.json.decode(records.record(line)[1], type=AccessEvent)
        except msgspec.ValidationError:
            continue  # the log's one cut line
        seconds.append(int(event.ts.timestamp()))
    return np.array(seconds, np.int64)


@cache
def generated_seconds(hours: int) -> Integers:
    """Epoch seconds of every hit of so many hours at 2 hits a second, late ones among them, (hits,)."""
    run = small_run(history_ms=0, rhythm=True, duplicated=0.0, malformed=0.0)
    return np.concatenate([hits["ts_ms"] for hits in Traffic(run).slices(hours * HOUR_MS)]) // 1000


def counts(seconds: Integers, grain_s: int) -> tuple[Integers, Integers]:
    """(starts, hits) of every bucket from the first to the last, empty ones too."""
    number = seconds // grain_s
    first = int(number.min())
    hits = np.bincount(number - first)
    return grain_s * (first + np.arange(len(hits))), hits.astype(np.int64)

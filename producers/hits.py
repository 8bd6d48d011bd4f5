"""The generated hit: one row of an array is one record to send."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from producers.generator_run import SERVERS

HIT = np.dtype(
    [
        ("due_ms", "i8"),  # when it is sent, Unix milliseconds
        ("ts_ms", "i8"),  # when the hit happened
        ("visitor", "i4"),
        ("page", "i2"),  # into site_model.PATHS
        ("query", "i2"),
        ("method", "i1"),
        ("status", "i2"),
        ("bytes", "i8"),
        ("latency_us", "i8"),  # -1: not measured
        ("referrer", "i2"),
        ("server", "i1"),
        ("seq", "i8"),  # 0: takes no place in its source
        ("late", "?"),
        ("out_of_order", "?"),
        ("duplicate", "?"),
        ("malformed", "i1"),  # 0, or 1-based index into malformed.FAULTS
        ("added_by", "i2"),  # 0, or number of the incident (IncidentTraffic.met) that brought it
        ("failed_by", "i2"),  # 0, or number of the incident that made it fail
    ]
)
Hits = NDArray[np.void]

# The last server stands behind a delivery network that knows the country and says so.
SERVER_THAT_KNOWS_COUNTRIES = SERVERS - 1
LEAST_LATE_MS, MOST_LATE_MS = 120_000, 6 * 3_600_000
MOST_OUT_OF_ORDER_MS = 30_000
MOST_DUPLICATE_DELAY_MS = 6 * 3_600_000

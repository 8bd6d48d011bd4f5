"""Unites visitor sketches of minutes into sketches of hours, in the format that all of them have."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from datasketches import compact_theta_sketch, theta_union

from sql.warehouse import Row

# Nominal size of the stream's sketches: 2^12 = 4,096 visitors are exact. With the same size here it does not
# matter whether the minutes of an hour were united before (stream.visitor_sketch is compacted) or are now.
LG_K = 12

_hour = itemgetter("site", "hour_start", "key_id", "agent_class")


def unite_minutes(minutes: Iterable[Row]) -> list[dict[str, Any]]:
    """One row for each site, hour, key and agent class: the union of its minutes' sketches.

    minutes: rows with those four and ``sketch``, ordered by them. Sketches under different keys never meet. The
    result is a compact ordered theta sketch; the same visitors give the same bytes, in whatever minutes they came.
    """
    united = []
    for hour, rows in groupby(minutes, key=_hour):
        union = theta_union(LG_K)
        for row in rows:
            union.update(compact_theta_sketch.deserialize(bytes(row["sketch"])))
        key = dict(zip(("site", "hour_start", "key_id", "agent_class"), hour, strict=True))
        united.append(key | {"sketch": union.get_result().serialize()})
    return united

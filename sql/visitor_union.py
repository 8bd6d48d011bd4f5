"""Unites visitor sketches: of minutes into those of hours, and of hours into the hashes of a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from datasketches import compact_theta_sketch, theta_union

from sql.warehouse import Row

# Nominal size of the stream's sketches: 2^12 = 4,096 visitors are exact. With the same size here it does not
# matter whether the minutes of an hour were united before (stream.visitor_sketch is compacted) or are now.
LG_K = 12

_key = itemgetter("key_id", "agent_class")
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


def unite_hours(hours: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """One row for each key and agent class of a day: ``theta``, and the ``hashes`` below it as a Postgres array.

    hours: rows with ``key_id``, ``agent_class`` and ``sketch``, ordered by the first two. Every hash that the hours
    tell of is kept, up to 24 times 4,096: cut at a nominal size, the day would be less exact than its hours together.
    """
    for (key_id, agent_class), rows in groupby(hours, key=_key):
        sketches = [compact_theta_sketch.deserialize(bytes(row["sketch"])) for row in rows]
        theta = min(sketch.theta64 for sketch in sketches)
        hashes = sorted({seen for sketch in sketches for seen in sketch if seen < theta})
        array = "{" + ",".join(map(str, hashes)) + "}"
        yield {"key_id": key_id, "agent_class": agent_class, "theta": theta, "hashes": array}

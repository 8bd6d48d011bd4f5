"""Who was there, as theta sketches that can be united in any order (Apache DataSketches).

Theta sketches: Dasgupta, Lang, Rhodes, Thaler, "A Framework for Estimating Stream Expression Cardinalities", ICDT
2016. Each sketch is cut to its nominal size, so that it is a function of the set of visitors alone: the same bytes
whatever the order and the batches in which they came. Up to 2^12 = 4,096 visitors it is exact.
"""

from __future__ import annotations

from collections.abc import Iterable

from datasketches import compact_theta_sketch, theta_union, update_theta_sketch

LG_K = 12
EXACT_UP_TO = 2**LG_K


def sketch_of(visitors: Iterable[int]) -> bytes:
    """Serialised compact ordered sketch of visitors (signed 64-bit hashes); repeats do not matter."""
    sketch = update_theta_sketch(LG_K)
    update = sketch.update
    for visitor in visitors:
        update(visitor)
    sketch.trim()
    return bytes(sketch.compact().serialize())


def united(sketches: Iterable[bytes]) -> bytes:
    """The sketch of all visitors of several sketches under one key."""
    union = theta_union(LG_K)
    for sketch in sketches:
        union.update(compact_theta_sketch.deserialize(sketch))
    return bytes(union.get_result().serialize())


def visitors_in(sketch: bytes) -> float:
    """Number of visitors: exact up to 4,096, else an estimate with a relative standard error of 1.6 %."""
    return float(compact_theta_sketch.deserialize(sketch).get_estimate())

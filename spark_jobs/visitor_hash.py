"""A visitor as a number: a keyed hash of site, address and user agent that nobody without the key can undo.

HMAC-SHA256 (RFC 2104) of ``site 0x1F address 0x1F user agent`` under the key of the event's period; its first 8 bytes
as a signed big-endian integer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import numpy as np

from spark_jobs.grouping import Column

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

PeriodKind = Literal["month", "day"]
_BLOCK_BYTES = 64  # of SHA-256
_UNITS = {"month": "M", "day": "D"}


@dataclass(frozen=True)
class VisitorKey:
    """A secret key and its name."""

    key_id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"VisitorKey({self.key_id!r})"


@dataclass(frozen=True)
class PeriodKeys:
    """The keys there are, by name of their period of event time: ``2026-11``, or ``2026-11-19``."""

    kind: PeriodKind
    keys: dict[str, VisitorKey]


def periods_of(kind: PeriodKind, second: Column) -> tuple[list[str], Column]:
    """Names of the periods that the epoch seconds fall into, and for each second which of them."""
    number = second.astype("datetime64[s]").astype(f"datetime64[{_UNITS[kind]}]")
    found, place = np.unique(number, return_inverse=True)
    return [str(name) for name in np.datetime_as_string(found)], place


def canonical_address(address: str) -> str:
    """One way to write an address: lower case, IPv4 without the prefix that maps it into IPv6."""
    return address.lower().removeprefix("::ffff:")


@lru_cache(maxsize=65_536)
def visitor_hash(secret: bytes, site: str, address: str, user_agent: str | None) -> int:
    """The visitor behind an address and a user agent as logged."""
    inner, outer = (state.copy() for state in _keyed_states(secret, site))
    inner.update(f"{canonical_address(address)}\x1f{user_agent or ''}".encode())
    outer.update(inner.digest())
    return int.from_bytes(outer.digest()[:8], "big", signed=True)


@lru_cache(maxsize=1_024)
def _keyed_states(secret: bytes, site: str) -> tuple[HASH, HASH]:
    """HMAC's two states with key and site already in them: less than half the cost of ``hmac.digest``."""
    if len(secret) > _BLOCK_BYTES:
        raise ValueError(f"a key of more than {_BLOCK_BYTES} bytes")
    padded = secret.ljust(_BLOCK_BYTES, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in padded) + f"{site}\x1f".encode())
    return inner, sha256(bytes(byte ^ 0x5C for byte in padded))

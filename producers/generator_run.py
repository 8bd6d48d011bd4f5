"""A generator run: its parameters, its name, and the sources (one a simulated web server) it sends as."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from producers.incidents import Incident

SERVERS = 4


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What decides every byte a run sends. How long it goes on is no part of it: a longer run begins the same."""

    seed: int
    site: str
    start_ms: int  # Unix milliseconds; history lies before it, live traffic after it
    history_ms: int
    history_rate: float  # hits per second on average over a week
    rate: float  # hits per second from start on
    rhythm: bool  # whether live traffic follows day and week too, or keeps the rate
    late: float  # shares of all hits
    out_of_order: float
    duplicated: float
    malformed: float
    visitors: int
    incidents: tuple[Incident, ...] = ()
    incidents_per_day: float = 0.0  # more of them, drawn for each UTC day

    @property
    def begin_ms(self) -> int:
        return self.start_ms - self.history_ms

    @property
    def id(self) -> str:
        """16 hexadecimal digits: the same for the same parameters."""
        return blake2b(msgspec.json.encode(self, order="sorted"), digest_size=8).hexdigest()

    @property
    def sources(self) -> tuple[str, ...]:
        """Source of each server, ``generator-<id>-<n>``.

        Kafka places a record by the hash of its key, the source. Each server takes the first number whose
        source lands on its own partition, so that a topic of four partitions is used evenly.
        """
        names: list[str] = []
        number = 1
        while len(names) < SERVERS:
            name = f"generator-{self.id}-{number}"
            if partition_of(name.encode(), SERVERS) == len(names):
                names.append(name)
                number = 0
            number += 1
        return tuple(names)


def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's default partitioner (murmur2, as in its Java client) puts a key."""
    mask, mix = 0xFFFFFFFF, 0x5BD1E995
    value = 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * mix & mask
        word = (word ^ (word >> 24)) * mix & mask
        value = (value * mix & mask) ^ word
    if whole < len(key):
        value = (value ^ int.from_bytes(key[whole:], "little")) * mix & mask
    value = (value ^ (value >> 13)) * mix & mask
    value ^= value >> 15
    return (value & 0x7FFFFFFF) % partitions

"""The heart of the job: from Kafka records to sums and rejects, as a pure function of the records.

Shape of the result: cells ``(bucket_start_s, site, path, country, status_class, agent_class) -> [hits,
bytes_sent, latency_us_sum, latency_count]``, a tally per partition, the line numbers seen per source, and rejects.
Everything is an integer, so that counting the same records again gives the same result to the bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from producers.access_log import AccessEvent, Names, Origin, UnparsedLine
from spark_jobs.canonical import canonical_path, mask_addresses, printable_sample, registered_country
from spark_jobs.seq_ranges import Range, SeqRanges

BUCKET_SECONDS = 10
LARGEST_RECORD = 65_536
EARLIEST_TS = 788_918_400  # 1995-01-01, before the first web server's log
FUTURE_TOLERANCE_SECONDS = 300  # clocks of log sources may run ahead
SAMPLES_PER_REASON = 5
REASONS_PER_BATCH = 50
OTHER_REASON = "(other)"
HOUR_US = 3_600_000_000

Cell = tuple[int, str, str, str, int, str]
_BYTE_POSITION = re.compile(r" \(byte \d+\)")
_PRINTABLE = re.compile(r"[^ -~]")


class Tally(msgspec.Struct):
    """What became of the records of one partition: consumed = accepted + rejected + duplicate."""

    consumed: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0
    unsourced: int = 0


class SourceSeen(msgspec.Struct):
    """Line numbers of one source that this batch counted or rejected for the first time."""

    site: str
    ranges: list[Range]


class RejectSample(msgspec.Struct):
    """One rejected record, fit to be stored."""

    partition: int
    offset: int
    received_us: int
    reason: str
    source: str | None
    seq: int | None
    sample: str


class RejectCount(msgspec.Struct):
    """Number of records rejected for a reason, by the hour in which Kafka received them."""

    received_hour_us: int
    reason: str
    records: int


class Summary(msgspec.Struct):
    """All but the cells of what was counted."""

    tallies: dict[int, Tally]
    sources: dict[str, SourceSeen]
    reject_counts: list[RejectCount]
    reject_samples: list[RejectSample]


class RecordCounter:
    """Counts records; one per Spark task.

    now_s: the batch's moment in epoch seconds; counted: line numbers that earlier batches have counted.
    """

    def __init__(self, now_s: float, counted: Mapping[str, Iterable[Range]]) -> None:
        self.cells: dict[Cell, list[int]] = {}
        self._latest_ts = now_s + FUTURE_TOLERANCE_SECONDS
        self._counted = {source: SeqRanges(ranges) for source, ranges in counted.items()}
        self._seen: dict[str, tuple[str, SeqRanges]] = {}
        self._tallies: dict[int, Tally] = {}
        self._reject_counts: dict[tuple[int, str], int] = {}
        self._reasons: dict[str, int] = {}
        self._samples: list[RejectSample] = []
        self._names: set[tuple[str, str | None, str | None]] = set()
        self._decode_event = msgspec.json.Decoder(AccessEvent).decode
        self._decode_unparsed = msgspec.json.Decoder(UnparsedLine).decode
        self._decode_origin = msgspec.json.Decoder(Origin).decode

    def count(
        self,
        partition: int,
        offsets: Sequence[int],
        received_us: Sequence[int],
        values: Sequence[bytes | None],
    ) -> None:
        """Count records of one partition, in offset order."""
        tally = self._tallies.setdefault(partition, Tally())
        cells, decode, seen, counted = self.cells, self._decode_event, self._seen, self._counted
        known_names = self._names
        latest_ts = self._latest_ts
        accepted = duplicate = unsourced = 0
        for index, value in enumerate(values):
            try:
                if value is None:
                    raise msgspec.DecodeError("Record has no value")
                if len(value) > LARGEST_RECORD:
                    raise msgspec.DecodeError(f"Record is larger than {LARGEST_RECORD} bytes")
                event = decode(value)
                source, country = event.source, event.country
                names = (event.site, source, country)
                if names not in known_names:
                    Names.checked(*names)
                    known_names.add(names)
                second = int(event.ts.timestamp())
                if not EARLIEST_TS <= second <= latest_ts:
                    raise msgspec.ValidationError("Time is before 1995 or in the future - at `$.ts`")
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                if self._reject(partition, offsets[index], received_us[index], value, error):
                    tally.rejected += 1
                else:
                    duplicate += 1
                continue
            seq = event.seq
            if source is None or seq is None:
                unsourced += 1
            else:
                place = seen.get(source)
                if place is None:
                    place = seen[source] = (event.site, SeqRanges())
                if (counted and source in counted and seq in counted[source]) or not place[1].add(seq):
                    duplicate += 1
                    continue
            accepted += 1
            key = (
                second - second % BUCKET_SECONDS,
                event.site,
                canonical_path(event.path),
                country if country is not None else registered_country(event.ip),
                event.status // 100,
                "unknown",
            )
            cell = cells.get(key)
            if cell is None:
                cell = cells[key] = [0, 0, 0, 0]
            cell[0] += 1
            cell[1] += event.bytes
            latency_ms = event.latency_ms
            if latency_ms is not None:
                cell[2] += round(latency_ms * 1000)
                cell[3] += 1
        tally.consumed += len(values)
        tally.accepted += accepted
        tally.duplicate += duplicate
        tally.unsourced += unsourced

    def _reject(self, partition: int, offset: int, received_us: int, value: bytes | None, error: Exception) -> bool:
        """Note a rejected record; False when its line had been counted before, so that it is a duplicate."""
        record = (value or b"")[:LARGEST_RECORD]
        reason = reason_of(error)
        origin: Origin | UnparsedLine | None = None
        site = "default"
        try:
            origin = self._decode_unparsed(record)
            reason, site = f"Line not parsed: {origin.error}", origin.site
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            try:
                origin = self._decode_origin(record)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                origin = None  # nothing in it can be read: it has no place in any source
        if origin is not None:
            earlier = self._counted.get(origin.source)
            place = self._seen.setdefault(origin.source, (site, SeqRanges()))
            if (earlier is not None and origin.seq in earlier) or not place[1].add(origin.seq):
                return False
        reason = mask_addresses(_PRINTABLE.sub("?", reason)[:120])
        if reason not in self._reasons and len(self._reasons) >= REASONS_PER_BATCH:
            reason = OTHER_REASON
        self._reasons[reason] = samples = self._reasons.get(reason, 0) + 1
        hour = received_us - received_us % HOUR_US
        self._reject_counts[hour, reason] = self._reject_counts.get((hour, reason), 0) + 1
        if samples <= SAMPLES_PER_REASON:
            self._samples.append(
                RejectSample(
                    partition=partition,
                    offset=offset,
                    received_us=received_us,
                    reason=reason,
                    source=origin.source if origin else None,
                    seq=origin.seq if origin else None,
                    sample=printable_sample(record),
                )
            )
        return True

    def summary(self) -> Summary:
        """All but the cells."""
        return Summary(
            tallies=self._tallies,
            sources={
                source: SourceSeen(site, seqs.ranges())
                for source, (site, seqs) in self._seen.items()
                if seqs.ranges()
            },
            reject_counts=[
                RejectCount(hour, reason, records) for (hour, reason), records in self._reject_counts.items()
            ],
            reject_samples=self._samples,
        )


def reason_of(error: Exception) -> str:
    """Why a record breaks the contract, naming the field; without positions, so that reasons stay few."""
    if isinstance(error, UnicodeDecodeError):
        return "Record is not UTF-8"
    if isinstance(error, RecursionError):
        return "Record is nested too deeply"
    return _BYTE_POSITION.sub("", str(error))

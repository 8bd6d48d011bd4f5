"""The heart of the job: from Kafka records to sums and rejects, as a pure function of the records.

Shape of the result: the tables of ``count_tables`` made from the accepted records, and a summary: a tally per
partition, the line numbers seen per source, rejects, and where in Kafka the lines of each hour stand.
Everything is an integer, so that counting the same records again gives the same result to the bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from producers.access_log import AccessEvent, Names, Origin, UnparsedLine
from spark_jobs.canonical import mask_personal
from spark_jobs.count_tables import CountTables
from spark_jobs.grouping import Column
from spark_jobs.line_counts import HourOffsets, count_lines, deciding_rules, hour_offsets, missing_periods
from spark_jobs.lines import AcceptedRecords
from spark_jobs.rejected_sample import rejected_sample, told_error
from spark_jobs.seq_ranges import Range, SeqRanges
from spark_jobs.visitor_hash import PeriodKeys

LARGEST_RECORD = 65_536
EARLIEST_TS = 788_918_400  # 1995-01-01, before the first web server's log
FUTURE_TOLERANCE_SECONDS = 300  # clocks of log sources may run ahead
SAMPLES_PER_REASON = 5
REASONS_PER_BATCH = 50
OTHER_REASON = "(other)"
HOUR_US = 3_600_000_000

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
    """All but the tables of what was counted."""

    tallies: dict[int, Tally]
    sources: dict[str, SourceSeen]
    reject_counts: list[RejectCount]
    reject_samples: list[RejectSample]
    hour_offsets: list[HourOffsets]
    rules: dict[str, str]  # each rule that decided the class of a line's agent, and that class
    missing_periods: list[str]  # of visitor keys: then nothing is in the tables, and the records are counted again


class RecordCounter:
    """Counts records; one per Spark task.

    now_s: the batch's moment in epoch seconds; counted: line numbers that earlier batches have counted.
    """

    def __init__(self, now_s: float, counted: Mapping[str, Iterable[Range]]) -> None:
        self._records = AcceptedRecords()
        self._latest_ts = int(now_s + FUTURE_TOLERANCE_SECONDS) + 1
        self._counted = {source: SeqRanges(ranges) for source, ranges in counted.items()}
        self._seen: dict[str, tuple[str, SeqRanges]] = {}
        self._tallies: dict[int, Tally] = {}
        self._reject_counts: dict[tuple[int, str], int] = {}
        self._reasons: dict[str, int] = {}
        self._samples: list[RejectSample] = []
        self._line_numbers: dict[tuple[str, str | None, str | None], tuple[SeqRanges | None, SeqRanges]] = {}
        self._decode_event = msgspec.json.Decoder(AccessEvent).decode
        self._decode_unparsed = msgspec.json.Decoder(UnparsedLine).decode
        self._decode_origin = msgspec.json.Decoder(Origin).decode

    def count(
        self,
        partition: int,
        offsets: Column,
        received_us: Column,
        values: Sequence[bytes | None],
    ) -> None:
        """Count records of one partition, in offset order."""
        tally = self._tallies.setdefault(partition, Tally())
        decode, line_numbers = self._decode_event, self._line_numbers
        events: list[AccessEvent] = []
        places: list[int] = []  # of the events, in values
        times: list[float] = []
        latest_ts = self._latest_ts
        duplicate = unsourced = 0
        for index, value in enumerate(values):
            try:
                if value is None:
                    raise msgspec.DecodeError("Record has no value")
                if len(value) > LARGEST_RECORD:
                    raise msgspec.DecodeError(f"Record is larger than {LARGEST_RECORD} bytes")
                event = decode(value)
                names = (event.site, event.source, event.country)
                known = line_numbers.get(names)
                if known is None:
                    Names.checked(*names)
                    known = line_numbers[names] = self._lines_of(event.site, event.source)
                seconds = event.ts.timestamp()
                if not EARLIEST_TS <= seconds < latest_ts:
                    raise msgspec.ValidationError("Time is before 1995 or in the future - at `$.ts`")
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                if self._reject(partition, int(offsets[index]), int(received_us[index]), value, error):
                    tally.rejected += 1
                else:
                    duplicate += 1
                continue
            seq = event.seq
            if seq is None or event.source is None:
                unsourced += 1
            elif (known[0] is not None and seq in known[0]) or not known[1].add(seq):
                duplicate += 1
                continue
            events.append(event)
            places.append(index)
            times.append(seconds)
        self._records.take(partition, offsets[np.array(places, dtype=np.int64)], times, events)
        tally.consumed += len(values)
        tally.accepted += len(events)
        tally.duplicate += duplicate
        tally.unsourced += unsourced

    def _lines_of(self, site: str, source: str | None) -> tuple[SeqRanges | None, SeqRanges]:
        """The line numbers of a source that earlier batches have counted, if any, and those seen by this task."""
        if source is None:
            return None, SeqRanges()
        return self._counted.get(source), self._seen.setdefault(source, (site, SeqRanges()))[1]

    def _reject(self, partition: int, offset: int, received_us: int, value: bytes | None, error: Exception) -> bool:
        """Note a rejected record; False when its line had been counted before, so that it is a duplicate."""
        record = (value or b"")[:LARGEST_RECORD]
        reason = reason_of(error)
        origin: Origin | UnparsedLine | None = None
        site = "default"
        try:
            origin = self._decode_unparsed(record)
            reason, site = f"Line not parsed: {told_error(origin.error)}", origin.site
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            try:
                origin = self._decode_origin(record)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                origin = None  # nothing in it can be read: it has no place in any source
        if origin is not None:
            earlier, seen = self._lines_of(site, origin.source)
            if (earlier is not None and origin.seq in earlier) or not seen.add(origin.seq):
                return False
        reason = mask_personal(_PRINTABLE.sub("?", reason)[:120])
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
                    sample=rejected_sample(record),
                )
            )
        return True

    def result(self, keys: PeriodKeys) -> tuple[CountTables, Summary]:
        """The tables, and all else. keys: those of visitor hashes that there are."""
        lines = self._records.lines()
        missing = missing_periods(lines, keys)
        tables = CountTables.empty() if missing or not len(lines.us) else count_lines(lines, keys)
        return tables, Summary(
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
            hour_offsets=hour_offsets(lines),
            rules=deciding_rules(lines),
            missing_periods=missing,
        )


def reason_of(error: Exception) -> str:
    """Why a record breaks the contract, naming the field; without positions, so that reasons stay few."""
    if isinstance(error, UnicodeDecodeError):
        return "Record is not UTF-8"
    if isinstance(error, RecursionError):
        return "Record is nested too deeply"
    return _BYTE_POSITION.sub("", str(error))

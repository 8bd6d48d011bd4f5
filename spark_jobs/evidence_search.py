"""Reads back from Kafka the lines behind a cell of a report, as long as Kafka keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime

import msgspec

from settings import Settings
from spark_jobs.evidence import EvidenceReader, Shown, Wanted
from spark_jobs.kafka_topic import KafkaTopic, TopicState
from sql.warehouse import Row


class Range(msgspec.Struct, frozen=True):
    """Offsets [from_offset, until_offset) of a partition; records: at most so many are in it."""

    topic: str
    kafka_partition: int
    from_offset: int
    until_offset: int

    @property
    def records(self) -> int:
        return self.until_offset - self.from_offset


class Evidence(msgspec.Struct):
    """What was found: the first records of a cell, how many more there are, and what Kafka no longer has."""

    site: str
    hour_start: datetime
    ranges: list[Range]
    gone: list[Range]
    events: list[Shown]
    lines: int = 0  # records of the cell, repeats left out: what the report counts, while nothing is gone
    repeats: int = 0
    more: int = 0
    is_whole: bool = True  # every range was read to its end


def search(
    settings: Settings,
    wanted: Wanted,
    rows: Sequence[Row],
    limit: int,
    is_enough: Callable[[Evidence], bool] = lambda found: False,
    on_range: Callable[[Range, int], None] = lambda span, ranges: None,
) -> Evidence:
    """Read every range that Kafka still holds, until it is enough; rows: of ``report.evidence``.

    limit: how many records are kept, the others are only counted. on_range: told after each range, and how many there
    are. Raises TopicMissing, KafkaError.
    """
    with closing(KafkaTopic(settings.kafka_python_options("footfall_stream"), settings.topic)) as topic:
        ranges, gone = split(rows, topic.state())
        found = Evidence(wanted.site, wanted.hour_start, ranges, gone, [])
        reader = EvidenceReader(wanted)
        for span in ranges:
            for shown in _shown(topic, reader, span):
                if shown is not None:
                    _add(found, shown, limit)
                if is_enough(found):
                    found.is_whole = False
                    return found
            on_range(span, len(ranges))
    return found


def split(rows: Sequence[Row], state: TopicState) -> tuple[list[Range], list[Range]]:
    """(what Kafka still holds, what it has deleted by now) of ranges; another incarnation's are gone."""
    ranges, gone = [], []
    for row in rows:
        topic, partition, start, until = (
            row[name] for name in ("topic", "kafka_partition", "from_offset", "until_offset")
        )
        same = str(row["topic_id"]) == str(state.topic_id)
        earliest = min(max(start, state.earliest.get(partition, until)), until) if same else until
        if start < earliest:
            gone.append(Range(topic, partition, start, earliest))
        if earliest < until:
            ranges.append(Range(topic, partition, earliest, until))
    return ranges, gone


def _add(found: Evidence, shown: Shown, limit: int) -> None:
    found.repeats += shown.repeated
    found.lines += not shown.repeated
    if len(found.events) < limit:
        found.events.append(shown)
    else:
        found.more += 1


def _shown(topic: KafkaTopic, reader: EvidenceReader, span: Range) -> Iterator[Shown | None]:
    """Of each record what may be shown of it; None for one of another cell."""
    for offset, value in topic.records(span.kafka_partition, span.from_offset, span.until_offset):
        yield reader.shown(span.kafka_partition, offset, value)

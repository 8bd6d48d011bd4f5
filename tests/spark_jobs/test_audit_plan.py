"""What an audit may check and has to read: pure rules over hours and offsets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from spark_jobs.audit_ledger import NOT_COUNTED, PartitionLedger, batches_with_copies, begins_before
from spark_jobs.audit_plan import AuditPlan, days_to_check, everything, joined, plan_audit, readable_until
from spark_jobs.audit_scope import days_of_visits, epoch_s, months_to_check, visitors_note
from sql.audit import HourRange, ReportedDay, TouchedHour, VisitorPeriod

DAY = datetime(2026, 11, 19, tzinfo=UTC)
NOW, BEFORE = "topic-now", "topic-before"
MONTH = [VisitorPeriod(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC), 1)]


def hour(
    number: int, state: Literal["reported", "dirty", "unreported"] = "reported", site: str = "shop"
) -> TouchedHour:
    revision = None if state == "unreported" else 1
    return TouchedHour(site, DAY + timedelta(hours=number), revision, state)


def span(number: int, start: int, until: int, partition: int = 0, topic: str = NOW) -> HourRange:
    return HourRange(DAY + timedelta(hours=number), topic, partition, start, until)


def plan(hours: list[TouchedHour], ranges: list[HourRange], earliest: dict[int, int]) -> AuditPlan:
    return plan_audit(DAY, DAY + timedelta(days=1), hours, ranges, NOW, earliest)


def reasons(found: AuditPlan) -> dict[int, str]:
    return {int((at - DAY).total_seconds() // 3600): reason for (_, at), (_, reason) in found.unchecked.items()}


def test_an_hour_is_checked_when_its_report_is_up_to_date_and_all_its_offsets_are_in_kafka() -> None:
    found = plan([hour(1), hour(2)], [span(1, 0, 10), span(1, 5, 9, 1), span(2, 8, 20)], {0: 0, 1: 0})
    assert [one.hour_start.hour for one in found.checked] == [1, 2]
    assert found.spans == {0: [(0, 20)], 1: [(5, 9)]}
    assert (found.unchecked, found.gone) == ({}, {})


def test_an_hour_with_late_data_or_without_report_waits() -> None:
    found = plan([hour(1, "dirty"), hour(2, "unreported")], [span(1, 0, 10), span(2, 10, 20)], {0: 0})
    assert reasons(found) == {1: "late data waits for its revision", 2: "no report yet"}
    assert (found.checked, found.spans) == ([], {})


def test_what_retention_removed_is_named_and_only_what_is_gone_of_it() -> None:
    found = plan([hour(1), hour(2)], [span(1, 0, 10), span(2, 10, 20)], {0: 6})
    assert reasons(found) == {1: "no longer in Kafka: partition 0 [0, 10)"}
    assert [one.hour_start.hour for one in found.checked] == [2]
    assert found.gone == {(NOW, 0): [(0, 6)]}
    assert found.offsets_gone == 6
    assert found.spans == {0: [(10, 20)]}


def test_another_incarnation_of_the_topic_is_gone_whatever_its_offsets() -> None:
    found = plan([hour(1)], [span(1, 0, 10, topic=BEFORE), span(1, 0, 4)], {0: 0})
    assert reasons(found) == {1: "no longer in Kafka: partition 0 [0, 10)"}
    assert found.gone == {(BEFORE, 0): [(0, 10)]}


def test_an_hour_counted_before_there_was_an_index_cannot_be_checked() -> None:
    assert reasons(plan([hour(1)], [], {0: 0})) == {1: "counted before there was an index of offsets"}


def test_the_hours_around_the_period_are_read_but_not_checked() -> None:
    found = plan([hour(-1), hour(0), hour(24)], [span(-1, 0, 3), span(0, 3, 5), span(24, 5, 9)], {0: 0})
    assert [one.hour_start for one in found.checked] == [DAY]
    assert found.spans == {0: [(0, 9)]}


def test_spans_are_united_over_small_gaps() -> None:
    assert joined([(10, 20), (0, 5), (18, 30), (34, 40)], 5) == [(0, 5), (10, 40)]
    assert joined([(0, 5), (5, 9), (10, 11)], 0) == [(0, 9), (10, 11)]
    assert everything({0: 3, 1: 7}, {0: 9, 1: 7}) == {0: [(3, 9)]}


def rows(*parts: tuple[int, int, int, int, int]) -> PartitionLedger:
    """(from, until, ledger id, accepted, duplicate)"""
    start, until, ledger_id, accepted, duplicate = (
        np.array(column, dtype=np.int64) for column in zip(*parts, strict=True)
    )
    return PartitionLedger(start, until, ledger_id, ledger_id * 1000, accepted, duplicate)


def test_the_ledger_tells_which_batch_counted_an_offset_and_which_held_copies() -> None:
    ledger = {0: rows((5, 10, 1, 5, 0), (12, 20, 3, 6, 2))}
    assert ledger[0].place_of(np.array([4, 5, 9, 10, 12, 19, 20])).tolist() == [
        *(NOT_COUNTED, 0, 0, NOT_COUNTED, 1, 1, NOT_COUNTED)
    ]
    assert batches_with_copies(ledger, {0: [(0, 12)]}) == {}
    assert batches_with_copies(ledger, {0: [(0, 13)]}) == {3: 6}
    assert not begins_before(ledger, {0: 5})
    assert begins_before(ledger, {0: 6})


def day(waits: bool = False, ledger_id: int | None = 9) -> ReportedDay:
    return ReportedDay("shop", DAY, waits, ledger_id)


def test_a_day_is_compared_when_all_its_hours_are_and_its_report_knows_them() -> None:
    whole = plan([hour(1)], [span(1, 0, 10)], {0: 0})
    assert days_to_check(whole, [day()]) == ([day()], [])
    assert days_to_check(whole, [day(waits=True)]) == (
        [],
        ["shop 2026-11-19: the day's report waits for its next revision"],
    )
    partly = plan([hour(1), hour(2, "dirty")], [span(1, 0, 10), span(2, 10, 20)], {0: 0})
    assert days_to_check(partly, [day()]) == (
        [],
        ["shop 2026-11-19: not all hours could be checked, so the day was not"],
    )


def test_visits_of_a_day_need_the_hour_before_it_and_one_key() -> None:
    end = DAY + timedelta(days=1)
    whole = plan([hour(1), hour(25)], [span(-1, 0, 3), span(1, 3, 10), span(25, 10, 12)], {0: 0})
    assert days_of_visits(whole, [day()], MONTH, end) == ([(day(), DAY + timedelta(days=2))], [])
    assert days_of_visits(whole, [day(ledger_id=None)], MONTH, end)[1] == ["shop 2026-11-19: no report of visits yet"]
    two_keys = [VisitorPeriod(MONTH[0].period_start, MONTH[0].period_end, 2)]
    assert "more than one key" in days_of_visits(whole, [day()], two_keys, end)[1][0]
    headless = plan([hour(1)], [span(-1, 0, 3), span(1, 3, 10)], {0: 2})
    assert "the hour before it is no longer in Kafka" in days_of_visits(headless, [day()], MONTH, end)[1][0]


def test_the_readable_time_after_a_day_ends_at_the_first_hour_that_lacks_an_offset() -> None:
    found = plan([hour(1)], [span(1, 3, 10), span(26, 0, 4, topic=BEFORE)], {0: 0})
    assert readable_until(found, DAY, DAY + timedelta(days=1)) == DAY + timedelta(hours=26)


def test_a_month_is_compared_from_its_first_hour_on_as_far_as_the_period_goes() -> None:
    first = datetime(2026, 11, 1, tzinfo=UTC)
    found = plan([hour(1)], [span(1, 0, 10)], {0: 0})
    assert months_to_check(found, first, DAY + timedelta(days=1)) == [("shop", epoch_s(first))]
    assert months_to_check(found, DAY, DAY + timedelta(days=1)) == []
    partly = plan([hour(1), hour(2, "dirty")], [span(1, 0, 10)], {0: 0})
    assert months_to_check(partly, first, DAY + timedelta(days=1)) == []


def test_a_note_says_whose_visitors_were_not_compared_because_another_key_came() -> None:
    noon = epoch_s(DAY + timedelta(hours=12))
    hours = [("shop", noon - 3600), ("shop", noon), ("blog", noon)]
    days, months, end = [("shop", epoch_s(DAY))], [("shop", epoch_s(DAY.replace(day=1)))], DAY + timedelta(days=1)
    assert visitors_note(hours, days, months, MONTH, end) == []
    by_half_days = [
        VisitorPeriod(DAY, DAY + timedelta(hours=12), 1),
        VisitorPeriod(DAY + timedelta(hours=12), DAY + timedelta(days=1), 2),
    ]
    assert visitors_note(hours, days, months, by_half_days, end) == [
        "visitors of 2 hours, 1 days, 1 months were not compared: not one key of their hashes served the whole time"
    ]

"""What to do when a check fails, by check: where to look first, and what tells the causes apart."""

from __future__ import annotations

from collections.abc import Mapping

from expectations.checks import known_check

_BUCKETS: Mapping[str, str] = {
    "ledger_is_contiguous": (
        "Between two batches offsets were neither counted nor listed as lost. See the ranges at Lost ranges of "
        "Stream and the stream's log of that time, then run make audit: it counts the lines again while Kafka has "
        "them, which is 48 h."
    ),
    "ledger_is_closed_for_the_hour": (
        "Most often nothing: the stream has not come to the end of the hour, and the next run judges it. If Stream "
        "says that counting stands still or is far behind, the cause is there; the DAG stream_control restarts it."
    ),
    "hour_has_buckets": (
        "Counts that a report was made of are gone: find out who deleted them, bring them back from a backup, and "
        "run make audit while Kafka has the lines."
    ),
    "no_null": (
        "No batch can write such a row, so look at what has changed in stream.traffic_bucket since the last hour "
        "that passes: migrations first, then whoever else writes as footfall_writer."
    ),
    "numbers_in_range": (
        "No log line can do this, so the counting is at fault or a row was changed by hand. Read the hour's lines "
        "with make evidence, and count the smallest page yourself."
    ),
    "buckets_on_the_grid": (
        "Something else than this version of the stream job wrote the row: an older one, or somebody as "
        "footfall_writer. Find out which, and mend it there; the hour has their hits all the same."
    ),
    "country_is_a_code": (
        "The failing rows name the value. Countries come from the list of registered blocks: see which of its "
        "entries holds it, and mend how the list is read."
    ),
    "status_class_is_known": (
        "The failing rows name the class. A line with a status outside 100 to 599 is to be rejected: see at Rejected "
        "lines of Stream what the rules let through."
    ),
    "text_holds_no_ip_address": (
        "Somebody's address may have come into a path, a value or a reason. The failing rows name the text, with the "
        "address masked; find in docs/privacy.md which mask should have met it, and mend that first."
    ),
}
_REPORT: Mapping[str, str] = {
    "report_includes_late_data": (
        "Nothing: late lines came after the report, and the next run of hourly_traffic_report (minute 5 of each "
        "hour) publishes them as a revision. If none comes, look at that DAG's runs."
    ),
    "no_null": (
        "A row was published without a value: look at what has changed in sql/reports/publish_hours.sql and in the "
        "report's tables since the last hour that passes."
    ),
    "numbers_in_range": (
        "If the check of the same name fails for traffic_bucket, go on there. If it passes, the report sums its "
        "buckets wrongly: look into sql/reports/publish_hours.sql."
    ),
    "dimensions_add_up": (
        "See whether hits equals its buckets fails for the hour. If so, its failing rows name the dimension that was "
        "published wrongly; if not, the stream counted a line without a value for one of them."
    ),
    "histograms_hold_every_latency": (
        "See whether histograms equal the streams fails for the hour. If so, the report was made wrongly; if not, "
        "the stream put more or fewer latencies into bins than it counted."
    ),
    "histograms_equal_the_streams": (
        "Somebody changed report.hourly_latency or stream.latency_bin, or sql/reports/publish_hours.sql adds bins up "
        "wrongly. make audit sorts the hour's latencies anew and says which side is right."
    ),
    "visitors_are_those_of_the_sketches": (
        "The number and the sketch were published together, so one of them was changed since, or "
        "sql/visitor_union.py estimates otherwise than the database. make audit counts the visitors one by one."
    ),
    "visitors_agree_with_the_stream": (
        "Once in some 10,000 busy hours this fails by chance. If it does so again, see whether minutes are missing "
        "from stream.visitor_sketch; make audit counts the visitors one by one."
    ),
    "report_is_fresh": (
        "The numbers are right, they came late. See in Airflow when hourly_traffic_report ran and how long it waited "
        "for Postgres; if it ran in time, see at Restarts of Stream whether counting stood still."
    ),
    "volume_is_usual": (
        "See at Sources of Stream whether a shipper stopped or sent twice, and in the hour's report which pages, "
        "countries or agents make the difference. If the traffic was real, there is nothing to mend."
    ),
}
_EQUALS = (
    "The failing rows name the pages, countries or statuses that differ. Many of them: look at what has changed in "
    "sql/reports/publish_hours.sql; a few: ask who changed rows by hand. make audit says which of the two sides is "
    "right."
)
_SAME_VALUE = (
    "The report has its values from the buckets: if the check of the same name fails for traffic_bucket, go on "
    "there. If it passes, somebody changed the report, and its failing rows say where."
)


def remedy(suite: str, name: str) -> str:
    """What to do when that check fails; empty for one that is no more."""
    if known_check(suite, name) is None:
        return ""
    if suite == "traffic_bucket":
        return _BUCKETS[name]
    return _REPORT.get(name) or (_EQUALS if name.endswith("_equals_its_buckets") else _SAME_VALUE)

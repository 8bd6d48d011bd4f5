"""What must be true of our tables: the two suites, as data. ``validation`` gives them to Great Expectations.

Columns are those of ``facts.load_facts``. Each suite speaks of one table: ``traffic_bucket`` of what the stream
counted, ``hourly_report`` of what was published from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sql.stored_text import IPV4, IPV6

Severity = Literal["critical", "warning", "waits"]
Suite = Literal["traffic_bucket", "hourly_report"]
# Files below ``sql``: one row an hour, or one a cell of the report.
Statement = Literal["quality/hour_facts", "quality/hour_cells"]


@dataclass(frozen=True)
class Check:
    """One expectation.

    severity: what a failure does to the seal: critical = red, warning = amber, waits = it is too early to judge,
    so unchecked. ``optional`` = it does not apply to every hour, so no row to look at is no failure.
    ``columns`` are those whose values it counts, ``statement`` is the file that gives them; ``owner`` is the room to
    look into when it fails. ``unit`` of the number it looks at: s, times or a noun; empty: it counts rows that fail.
    """

    suite: Suite
    name: str
    severity: Severity
    description: str
    threshold: str
    owner: str
    expectation: str
    columns: tuple[str, ...]
    statement: Statement
    options: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False
    unit: str = ""

    @property
    def rule(self) -> str:
        """The expectation with its options, as one would write it in Great Expectations."""
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items() if value is not None)
        return f"{self.expectation}({options})"


def _between(
    suite: Suite, name: str, severity: Severity, column: str, description: str, threshold: str, owner: str, unit: str,
    minimum: float | None = None, maximum: float | None = None, optional: bool = False,
) -> Check:  # fmt: skip
    options = {"column": column, "min_value": minimum, "max_value": maximum}
    return Check(
        suite, name, severity, description, threshold, owner,
        "expect_column_values_to_be_between", (column,), "quality/hour_facts", options, optional, unit,
    )  # fmt: skip


def _equal_to_buckets(measure: str) -> Check:
    pair = (f"report_{measure}", f"bucket_{measure}")
    return Check(
        "hourly_report",
        f"{measure}_equals_its_buckets",
        "critical",
        f"{measure} of the hour, and of each page, country and status class, is the sum of the hour's buckets.",
        "every cell equal",
        "sql/reports",
        "expect_column_pair_values_to_be_equal",
        pair,
        "quality/hour_cells",
        {"column_A": pair[0], "column_B": pair[1], "ignore_row_if": "either_value_is_missing"},
    )


def _value_checks(suite: Suite, side: str, owner: str) -> list[Check]:
    return [
        Check(
            suite, "country_is_a_code", "critical",
            "A country is two capital letters, or empty when unknown.", "[A-Z]{2} or empty", owner,
            "expect_column_values_to_match_regex", (f"{side}_country",), "quality/hour_cells",
            {"column": f"{side}_country", "regex": r"^(?:[A-Z]{2}|)$"},
        ),
        Check(
            suite, "status_class_is_known", "critical",
            "A status class is the first digit of a status.", "1 to 5", owner,
            "expect_column_values_to_be_in_set", (f"{side}_status_class",), "quality/hour_cells",
            {"column": f"{side}_status_class", "value_set": ["1", "2", "3", "4", "5"]},
        ),
        Check(
            suite, "text_holds_no_ip_address", "critical",
            "No stored text (path, site, reason) holds an IPv4 or IPv6 address.", "no address", owner,
            "expect_column_values_to_not_match_regex_list", (f"{side}_text",), "quality/hour_cells",
            {"column": f"{side}_text", "regex_list": [IPV4, IPV6]},
        ),
    ]  # fmt: skip


CHECKS: tuple[Check, ...] = (
    _between(
        "traffic_bucket", "ledger_is_contiguous", "critical", "ledger_gaps",
        "Up to this report, every offset of every partition is in the ledger or listed as lost.",
        "no gap", "spark_jobs", "gap", maximum=0,
    ),
    _between(
        "traffic_bucket", "ledger_is_closed_for_the_hour", "waits", "seconds_past_hour",
        "All that Kafka had received by the end of the hour is counted.",
        "at least 0 s past the end of the hour", "spark_jobs", "s", minimum=0,
    ),
    _between(
        "traffic_bucket", "hour_has_buckets", "critical", "bucket_rows",
        "A reported hour still has its buckets.", "at least 1 row", "spark_jobs", "row", minimum=1,
    ),
    _between(
        "traffic_bucket", "no_null", "critical", "bucket_nulls",
        "No column of a bucket is null.", "0 rows", "spark_jobs", "row", maximum=0,
    ),
    _between(
        "traffic_bucket", "numbers_in_range", "critical", "bucket_out_of_range",
        "Hits are at least 1, sums not negative, latencies at most one a hit.", "0 rows outside", "spark_jobs",
        "row", maximum=0,
    ),
    _between(
        "traffic_bucket", "buckets_on_the_grid", "critical", "bucket_off_grid",
        "Every bucket starts at a multiple of 10 s.", "0 rows off it", "spark_jobs", "row", maximum=0,
    ),
    *_value_checks("traffic_bucket", "bucket", "spark_jobs"),
    _between(
        "hourly_report", "report_includes_late_data", "waits", "waits_for_revision",
        "Nothing was added to the hour since the report: else the next revision is on its way.",
        "no late data", "sql/reports", "due revision", maximum=0,
    ),
    *(
        _equal_to_buckets(measure)
        for measure in ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
    ),
    _between(
        "hourly_report", "no_null", "critical", "report_nulls",
        "No column of a report is null.", "0 rows", "sql/reports", "row", maximum=0,
    ),
    _between(
        "hourly_report", "numbers_in_range", "critical", "report_out_of_range",
        "Hits are at least 1, sums not negative, latencies at most one a hit.", "0 rows outside", "sql/reports",
        "row", maximum=0,
    ),
    _between(
        "hourly_report", "dimensions_add_up", "critical", "report_dimensions_off",
        "Hits by agent rule, browser, system, device, referrer, method, protocol, host, status add up to the hour's.",
        "0 dimensions off", "sql/reports", "dimension", maximum=0,
    ),
    _between(
        "hourly_report", "histograms_hold_every_latency", "critical", "report_histograms_off",
        "The histogram of the hour, and of each page, holds as many latencies as were counted.",
        "0 histograms off", "sql/reports", "histogram", maximum=0,
    ),
    _between(
        "hourly_report", "histograms_equal_the_streams", "critical", "report_bins_off",
        "Every bin of every page's histogram, and its maximum, is the sum (or maximum) of what the stream counted.",
        "0 bins off", "sql/reports", "bin", maximum=0, optional=True,
    ),
    _between(
        "hourly_report", "visitors_are_those_of_the_sketches", "critical", "report_sketches_off",
        "Published numbers of visitors are what the published sketches say.",
        "0 figures off", "sql/reports", "figure", maximum=0,
    ),
    _between(
        "hourly_report", "visitors_agree_with_the_stream", "critical", "visitors_beyond_bounds",
        "Visitors of the hour are the union of the stream's minutes, within twice the error bounds of both.",
        "0 visitors beyond", "sql/reports", "visitor", maximum=0, optional=True,
    ),
    *_value_checks("hourly_report", "report", "sql/reports"),
    _between(
        "hourly_report", "report_is_fresh", "warning", "report_delay_seconds",
        "The report follows the end of its hour, or its late data, by 2 hours at most.",
        "at most 7200 s", "dags", "s", maximum=7200, optional=True,
    ),
    _between(
        "hourly_report", "volume_is_usual", "warning", "volume_ratio",
        "Hits against the median of the same hour on the 7 days before, when 3 of them have a report.",
        "0.3 to 3 times", "producers", "times", minimum=0.3, maximum=3, optional=True,
    ),
)  # fmt: skip

_BY_NAME: Mapping[tuple[str, str], Check] = {(check.suite, check.name): check for check in CHECKS}


def known_check(suite: str, name: str) -> Check | None:
    """The definition; None when results are of a check that is no more."""
    return _BY_NAME.get((suite, name))

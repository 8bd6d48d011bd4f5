"""Hours that another version of the agents' rules has counted: today's rules cannot recompute their agents.

Every version may tell agents apart in another way (rules, and the parser's browsers, systems and devices). Only what
does not depend on agents is compared then.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from spark_jobs.audit_ledger import Ledger
from spark_jobs.audit_records import AGENT
from spark_jobs.audit_scope import Place, outside_places


def counted_otherwise(lines: DataFrame, ledger: Ledger, until: int) -> list[Place]:
    """Sites and hours with lines of ledger rows up to ``until``, the last that another version counted."""
    if not any((rows.ledger_id <= until).any() for rows in ledger.values()):
        return []
    hours = lines.where(f.col("ledger_id") <= until).select("site", "hour_s").distinct()
    return [(row["site"], row["hour_s"]) for row in hours.collect()]


def without_agents(figures: DataFrame, hours: DataFrame) -> DataFrame:
    """Without what depends on agents in those hours (site, start_s)."""
    of_agents = [f.col("key").startswith(f"{dimension}: ") for dimension in AGENT]
    by_agent = f.col("report") == "hourly_visitor"
    for one in of_agents:
        by_agent = by_agent | ((f.col("report") == "hourly_dimension") & one)
    return figures.where(~by_agent).unionByName(outside_places(figures.where(by_agent), "start_s", hours))


def rules_note(otherwise: Sequence[Place]) -> list[str]:
    """A note on those hours, if there are any."""
    if not otherwise:
        return []
    return [
        f"agents of {len(otherwise)} hours were not compared: another version of the agents' rules has counted lines "
        "of them"
    ]

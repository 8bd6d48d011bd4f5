"""What a new version of the agents' rules means for what was counted under an older one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from spark_jobs.lease import hold_lease
from sql.warehouse import Warehouse, rows, run


def adopt_rules(
    warehouse: Warehouse, epoch: int, rules_version: int, classes: Mapping[str, str], since: datetime
) -> list[str]:
    """Note that this version counts from now on, and give the rules on record its classes; returns changes in words.

    Reports take an agent's class from its rule: when a class changed, the hours since a moment are looked at again
    and published as new revisions. A rule that is no longer one keeps its last class. Raises Fenced.
    """
    with warehouse.transaction() as cursor:
        hold_lease(cursor, epoch)
        run(cursor, "stream/adopt_rules", {"rules_version": rules_version})
        before = {
            row["rule"]: row["agent_class"]
            for row in rows(cursor, "stream/outdated_rules", {"rules_version": rules_version})
        }
        if not before:
            return []
        after = {rule: classes.get(rule, agent_class) for rule, agent_class in before.items()}
        run(
            cursor,
            "stream/update_rules",
            {"rules": list(after), "agent_classes": list(after.values()), "rules_version": rules_version},
        )
        changed = [f"{rule} was {before[rule]}, is {after[rule]}" for rule in after if after[rule] != before[rule]]
        if changed:
            run(cursor, "stream/restate_hours", {"since": since})
    return changed

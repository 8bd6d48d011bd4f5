"""The further dimensions of a line, one at a time: by whom, from where, how it was asked and answered.

Lines that agree in everything asked for here are summed first; what a value is called is then worked out once for
each distinct agent, referrer, method, status …, and not once a line.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa

from spark_jobs.count_tables import DIMENSIONS
from spark_jobs.grouping import Codes, Column, Groups, combined
from spark_jobs.lines import Lines
from spark_jobs.referrers import classify as classify_referrer
from spark_jobs.referrers import host_name
from spark_jobs.request_names import stored_method, stored_protocol


def dimension_table(lines: Lines) -> pa.Table:
    """Sums by site, hour, dimension and value (``count_tables.DIMENSIONS``)."""
    hours, hour = np.unique(lines.second - lines.second % 3600, return_inverse=True)
    statuses, status = np.unique(lines.status, return_inverse=True)
    alike = Groups(
        combined(
            (lines.site, len(lines.sites)),
            (hour, len(hours)),
            (lines.agent, len(lines.agents)),
            (lines.surrounding, len(lines.surroundings)),
            (lines.method, len(lines.methods)),
            (lines.rule + 1, len(lines.rules) + 1),
            (lines.campaign, len(lines.campaigns)),
            (status, len(statuses)),
        )
    )
    values = Codes()  # (dimension, value)
    columns = _value_columns(lines, alike, statuses, alike.first(status), values)
    repeats = len(columns)
    value = np.concatenate(columns)
    there = value >= 0

    def spread(column: Column) -> Column:
        tiled: Column = np.tile(column, repeats)[there]
        return tiled

    named = value[there]
    site, place = spread(alike.first(lines.site)), spread(alike.first(hour))
    cells = Groups(combined((site, len(lines.sites)), (place, len(hours)), (named, len(values))))
    hits, bytes_sent = alike.rows(), alike.sums(lines.bytes_sent)
    status_class = alike.first(lines.status) // 100
    names = list(values)
    code = pa.array(cells.first(named))
    return pa.table(
        [
            pa.array(hours[cells.first(place)]),
            pa.array(lines.sites).take(pa.array(cells.first(site))),
            pa.array([dimension for dimension, _ in names], pa.string()).take(code),
            pa.array([text for _, text in names], pa.string()).take(code),
            cells.sums(spread(hits)),
            cells.sums(spread(bytes_sent)),
            cells.sums(spread(np.where(status_class == 4, hits, 0))),
            cells.sums(spread(np.where(status_class == 5, hits, 0))),
        ],
        schema=DIMENSIONS,
    )


def _value_columns(lines: Lines, alike: Groups, statuses: Column, status: Column, values: Codes) -> list[Column]:
    """For each dimension, the code of its value in each group of lines that are alike; -1 where it has none."""

    def codes(dimension: str, texts: list[str]) -> Column:
        return np.array([values[dimension, text] for text in texts], dtype=np.int64)

    agent, surrounding = alike.first(lines.agent), alike.first(lines.surrounding)
    rule, campaign = alike.first(lines.rule), alike.first(lines.campaign)
    referrers = [classify_referrer(referrer, own_hosts(site, host)) for site, referrer, _, host in lines.surroundings]
    protocols = [stored_protocol(protocol) for _, _, protocol, _ in lines.surroundings]
    hosts = [host_name(host) if host else "" for _, _, _, host in lines.surroundings]
    by_rule = codes("agent_rule", [*lines.rules, ""])[rule]
    names = sorted({name for pairs in lines.campaigns for name, _ in pairs})
    return [
        np.where(rule >= 0, by_rule, codes("agent_rule", [one.rule for one in lines.agents])[agent]),
        codes("browser", [one.browser for one in lines.agents])[agent],
        codes("os", [one.os for one in lines.agents])[agent],
        codes("device", [one.device for one in lines.agents])[agent],
        codes("referrer_class", [kind for kind, _ in referrers])[surrounding],
        codes("referrer", [host for _, host in referrers])[surrounding],
        codes("protocol", protocols)[surrounding],
        codes("host", hosts)[surrounding],
        codes("method", [stored_method(method) for method in lines.methods])[alike.first(lines.method)],
        codes("status", [str(number) for number in statuses])[status],
        *(
            np.array([values[name, dict(pairs)[name]] if name in dict(pairs) else -1 for pairs in lines.campaigns])[
                campaign
            ]
            for name in names
        ),
    ]


@lru_cache(maxsize=4_096)
def own_hosts(site: str, host: str | None) -> frozenset[str]:
    """The names by which a line's own site is known: its virtual host, and the site's name when it is one."""
    names = {host_name(name) for name in (site if "." in site else None, host) if name}
    return frozenset(names)

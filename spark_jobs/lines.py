"""The accepted records of a task as columns of numbers, beside lists of the distinct things they name.

A record is taken in with three look-ups: its client (site, address, user agent, country), its target (method and
request target) and its surroundings (site, referrer, protocol, host). What is to be known of those is worked out once
for each distinct one, at the end; the rest is arithmetic on columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from producers.access_log import AccessEvent
from spark_jobs.agent_rules import Agent, classify, line_rule
from spark_jobs.canonical import canonical_path, registered_country
from spark_jobs.count_tables import sorted_codes
from spark_jobs.grouping import Codes, Column, Groups, combined
from spark_jobs.referrers import campaign
from spark_jobs.visits import AGENT_CLASSES, is_page

Client = tuple[str, str, str | None, str | None]  # site, address, user agent, country as logged
Surroundings = tuple[str, str | None, str | None, str | None]  # site, referrer, protocol, host
Campaign = tuple[tuple[str, str], ...]  # (utm_…, value) pairs
_SCANNER = AGENT_CLASSES.index("scanner")


@dataclass(frozen=True)
class Lines:
    """Columns of the same length, one entry a line: places in the lists before them, or plain numbers."""

    sites: list[str]
    countries: list[str]
    paths: pa.Array  # canonical, in order
    clients: list[Client]
    agents: list[Agent]
    surroundings: list[Surroundings]
    methods: list[str]
    campaigns: list[Campaign]
    rules: list[str]
    partition: Column  # Kafka partition
    offset: Column
    us: Column  # epoch microseconds
    second: Column  # epoch seconds, rounded down
    site: Column
    country: Column
    path: Column
    client: Column
    agent: Column
    surrounding: Column
    method: Column
    campaign: Column
    rule: Column  # rule by which what the line asks for is a scanner's, whoever it says it is; -1 for none
    agent_class: Column  # place in AGENT_CLASSES
    page: Column  # 1 when it is a page and no part of one
    status: Column
    bytes_sent: Column
    latency_us: Column  # -1 for none


class AcceptedRecords:
    """Collects accepted records; one per Spark task."""

    def __init__(self) -> None:
        self._clients = Codes()
        self._targets = Codes()
        self._surroundings = Codes()
        self._columns: list[tuple[Column, ...]] = []  # one entry a call of take

    def take(self, partition: int, offsets: Column, seconds: Sequence[float], events: Sequence[AccessEvent]) -> None:
        """Take in records of one partition. seconds: their times since the epoch; a float holds microseconds."""
        clients, targets, surroundings = self._clients, self._targets, self._surroundings
        latency_ms = np.array([-1.0 if event.latency_ms is None else event.latency_ms for event in events])
        self._columns.append(
            (
                np.full(len(events), partition, dtype=np.int64),
                offsets,
                np.rint(np.array(seconds, dtype=np.float64) * 1e6).astype(np.int64),
                _numbers([clients[one.site, one.ip, one.user_agent, one.country] for one in events]),
                _numbers([targets[one.method, one.path] for one in events]),
                _numbers([surroundings[one.site, one.referrer, one.protocol, one.host] for one in events]),
                _numbers([event.status for event in events]),
                _numbers([event.bytes for event in events]),
                np.where(latency_ms < 0, -1, np.rint(latency_ms * 1000)).astype(np.int64),
            )
        )

    def _by_column(self) -> list[list[Column]]:
        return [list(parts) for parts in zip(*self._columns, strict=True)] or [[] for _ in range(9)]

    def lines(self) -> Lines:
        """All that was taken in."""
        sites, countries, user_agents, methods, campaigns = (Codes() for _ in range(5))
        of_clients = [
            (sites[site], user_agents[user_agent], countries[country or registered_country(address)])
            for site, address, user_agent, country in self._clients
        ]
        of_targets = [
            (methods[method], campaigns[_campaign(target.partition("?")[2])]) for method, target in self._targets
        ]
        asked = Codes()  # (method, canonical path): fewer than targets, whose query strings differ
        asked_of_target = _numbers([asked[method, canonical_path(target)] for method, target in self._targets])
        paths, path_of_asked = sorted_codes(pa.chunked_array([[path for _, path in asked]], pa.string()))
        partition, offset, us, client, target, surrounding, status, bytes_sent, latency_us = (
            np.concatenate(parts) if parts else _numbers([]) for parts in self._by_column()
        )
        by_client, by_target = _table(of_clients, 3)[client], _table(of_targets, 2)[target]
        ask = asked_of_target[target]
        rules, rule = _line_rules(list(asked), ask, status)
        agents = [classify(user_agent) for user_agent in user_agents]
        agent_class = np.array([AGENT_CLASSES.index(agent.agent_class) for agent in agents], dtype=np.int64)
        return Lines(
            sites=list(sites),
            countries=list(countries),
            paths=paths,
            clients=list(self._clients),
            agents=agents,
            surroundings=list(self._surroundings),
            methods=list(methods),
            campaigns=list(campaigns),
            rules=rules,
            partition=partition,
            offset=offset,
            us=us,
            second=us // 1_000_000,
            site=by_client[:, 0],
            country=by_client[:, 2],
            path=path_of_asked[ask],
            client=client,
            agent=by_client[:, 1],
            surrounding=surrounding,
            method=by_target[:, 0],
            campaign=by_target[:, 1],
            rule=rule,
            agent_class=np.where(rule >= 0, _SCANNER, agent_class[by_client[:, 1]]),
            page=_numbers([is_page(method, path) for method, path in asked])[ask],
            status=status,
            bytes_sent=bytes_sent,
            latency_us=latency_us,
        )


def _numbers(values: list[int]) -> Column:
    return np.array(values, dtype=np.int64)


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Column:
    return np.array(rows, dtype=np.int64).reshape(-1, width)


@lru_cache(maxsize=16_384)
def _campaign(query: str) -> Campaign:
    return tuple(campaign(f"?{query}").items())


def _line_rules(asked: list[tuple[str, str]], ask: Column, status: Column) -> tuple[list[str], Column]:
    """The rules that what is asked for meets, and for each line which; -1 for none."""
    pairs = Groups(combined((ask, len(asked)), (status, 600)))
    rules = Codes()
    found = [
        line_rule(asked[place][0], asked[place][1], answer)
        for place, answer in zip(pairs.first(ask).tolist(), pairs.first(status).tolist(), strict=True)
    ]
    of_pairs = np.array([-1 if rule is None else rules[rule] for rule in found], dtype=np.int64)
    return list(rules), pairs.spread(of_pairs)

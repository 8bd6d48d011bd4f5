"""What can be said of a generated hit beside page and status class: one dimension at a time.

Names and values are the ones of ``stream.dimension_hour``, and the agent class; made from what the generator knows.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from iptocc import country_code
from numpy.typing import NDArray

from producers.audience import AGENTS, PROTOCOLS, Audience
from producers.hits import SERVER_THAT_KNOWS_COUNTRIES, Hits
from producers.site_model import ENTRY_CLASSES, ENTRY_REFERRERS, FIRST_OWN_REFERRER, HOSTS, METHODS, QUERIES
from producers.user_agents import AGENT_CLASSES, FAMILIES

CAMPAIGN_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign")

Codes = NDArray[Any]  # integers


def _table(values: list[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The distinct values, and for each value its number among them."""
    number = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return tuple(number), np.array([number[value] for value in values])


class Dimensions:
    """Values by dimension, and which one each hit has."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        families = [FAMILIES[agent] for agent in AGENTS]
        classes = np.array([AGENT_CLASSES.index(family.agent_class) for family in families])
        self.class_of_visitor: Codes = classes[audience.agent_index]
        browsers, self._browser = _table([family.browser for family in families])
        systems, self._os = _table([family.os for family in families])
        own = [host.removeprefix("www.") for host in HOSTS]
        hosts, self._host = _table(own)
        entries = [urlsplit(referrer or "").netloc.removeprefix("www.") for referrer in ENTRY_REFERRERS]
        referrers, referrer = _table([*entries, *own])
        self._entry, self._own = referrer[: len(entries)], referrer[len(entries) :]
        kinds, kind = _table([*ENTRY_CLASSES, "internal"])
        self._entry_class, self._internal = kind[:-1], kind[-1]
        self.names: dict[str, tuple[str, ...]] = {
            "agent_class": AGENT_CLASSES,
            "browser": browsers,
            "os": systems,
            "referrer_class": kinds,
            "referrer": referrers,
            "method": METHODS,
            "protocol": PROTOCOLS,
            "host": hosts,
            "status": tuple(map(str, range(100, 600))),
        }
        self._campaigns: dict[str, NDArray[np.int64]] = {}  # by parameter, then query string
        campaigns = [dict(parse_qsl(query.removeprefix("?"))) for query in QUERIES]
        for name in CAMPAIGN_PARAMETERS:
            values, number = _table([campaign.get(name, "") for campaign in campaigns])
            self.names[name] = values
            self._campaigns[name] = np.where(number == values.index(""), -1, number)

        # The country the stream will find: what the edge says, else what the address resolves to.
        looked_up = [code or "" for code in country_code(audience.addresses)]
        self.countries, country = _table([*audience.countries, *looked_up])
        self._edge = country[: len(audience.countries)][audience.country_index]
        self._looked_up = country[len(audience.countries) :]

    def country(self, hits: Hits) -> Codes:
        """The number of each hit's country in ``countries``; the empty one: unknown."""
        visitor = hits["visitor"]
        edge = self._edge[visitor]
        stated = (hits["server"] == SERVER_THAT_KNOWS_COUNTRIES) & (edge != self.countries.index(""))
        return np.asarray(np.where(stated, edge, self._looked_up[visitor]))

    def codes(self, hits: Hits) -> dict[str, Codes]:
        """By dimension: the number of each hit's value in ``names``, -1 where it has none."""
        visitor, referrer = hits["visitor"], hits["referrer"]
        agent, host = self._audience.agent_index[visitor], self._audience.host[visitor]
        own = referrer >= FIRST_OWN_REFERRER
        entry = np.where(own, 0, referrer)
        return {
            "agent_class": self.class_of_visitor[visitor],
            "browser": self._browser[agent],
            "os": self._os[agent],
            "referrer_class": np.where(own, self._internal, self._entry_class[entry]),
            "referrer": np.where(own, self._own[host], self._entry[entry]),
            "method": hits["method"],
            "protocol": self._audience.protocol[visitor],
            "host": self._host[host],
            "status": hits["status"] - 100,
            **{name: table[hits["query"]] for name, table in self._campaigns.items()},
        }

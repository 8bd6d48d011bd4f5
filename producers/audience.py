"""Who visits the generated site: people of many countries with their hours of the day, bots, tools and scanners.

Address blocks: the registries' (RIPE NCC, ARIN, APNIC, LACNIC, AFRINIC) delegation statistics as the offline
library iptocc 3.3.170 carries them; blocks of large access networks whose every /24 (IPv4) or sampled
address (IPv6) resolves to the country. A test proves that again for the installed iptocc.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

import numpy as np
from numpy.typing import NDArray

from producers import user_agents as agent
from producers.site_model import LEVELS, WALKERS, quantised

IPV6_SHARE = 0.35
# Of all hits, by walker: people, bots, tools, scanners.
SHARE_OF_HITS = np.array([0.85, 0.12, 0.02, 0.01])
PROTOCOLS = ("HTTP/1.1", "HTTP/2.0", "HTTP/3.0")
_PROTOCOL_OF_PEOPLE, _PROTOCOL_OF_MACHINES = quantised([12, 80, 8]), quantised([92, 8, 0])
_HOST = quantised([55, 20, 25])

# Share of the day's busiest hour, by local hour of the day, and share of the busiest day, Monday first.
HOUR_OF_DAY = np.array(
    [14, 9, 6, 5, 5, 8, 16, 30, 46, 58, 66, 70, 74, 70, 66, 65, 67, 72, 80, 92, 100, 90, 62, 32]
) / 100.0  # fmt: skip
DAY_OF_WEEK = np.array([0.98, 0.94, 0.92, 0.94, 0.86, 0.78, 1.0])


@dataclass(frozen=True)
class Country:
    code: str  # ISO 3166 alpha-2
    weight: float  # share of the visitors, relative
    utc_offset: float  # hours, of most of its people, without daylight saving
    blocks: tuple[str, ...]


COUNTRIES = (
    Country("DE", 24, 1, ("79.192.0.0/12", "84.128.0.0/12", "91.0.0.0/12", "217.224.0.0/14", "2003::/19")),
    Country(
        "US", 17, -6, ("73.0.0.0/9", "24.0.0.0/14", "98.192.0.0/12", "68.32.0.0/14", "2601::/20", "2600:1700::/28")
    ),
    Country("GB", 9, 0, ("81.128.0.0/14", "86.128.0.0/12", "90.192.0.0/13", "2a00:23c0::/26", "2a02:c7c::/30")),
    Country("FR", 8, 1, ("90.0.0.0/12", "82.64.0.0/14", "78.192.0.0/12", "2a01:e00::/26", "2a01:cb00::/24")),
    Country("AT", 6, 1, ("84.112.0.0/14", "80.108.0.0/15", "178.112.0.0/14", "2001:871::/32")),
    Country("CH", 5, 1, ("85.0.0.0/14", "178.192.0.0/14", "188.60.0.0/14", "2a02:1200::/27")),
    Country("NL", 4, 1, ("77.160.0.0/13", "217.120.0.0/14", "2a02:a440::/26", "2001:1c00::/23")),
    Country("IT", 4, 1, ("79.0.0.0/12", "87.0.0.0/12", "2a01:2000::/20")),
    Country("ES", 4, 1, ("83.32.0.0/13", "88.0.0.0/12", "2a02:9000::/23")),
    Country("PL", 3, 1, ("83.0.0.0/14", "79.184.0.0/14", "2a02:a310::/28")),
    Country("SE", 2, 1, ("78.64.0.0/12", "81.224.0.0/13", "2a00:801::/32")),
    Country("CZ", 1.5, 1, ("85.70.0.0/15", "2a00:1028::/32")),
    Country("CA", 2, -5, ("99.224.0.0/12", "70.48.0.0/13", "2607:f2c0::/32", "2001:56a::/31")),
    Country("BR", 2, -3, ("177.96.0.0/13", "179.208.0.0/13", "2804:14c::/31", "2804:18::/32")),
    Country("MX", 1, -6, ("187.128.0.0/11", "189.128.0.0/11", "2806:1000::/24")),
    Country("AR", 0.6, -3, ("190.16.0.0/14", "186.136.0.0/14", "2800:810::/31")),
    Country("IN", 2.5, 5.5, ("117.192.0.0/10", "122.160.0.0/12", "2409:4000::/22", "2401:4900::/32")),
    Country("JP", 1.5, 9, ("60.32.0.0/12", "114.144.0.0/12", "2400:2200::/23", "240f::/24")),
    Country("KR", 0.8, 9, ("14.32.0.0/11", "121.128.0.0/10", "2001:2d8::/32")),
    Country("CN", 0.6, 8, ("114.224.0.0/12", "58.32.0.0/13", "2408:8000::/20", "240e::/18")),
    Country("SG", 0.6, 8, ("116.86.0.0/15", "121.6.0.0/15", "2406:3003::/32")),
    Country("AU", 1.2, 10, ("1.120.0.0/13", "58.160.0.0/12", "2403:5800::/27")),
    Country("TR", 0.8, 3, ("78.160.0.0/11", "85.96.0.0/12", "2a02:e0::/32")),
    Country("ZA", 0.5, 2, ("41.0.0.0/11", "105.0.0.0/13", "2c0f:f4c0::/32")),
    Country("NG", 0.4, 1, ("105.112.0.0/12", "102.88.0.0/14", "2c0f:2a80::/32")),
)


@dataclass(frozen=True)
class Machine:
    user_agent: str
    country: str  # empty: an address that belongs to no country
    block: str  # its addresses
    addresses: int
    weight: float  # within its group


BOTS = (
    Machine(agent.GOOGLEBOT, "US", "66.249.64.0/20", 40, 34),
    Machine(agent.BINGBOT, "US", "40.77.167.0/24", 20, 18),
    Machine(agent.GPTBOT, "US", "20.171.207.0/24", 12, 14),
    Machine(agent.AHREFSBOT, "FR", "54.36.148.0/24", 12, 10),
    Machine(agent.SEMRUSHBOT, "GB", "185.191.171.0/24", 8, 7),
    Machine(agent.YANDEXBOT, "RU", "5.255.253.0/24", 8, 6),
    Machine(agent.APPLEBOT, "US", "17.241.75.0/24", 6, 4),
)
TOOLS = (
    # The shop's own probe, from a private network: its hits have no country.
    Machine(agent.BLACKBOX, "", "10.20.0.0/29", 2, 55),
    Machine(agent.PYTHON_REQUESTS, "US", "3.208.0.0/12", 25, 20),
    Machine(agent.CURL, "DE", "88.198.0.0/16", 25, 12),
    Machine(agent.GO_HTTP_CLIENT, "US", "34.64.0.0/11", 12, 8),
    Machine(agent.WGET, "DE", "95.216.0.0/16", 6, 5),
)
SCANNERS = (
    Machine(agent.PRETENDED_BROWSER, "CN", "218.92.0.0/16", 12, 30),
    Machine(agent.PRETENDED_BROWSER, "NL", "94.102.49.0/24", 8, 20),
    Machine(agent.ZGRAB, "US", "162.142.125.0/24", 10, 20),
    Machine(agent.WPSCAN, "US", "159.89.0.0/16", 6, 12),
    Machine(agent.NIKTO, "LT", "141.98.11.0/24", 4, 10),
    Machine(agent.SQLMAP, "RO", "45.148.10.0/24", 4, 8),
)
_PLACES_OF_MACHINES = 2000
AGENTS = tuple(agent.FAMILIES)


@dataclass(frozen=True)
class Audience:
    """Every visitor there can be, by number. Visitors of one group stand together, the machines come last."""

    addresses: list[str]
    agent_index: NDArray[np.int16]  # by visitor, into AGENTS
    country_index: NDArray[np.int16]  # by visitor, into ``countries``
    countries: tuple[str, ...]
    protocol: NDArray[np.int8]  # by visitor, into PROTOCOLS
    host: NDArray[np.int8]  # by visitor, into site_model.HOSTS
    person: NDArray[np.int32]  # by visitor: the first one with the same address and user agent
    group_first: NDArray[np.int64]  # by group: countries in the order of COUNTRIES, then bots, tools, scanners
    group_size: NDArray[np.int64]
    group_walker: NDArray[np.int8]  # by group: who walks (site_model.WALKERS)


def _draw_addresses(rng: np.random.Generator, blocks: tuple[str, ...], number: int) -> list[str]:
    networks = [ip_network(block) for block in blocks]
    old = [network for network in networks if isinstance(network, IPv4Network)]
    new = [network for network in networks if isinstance(network, IPv6Network)]
    weights = [(1 - IPV6_SHARE if new else 1.0) / len(old)] * len(old) + [IPV6_SHARE / max(len(new), 1)] * len(new)
    chosen = quantised(weights)[rng.integers(0, LEVELS, number)].tolist()
    low = rng.integers(0, 2**63, number, dtype=np.int64).tolist()
    high = rng.integers(0, 2**63, number, dtype=np.int64).tolist()
    addresses = []
    for index, host, subnet in zip(chosen, low, high, strict=True):
        if index < len(old):
            block = old[index]
            value = int(block.network_address) + 1 + host % (block.num_addresses - 2)
            addresses.append(f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}")
        else:
            wide = new[index - len(old)]
            value = int(wide.network_address) + (((subnet << 64) | host) & int(wide.hostmask))
            addresses.append(str(IPv6Address(value)))
    return addresses


def audience(rng: np.random.Generator, size: int) -> Audience:
    """Draw about ``size`` people, and the machines."""
    total = sum(country.weight for country in COUNTRIES)
    machines = (BOTS, TOOLS, SCANNERS)
    codes = [country.code for country in COUNTRIES] + [one.country for group in machines for one in group]
    names = tuple(dict.fromkeys(codes))
    addresses: list[str] = []
    agents: list[NDArray[np.int16]] = []
    countries: list[NDArray[np.int16]] = []
    sizes: list[int] = []
    browsers = quantised(list(agent.BROWSERS.values()), [AGENTS.index(browser) for browser in agent.BROWSERS])
    for country in COUNTRIES:
        number = max(20, round(size * country.weight / total))
        addresses += _draw_addresses(rng, country.blocks, number)
        agents.append(browsers[rng.integers(0, LEVELS, number)])
        countries.append(np.full(number, names.index(country.code), np.int16))
        sizes.append(number)
    # A machine stands in the list as often as its weight says, on its few addresses again and again.
    for group in machines:
        weights = sum(one.weight for one in group)
        numbers = [max(one.addresses, round(_PLACES_OF_MACHINES * one.weight / weights)) for one in group]
        for one, number in zip(group, numbers, strict=True):
            few = _draw_addresses(rng, (one.block,), one.addresses)
            addresses += [few[i % len(few)] for i in range(number)]
            agents.append(np.full(number, AGENTS.index(one.user_agent), np.int16))
            countries.append(np.full(number, names.index(one.country), np.int16))
        sizes.append(sum(numbers))
    agent_index = np.concatenate(agents)
    first_seen: dict[tuple[str, int], int] = {}
    who = zip(addresses, agent_index.tolist(), strict=True)
    person = np.array([first_seen.setdefault(one, number) for number, one in enumerate(who)], np.int32)
    level = rng.integers(0, LEVELS, len(addresses))
    people = np.arange(len(addresses)) < sum(sizes[: len(COUNTRIES)])
    return Audience(
        addresses=addresses,
        agent_index=agent_index,
        country_index=np.concatenate(countries),
        countries=names,
        protocol=np.where(people, _PROTOCOL_OF_PEOPLE[level], _PROTOCOL_OF_MACHINES[level]).astype(np.int8),
        host=_HOST[rng.integers(0, LEVELS, len(addresses))].astype(np.int8),
        person=person,
        group_first=np.cumsum([0, *sizes[:-1]]),
        group_size=np.array(sizes),
        group_walker=np.repeat(np.array(WALKERS, np.int8), [len(COUNTRIES), 1, 1, 1]),
    )


def activity(at_ms: int) -> NDArray[np.float64]:
    """How busy each country is at an instant (Unix milliseconds), 1.0 on average over a week."""
    hours = at_ms / 3_600_000 + np.array([country.utc_offset for country in COUNTRIES])
    day = DAY_OF_WEEK[(np.floor(hours / 24).astype(int) + 3) % 7]  # 1 January 1970 was a Thursday
    # The value of an hour stands for its middle; in between it goes over evenly.
    hour = np.interp((hours % 24) - 0.5, np.arange(-1, 25), HOUR_OF_DAY[np.arange(-1, 25) % 24])
    return np.asarray(day * hour / (DAY_OF_WEEK.mean() * HOUR_OF_DAY.mean()), dtype=float)

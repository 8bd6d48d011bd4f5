"""The generated site and its audience: pages, walks, addresses, browsers, the hours of the day."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import numpy as np
import pytest
from iptocc import country_code

from producers import site_model
from producers.audience import AGENTS, BOTS, COUNTRIES, SCANNERS, TOOLS, Audience, Machine, activity, audience
from producers.user_agents import FAMILIES


@pytest.fixture(scope="module")
def people() -> Audience:
    return audience(np.random.default_rng(7), 20_000)


def test_every_address_resolves_to_the_country_of_its_visitor(people: Audience) -> None:
    stated = [people.countries[index] for index in people.country_index]
    assert [code or "" for code in country_code(people.addresses)] == stated


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.code)
def test_every_block_belongs_to_its_country_from_end_to_end(country: object) -> None:
    rng = np.random.default_rng(1)
    assert isinstance(country, type(COUNTRIES[0]))
    for block in country.blocks:
        network = ip_network(block)
        places = [0, network.num_addresses - 1, *(int(network.num_addresses * share) for share in rng.random(500))]
        assert set(country_code([str(network[place]) for place in places])) == {country.code}


def test_every_country_is_reached_by_ipv4_and_ipv6(people: Audience) -> None:
    seen = {
        (people.countries[index], ip_address(address).version)
        for index, address in zip(people.country_index, people.addresses, strict=True)
    }
    assert {(country.code, version) for country in COUNTRIES for version in (4, 6)} <= seen


@pytest.mark.parametrize(("walker", "machines"), [(1, BOTS), (2, TOOLS), (3, SCANNERS)])
def test_bots_tools_and_scanners_are_groups_of_their_own(
    people: Audience, walker: int, machines: tuple[Machine, ...]
) -> None:
    (group,) = np.flatnonzero(people.group_walker == walker)
    first, size = people.group_first[group], people.group_size[group]
    agents = {AGENTS[index] for index in people.agent_index[first : first + size]}
    assert agents == {machine.user_agent for machine in machines}
    addresses = {people.addresses[visitor] for visitor in range(first, first + size)}
    assert len(addresses) <= sum(machine.addresses for machine in machines)


def test_only_the_shops_own_probe_has_no_country(people: Audience) -> None:
    nowhere = people.agent_index[people.country_index == people.countries.index("")]
    assert {AGENTS[index] for index in nowhere} == {"Blackbox Exporter/0.27.0"}


def test_people_are_humans_but_for_those_who_hide_their_user_agent(people: Audience) -> None:
    first_machine = people.group_first[len(COUNTRIES)]
    classes = [FAMILIES[AGENTS[index]].agent_class for index in people.agent_index[:first_machine]]
    assert set(classes) == {"human", "unknown"}
    assert classes.count("unknown") < 0.01 * len(classes)


def test_people_are_the_same_person_only_with_the_same_address_and_browser(people: Audience) -> None:
    distinct = set(zip(people.addresses, people.agent_index.tolist(), strict=True))
    assert len(set(people.person.tolist())) == len(distinct)


def test_pages_are_the_six_and_product_pages_below_products() -> None:
    assert site_model.PAGES[:6] == ("/home", "/products", "/about", "/contact", "/cart", "/checkout")
    assert all(page.startswith("/products/") for page in site_model.PAGES[6:])
    assert len(set(site_model.PATHS)) == len(site_model.PATHS)
    # As the stream stores them: printable ASCII, no query.
    assert all(path.isascii() and path.isprintable() and "?" not in path for path in site_model.PATHS)
    assert len(site_model.MEDIAN_BYTES) == len(site_model.MEDIAN_LATENCY_MS) == len(site_model.PATHS)


def test_a_table_of_3_to_1_draws_the_first_three_times_in_four() -> None:
    table = site_model.quantised([3, 1], [200, 404])
    assert (table == 200).mean() == 0.75


def test_walks_lead_only_to_pages_or_to_the_end_and_begin_with_a_page() -> None:
    walks = site_model.walk_tables()
    assert not (walks == site_model.START).any()
    assert walks.max() == site_model.EXIT
    assert not (walks[:, site_model.START] == site_model.EXIT).any()


def test_bots_and_scanners_stay_longer_than_people_and_tools_come_for_one_thing() -> None:
    visitor, bot, tool, scanner = site_model.mean_hits(site_model.walk_tables())
    assert 3 < visitor < 4
    assert 8 < bot < 12
    assert 1 <= tool < 1.5
    assert 8 < scanner < 16


def test_only_scanners_probe_and_only_machines_read_feeds() -> None:
    walks = site_model.walk_tables()
    by_walker = [set(walks[walker].ravel().tolist()) for walker in site_model.WALKERS]
    probes = set(range(site_model.FIRST_PROBE, len(site_model.PATHS)))
    feeds = set(range(site_model.FIRST_FEED, site_model.FIRST_PROBE))
    assert [bool(reached & probes) for reached in by_walker] == [False, False, False, True]
    assert [bool(reached & feeds) for reached in by_walker] == [False, True, True, False]
    assert by_walker[site_model.SCANNER] == probes | {site_model.EXIT}


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_germany_is_six_times_busier_on_tuesday_evening_than_before_dawn() -> None:
    germany = [country.code for country in COUNTRIES].index("DE")
    evening, dawn = activity(_at("2026-11-17T19:30")), activity(_at("2026-11-17T03:30"))  # local time: one hour more
    assert evening[germany] > 6 * dawn[germany]


def test_saturday_is_quieter_than_sunday_and_monday() -> None:
    saturday, sunday, monday = (activity(_at(f"2026-11-{day}T12:00"))[0] for day in (21, 22, 23))
    assert saturday < 0.85 * sunday
    assert saturday < 0.85 * monday


def test_activity_is_one_on_average_over_a_week() -> None:
    week = [activity(_at("2026-11-16T00:00") + minute * 60_000) for minute in range(0, 7 * 24 * 60, 10)]
    assert np.allclose(np.mean(week, axis=0), 1.0, atol=0.01)

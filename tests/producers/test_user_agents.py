"""What the generator says its user agents are, against the parser and the rules that the stream uses."""

from __future__ import annotations

import pytest

from producers.site_model import ENTRY_CLASSES, ENTRY_REFERRERS, HOSTS, METHODS, PROBES
from producers.user_agents import FAMILIES, PRETENDED_BROWSER
from spark_jobs.agent_rules import classify, line_rule
from spark_jobs.referrers import classify as classify_referrer
from spark_jobs.referrers import host_name


@pytest.mark.parametrize("user_agent", FAMILIES)
def test_browser_and_system_families_are_the_parsers(user_agent: str | None) -> None:
    found = classify(user_agent)
    assert (found.browser, found.os) == FAMILIES[user_agent][1:]


@pytest.mark.parametrize("user_agent", [agent for agent in FAMILIES if agent != PRETENDED_BROWSER])
def test_the_rules_find_out_who_sends_it(user_agent: str | None) -> None:
    assert classify(user_agent).agent_class == FAMILIES[user_agent].agent_class


def test_a_scanner_that_pretends_to_be_a_browser_is_known_only_by_what_it_asks_for() -> None:
    assert classify(PRETENDED_BROWSER).agent_class == "human"
    assert FAMILIES[PRETENDED_BROWSER].agent_class == "scanner"


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("status", [400, 403, 404])
def test_every_probe_is_recognised_by_its_path(path: str, status: int) -> None:
    assert all(line_rule(method, path, status) for method in METHODS)


@pytest.mark.parametrize(("referrer", "kind"), list(zip(ENTRY_REFERRERS, ENTRY_CLASSES, strict=True)))
def test_referrers_have_the_class_that_the_stream_gives_them(referrer: str | None, kind: str) -> None:
    assert classify_referrer(referrer, {host_name(host) for host in HOSTS})[0] == kind

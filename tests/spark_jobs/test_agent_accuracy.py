"""Classes against labels that others gave: independent of the list and the parser that decide."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from spark_jobs.agent_rules import classify

AUTOMATED = ("bot", "scanner", "tool")
LABELLED = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "labelled_user_agents.tsv").read_text(encoding="ascii").splitlines()
    if not line.startswith("# ")
]


def classes(label: str) -> Counter[str]:
    return Counter(classify(user_agent).agent_class for kind, user_agent in LABELLED if kind == label)


def test_the_list_is_large_enough_and_none_of_its_bots_is_an_example_of_the_deciding_list() -> None:
    assert {label: classes(label).total() for label in ("bot", "crawler", "browser")} == {
        "bot": 400,
        "crawler": 200,
        "browser": 700,
    }
    examples = {instance for entry in CRAWLER_USER_AGENTS_DATA for instance in entry["instances"]}
    assert not examples & {user_agent for label, user_agent in LABELLED if label == "bot"}


def test_declared_bots_are_recognised() -> None:
    found = classes("bot")
    assert found["human"] == 0
    assert sum(found[kind] for kind in AUTOMATED) >= 0.99 * found.total()


def test_no_browser_is_called_a_bot() -> None:
    browsers = [user_agent for label, user_agent in LABELLED if label == "browser"]
    assert [user_agent for user_agent in browsers if classify(user_agent).agent_class in AUTOMATED] == []
    assert classes("browser")["human"] >= 0.99 * len(browsers)


def test_of_what_only_one_collection_calls_a_crawler_few_pass_as_human() -> None:
    assert classes("crawler")["human"] <= 0.05 * classes("crawler").total()

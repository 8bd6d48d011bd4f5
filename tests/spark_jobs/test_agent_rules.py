"""Each user agent has one class, by a rule with a name; a line may betray a scanner whatever it calls itself."""

from __future__ import annotations

import re

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.agent_rules import Agent, classify, line_rule, rule_classes
from sql.stored_text import ADDRESS

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
GOOGLEBOT = "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Mobile/15E148 Safari/604.1"
)

RULE_CLASSES = rule_classes()


@pytest.mark.parametrize(
    ("user_agent", "agent_class", "rule"),
    [
        (None, "unknown", "no user agent"),
        ("", "unknown", "no user agent"),
        ("-", "unknown", "no user agent"),
        ("qwertz", "unknown", "unrecognised"),
        (CHROME, "human", "browser"),
        (IPHONE, "human", "browser"),
        (f"Mozilla/5.0 {GOOGLEBOT}", "bot", "crawler list: Googlebot"),
        (f"{IPHONE} {GOOGLEBOT}", "bot", "crawler list: Googlebot"),
        ("curl/8.5.0", "tool", "tool list: curl"),
        ("python-requests/2.32.3", "tool", "tool list: python-requests"),
        (CHROME.replace("Chrome", "HeadlessChrome"), "tool", "tool list: HeadlessChrome"),
        ("Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)", "scanner", None),
        ("sqlmap/1.8#stable (https://sqlmap.org)", "scanner", None),
        ("Example Vulnerability Scanner 1.0", "scanner", "says scanner"),
        ("ExampleNewBot/1.0", "bot", "says bot"),
        ("Example/1.0 (+https://example.org/about)", "bot", "gives a web or mail address"),
        ("Example/1.0 (someone@example.org)", "bot", "gives a web or mail address"),
        ("Mozilla/5.0 (compatible; Example/0.4)", "bot", "compatible, names no browser"),
        ("Java/21.0.1", "tool", "http library"),
        ("Mozilla/5.0 (Linux; Android 7.0; CUBOT MAX) Chrome/66.0 Mobile Safari/537.36", "human", "browser"),
    ],
)  # fmt: skip
def test_a_user_agent_has_a_class_and_the_rule_that_gave_it(
    user_agent: str | None, agent_class: str, rule: str | None
) -> None:
    agent = classify(user_agent)
    assert agent.agent_class == agent_class
    assert rule is None or agent.rule == rule
    assert RULE_CLASSES[agent.rule] == agent_class


def test_browser_system_and_device_are_families() -> None:
    assert classify(CHROME) == Agent("Chrome", "Windows", "unrecognised", "human", "browser")
    assert classify(IPHONE) == Agent("Mobile Safari", "iOS", "iPhone", "human", "browser")
    assert classify(None) == Agent("", "", "", "unknown", "no user agent")


@given(st.text(st.characters(exclude_categories=[])) | st.sampled_from([CHROME]).map(lambda text: text + "\ud800"))
def test_whatever_is_sent_the_agent_is_printable_bounded_and_has_a_known_rule(user_agent: str) -> None:
    agent = classify(user_agent)
    for value in (agent.browser, agent.os, agent.device, agent.rule):
        assert re.fullmatch(r"[ -~]{0,100}", value)
        assert ADDRESS.search(value) is None
    assert RULE_CLASSES[agent.rule] == agent.agent_class


def test_what_stands_behind_512_bytes_does_not_count() -> None:
    assert classify(CHROME + " " * 512 + "Googlebot/2.1").agent_class == "human"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ["a", "bot", "(", "@", "Mozilla/5.0 (", "http", "/../", "%2e", "\u202e", "Spider"])
def test_no_text_however_hostile_takes_long(part: str) -> None:
    for length in range(300):
        classify((part * 100_000)[: 512 + length] + str(length))
        line_rule("GET", "/" + (part * 512)[:500] + str(length), 404)


def test_the_list_decides_as_one_search_after_the_other_would() -> None:
    """The pattern that decides is the first that Python's own engine finds, on the list's own examples."""
    patterns = [re.compile(entry["pattern"]) for entry in CRAWLER_USER_AGENTS_DATA]
    for entry in CRAWLER_USER_AGENTS_DATA[::7]:
        for instance in entry["instances"]:
            if len(instance.encode()) > 512:
                continue
            found = [
                each
                for each, pattern in zip(CRAWLER_USER_AGENTS_DATA, patterns, strict=True)
                if pattern.search(instance)
            ]
            listed = [set(each["tags"]) for each in found]
            if any("scanner" in tags for tags in listed):
                expected = "scanner"
            elif all(tags <= {"http-library", "browser-automation"} for tags in listed):
                expected = "tool"
            else:
                expected = "bot"
            assert classify(instance).agent_class == expected, instance


@pytest.mark.parametrize(
    ("method", "path", "status", "rule"),
    [
        ("GET", "/", 200, None),
        ("GET", "/missing", 404, None),
        ("PROPFIND", "/dav", 207, None),
        ("get", "/", 400, "unknown method"),
        ("HACK", "/", 200, "unknown method"),
        ("-", "(malformed)", 400, "malformed request"),
        ("CONNECT", "(malformed)", 405, "malformed request"),
        ("-", "(malformed)", 408, None),
        ("GET", "/.env", 404, "probing path: secrets"),
        ("GET", "/.env", 200, "probing path: secrets"),
        ("GET", "/app/.git/config", 403, "probing path: secrets"),
        ("GET", "/.environment", 404, None),
        ("GET", "/.well-known/security.txt", 404, None),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 400, "probing path: system files"),
        ("GET", "/%252e%252e/x", 404, "probing path: system files"),
        ("GET", "/docs/etc/passwd", 404, None),
        ("GET", "/wp-login.php", 404, "probing path: wordpress"),
        ("GET", "/blog/wp-login.php", 403, "probing path: wordpress"),
        ("POST", "/wp-login.php", 200, None),
        ("GET", "/wp-content/uploads/lost.png", 404, None),
        ("POST", "/wp-admin/admin-ajax.php", 403, None),
        ("GET", "/wp-content/plugins/x/shell.php", 404, "probing path: wordpress"),
        ("GET", "/phpMyAdmin-2.11.0/", 404, "probing path: database tools"),
        ("GET", "/pma", 404, "probing path: database tools"),
        ("GET", "/pmarketing", 404, None),
        ("GET", "/manager/html", 401, "probing path: administration"),
        ("GET", "/cgi-bin/luci", 404, "probing path: devices"),
        ("GET", "/backup.sql", 404, "probing path: leftovers"),
        ("GET", "/backup.sql", 200, None),
        ("GET", "/%24%7Bjndi%3Aldap%3A//x%7D", 404, "probing path: code"),
        ("GET", "/union-and-select", 404, None),
    ],
)
def test_a_line_betrays_a_scanner_by_method_target_and_answer(
    method: str, path: str, status: int, rule: str | None
) -> None:
    assert line_rule(method, path, status) == rule
    assert rule is None or RULE_CLASSES[rule] == "scanner"

"""A real browser on the real stack: the system's Chromium, Airflow's own login.

One stack for all tests of this folder. They run in order: before the traffic begins, with it, and what ends it last.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path

import jwt
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect

from local.airflow import airflow_home, airflow_url
from settings import CHECKOUT
from tests.browser.chromium import running_chromium, sign_in
from tests.pipeline.conftest import UP, Stack, new_stack

# Anything that a page was not supposed to run sets one of these.
TRAP = (
    "window.trapped = []; for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => trapped.push(name);"
)
# What the browser itself says when a request fails, as some tests want it to.
FAILED_REQUEST = re.compile(
    r"Failed to load resource: .*(503|401|403|404|net::ERR_)|^(htmx: htmx:error: )?(TypeError: )?Failed to fetch\b"
    r"|^htmx: htmx:error: signal is aborted"  # the page gave up an answer that took too long, and says so
)

SURGE = "surge:+330s:90s:6:/products"

Open = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def empty_stack(browser: Browser) -> Iterator[Stack]:
    """A stack that runs and has counted nothing yet. The browser comes first: without one no stack is started."""
    with new_stack("up", "--no-generator") as stack:
        yield stack


@pytest.fixture(scope="package")
def stack(empty_stack: Stack) -> Stack:
    """The same with the generator's site ``shop``."""
    print(empty_stack.run(*UP))
    return empty_stack


@pytest.fixture(scope="package")
def watched(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The generator's folder of a site of its own, ``watched``, whose hits surge.

    Begun with the first test of the traffic: the detector needs five minutes of a site before it judges, and lines of
    a past that it did not see do not count for that.
    """
    state = tmp_path_factory.mktemp("watched")
    command = [sys.executable, "-m", "producers.log_generator", "--state", str(state), "--site", "watched"]
    options = ["--seed", "11", "--history-hours", "0", "--rate", "30", "--minutes", "30", "--incident", SURGE]
    environment = os.environ | {
        "FOOTFALL_HOME": str(stack.settings.home),
        "FOOTFALL_PORT_BASE": str(stack.settings.port_base),
    }
    with subprocess.Popen([*command, *options], cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL) as run:
        try:
            yield state
            run.terminate()
            run.wait(60)
        finally:
            run.kill()


@pytest.fixture(scope="package")
def login(empty_stack: Stack, browser: Browser) -> StorageState:
    """Cookies of the stack's user, an administrator of Airflow."""
    return sign_in(browser, empty_stack.settings)


@pytest.fixture
def as_role(empty_stack: Stack, login: StorageState) -> Callable[[str | None], StorageState]:
    """Cookies of a person with another role of Airflow (None: no right at all), signed with the stack's own key."""
    parser = ConfigParser(interpolation=None)
    parser.read(airflow_home(empty_stack.settings) / "airflow.cfg")
    key = parser["api_auth"]["jwt_secret"]

    def as_role(role: str | None) -> StorageState:
        cookies = [dict(cookie) for cookie in login["cookies"]]
        (token,) = [cookie for cookie in cookies if cookie["name"] == "_token"]
        claims = jwt.decode(str(token["value"]), key, ["HS512"], audience="apache-airflow", issuer="footfall")
        token["value"] = jwt.encode(claims | {"role": role, "sub": f"a {role}"}, key, "HS512", {"kid": "not-used"})
        return StorageState(cookies=cookies, origins=[])  # type: ignore[typeddict-item]

    return as_role


@pytest.fixture
def open_page(empty_stack: Stack, browser: Browser, login: StorageState) -> Iterator[Open]:
    """Opens an address of Footfall; whatever the console calls an error is an error of the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(path: str, *, state: StorageState | None = None, theme: str = "light", width: int = 1360) -> Page:
        context = browser.new_context(
            storage_state=login if state is None else state,
            base_url=airflow_url(empty_stack.settings),
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            timezone_id="Asia/Tehran",  # UTC+3:30: a whole hour of UTC is none there
        )
        contexts.append(context)
        watch(context, complaints)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert page.evaluate("window.trapped ?? []") == []
        context.close()
    assert [words for words in complaints if not FAILED_REQUEST.search(words)] == []


def watch(context: BrowserContext, complaints: list[str]) -> None:
    """Note what the pages of a context complain about: errors, dialogs, breaches of the content policy."""
    context.add_init_script(TRAP)
    context.on("console", lambda said: complaints.append(_complaint(said)) if said.type == "error" else None)
    context.on("weberror", lambda failed: complaints.append(str(failed.error)))
    context.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))


def _complaint(said: ConsoleMessage) -> str:
    """What the console says, and of which address."""
    return f"{said.text} {said.location['url']}" if said.text.startswith("Failed to load") else said.text


def await_charts(page: Page) -> None:
    """Wait until every chart of the page is drawn."""
    for canvas in page.locator("[data-chart] .canvas").all():
        expect(canvas.locator("svg").first).to_be_visible(timeout=20_000)


def sideways_pixels(page: Page) -> int:
    """How many pixels of the page one would have to scroll sideways to see."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def until(holds: Callable[[], bool], page: Page, seconds: float, what: str) -> None:
    """Wait for something that no locator can wait for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        page.wait_for_timeout(250)

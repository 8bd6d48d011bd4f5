"""A real browser on the real stack: the system's Chromium, Airflow's own login."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from local.airflow import airflow_url, login_file
from tests.pipeline.conftest import Stack
from tests.pipeline.conftest import stack as stack

# Anything that a page was not supposed to run sets one of these.
TRAP = (
    "window.trapped = []; for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => trapped.push(name);"
)

Open = Callable[..., Page]


def chromium() -> Path:
    """The system's Chromium; CI fails without one."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
    words = "Chromium is missing. Install it with: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox of its own; it opens nothing but this stack.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        made = playwright.chromium.launch(executable_path=chromium(), args=options)
        yield made
        made.close()


@pytest.fixture(scope="module")
def login(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cookies of a person who signed in through Airflow's form."""
    ((user, password),) = json.loads(login_file(stack.settings).read_text()).items()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{airflow_url(stack.settings)}/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/auth/" not in address)
    path = tmp_path_factory.mktemp("login") / "state.json"
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def open_page(stack: Stack, browser: Browser, login: Path) -> Iterator[Open]:
    """Opens an address of Footfall; whatever the console calls an error is an error of the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(path: str, width: int = 1360, theme: str = "light", zone: str = "Europe/Lisbon") -> Page:
        context = browser.new_context(
            storage_state=login,
            base_url=airflow_url(stack.settings),
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            timezone_id=zone,
        )
        contexts.append(context)
        context.add_init_script(TRAP)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert page.evaluate("window.trapped ?? []") == []
        context.close()
    expected = ("favicon", "503", "401", "403", "net::ERR")
    assert [words for words in complaints if not any(word in words for word in expected)] == []

"""The system's Chromium, and signing in to Airflow with it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, StorageState, sync_playwright

from local.airflow import airflow_url, login_file
from settings import Settings

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class ChromiumMissing(Exception):
    """No Chromium on this machine; the message says how to get one."""

    def __init__(self) -> None:
        super().__init__(
            "Chromium is missing. Install it with: apt-get install chromium"
            " (Fedora: dnf install chromium, macOS: brew install --cask google-chrome)"
        )


def find_chromium() -> Path:
    """Path of the first of ``NAMES`` that the machine has."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    raise ChromiumMissing


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A headless browser that ends with the block."""
    path = find_chromium()
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox of its own; it opens nothing but our own stack.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


def sign_in(browser: Browser, settings: Settings) -> StorageState:
    """Cookies of the stack's user, who signed in through Airflow's own form."""
    ((user, password),) = json.loads(login_file(settings).read_text()).items()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{airflow_url(settings)}/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/auth/" not in address)
    state = context.storage_state()
    context.close()
    return state

"""What a person sees who comes before the first line, and who may not come at all. Runs before all others."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import StorageState, expect

from tests.browser.conftest import Open, await_charts, sideways_pixels
from tests.pipeline.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

PAGES = ["/footfall/live", "/footfall/reports", "/footfall/quality", "/footfall/stream"]


def test_before_the_first_line_live_says_what_is_ready_and_how_to_bring_some(
    empty_stack: Stack, open_page: Open
) -> None:
    assert empty_stack.one("SELECT count(*)::int FROM stream.site_bucket") == 0, "runs before the others"
    page = open_page("/footfall/live")
    expect(page.get_by_role("heading", level=1)).to_have_text("No traffic counted yet.")
    expect(page.locator("#page")).to_contain_text("The first figures appear here by themselves, usually within 10 s")
    expect(page.locator(".readiness")).to_contain_text(re.compile(r"Stream\s*heartbeat [\d.]+ s ago"), timeout=60_000)
    expect(page.locator(".readiness")).to_contain_text(re.compile(r"First line\s*none has arrived"))
    expect(page.locator("#page")).to_contain_text("Bring some: run the DAG log_generator, or ship a log file")


@pytest.mark.parametrize("path", PAGES[1:])
def test_before_the_first_line_the_other_pages_stand_without_a_gap_in_them(open_page: Open, path: str) -> None:
    page = open_page(path, width=360)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    await_charts(page)
    expect(page.locator("#page")).not_to_contain_text("could not be read")
    assert sideways_pixels(page) == 0


def test_who_lacks_the_right_sees_no_tab_and_no_data(
    open_page: Open, as_role: Callable[[str | None], StorageState]
) -> None:
    page = open_page("/footfall/live", state=as_role(None))
    expect(page.get_by_role("heading", level=1)).to_have_text("You are not allowed to see Footfall’s pages.")
    expect(page.locator("#page")).to_contain_text("Ask an Airflow administrator for it. Nothing was loaded.")
    expect(page.locator("nav")).to_have_count(0)


def test_who_is_not_signed_in_is_told_so(open_page: Open) -> None:
    page = open_page("/footfall/live", state=StorageState(cookies=[], origins=[]))
    expect(page.get_by_role("heading", level=1)).to_have_text("Session ended.")
    expect(page.locator("nav")).to_have_count(0)

"""What the pages say when something is away: Airflow, the session, the database, the stream (stopped at the end)."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, await_charts
from tests.pipeline.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

LIVE = "/footfall/live?site=shop"


def test_a_page_that_cannot_reach_airflow_says_since_when(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    page.context.set_offline(True)
    expect(page.locator("#cut-off")).to_contain_text(
        re.compile(r"This page has not reached Airflow since \d\d:\d\d:\d\d\. Figures below are from then\."),
        timeout=20_000,
    )
    expect(page.locator(".figure .when-then").first).to_be_visible()
    expect(page.locator(".figure").first).to_contain_text(re.compile(r"unknown\s*was [\d,.]+/s"))
    page.context.set_offline(False)
    expect(page.locator("#cut-off")).to_be_hidden(timeout=20_000)


def test_a_chart_that_could_not_be_loaded_is_drawn_at_the_next_refresh(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/stream")
    page.route("**/vega.js*", lambda route: route.abort())
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-chart] .canvas svg")).to_have_count(0)
    page.unroute("**/vega.js*")
    page.evaluate("htmx.trigger('#page', 'refresh')")
    await_charts(page)


def test_a_person_whose_session_ends_is_told_so_and_sees_no_data(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/stream")
    page.context.clear_cookies(name="_token")
    page.evaluate("htmx.trigger('#page', 'refresh')")
    expect(page.get_by_role("heading", level=1)).to_have_text("Session ended.")
    expect(page.locator(".figure")).to_have_count(0)
    expect(page.locator(".bar nav")).to_be_hidden()


def test_without_the_database_the_page_says_so_within_three_seconds_and_comes_back(
    stack: Stack, open_page: Open
) -> None:
    page = open_page("/footfall/stream")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Stream")
    # Only for the pages: Airflow's own database, in the same Postgres, still answers.
    stack.ask(
        "ALTER ROLE footfall_reader CONNECTION LIMIT 0;"
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'footfall_reader'"
    )
    try:
        page.goto("/footfall/stream")
        expect(heading).to_contain_text("The database has not answered since")
        assert page.evaluate("performance.now()") < 3_000
        expect(page.locator("#page")).to_contain_text("No figure is shown, because none can be checked.")
        expect(page.locator("#page")).to_contain_text("This page tries again every 5 s and comes back by itself.")
        expect(page.locator(".figure")).to_have_count(0)
    finally:
        stack.ask("ALTER ROLE footfall_reader CONNECTION LIMIT 30; SELECT 1 AS done")
    expect(heading).to_have_text("Stream", timeout=15_000)


def test_a_stream_that_stands_still_or_is_stopped_says_since_when_and_shows_no_old_number_as_new(
    stack: Stack, open_page: Open
) -> None:
    page = open_page(LIVE)
    state, hits = page.locator(".title .state"), page.locator(".figure").first
    expect(state).to_contain_text("Live")
    driver = int(str(stack.one("SELECT pid FROM stream.launch WHERE job = 'traffic_stream' AND ended_at IS NULL")))
    os.killpg(driver, signal.SIGSTOP)
    try:
        expect(page.locator(".banner")).to_contain_text(
            re.compile(
                r"The stream has stood still since \d\d:\d\d:\d\d \(\d+\.\d s\)\. Figures below are from then"
            ),
            timeout=50_000,
        )
        expect(hits).to_contain_text(re.compile(r"30 s to \d\d:\d\d:\d\d.*—.*unknown.*was [\d.,]+/s", re.DOTALL))
        expect(page.locator("#page")).to_contain_text("Not counted yet, so not drawn")
        expect(page.locator("#page")).to_contain_text("silence here is not calm.")
        expect(page.locator(".tag").first).to_contain_text(re.compile(r"as of \d\d:\d\d:\d\d"))
        assert "stood still" in page.locator("#canvas-hits_per_second").inner_html()
    finally:
        os.killpg(driver, signal.SIGCONT)
    expect(state).to_contain_text("Live", timeout=30_000)
    expect(hits.locator("dd.when-now > b")).to_have_text(re.compile(r"^[\d,]+$"))

    stack.ask("UPDATE stream.lease SET desired_state = 'stopped' RETURNING epoch")
    expect(page.locator(".banner")).to_contain_text(
        re.compile(r"Stopped on purpose at \d\d:\d\d:\d\d\. Start it with the DAG stream_control"), timeout=60_000
    )
    expect(hits).to_contain_text("unknown")

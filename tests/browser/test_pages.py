"""The pages as a person sees and uses them while the stream counts."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, await_charts, sideways_pixels, until
from tests.browser.test_empty_stack import PAGES
from tests.pipeline.conftest import Stack

# The watched site begins here, so that its surge is there when test_seen_surge asks for it.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), pytest.mark.usefixtures("watched")]

LIVE = "/footfall/live?site=shop"


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_navigation_of_airflow_leads_to_the_pages(stack: Stack, open_page: Open) -> None:
    page = open_page("/plugin/footfall")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_have_text("Live", timeout=30_000)
    frame.get_by_role("link", name="Stream").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Stream")
    page.goto("/dags/report_quality/plugin/footfall_dag")
    expect(frame.get_by_role("heading", level=1)).to_have_text("Quality", timeout=30_000)


def test_live_numbers_move_by_themselves_and_equal_sql(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    hits = page.locator(".figure").first.locator("dd.when-now > b")
    expect(hits).to_have_text(re.compile(r"^[\d,]+$"), timeout=30_000)
    counted = page.locator(".title time").first
    before = counted.inner_text()
    expect(counted).not_to_have_text(before, timeout=15_000)

    def shown_equals_the_link_and_the_table() -> bool:
        shown = number(hits.inner_text())
        window = page.request.get("/footfall/sql/live_windows/json?site=shop").json()[0]
        (table,) = stack.ask(
            "SELECT sum(hits)::int AS hits FROM stream.traffic_bucket JOIN stream.page USING (page_id)"
            " WHERE site = 'shop' AND bucket_start >= %(start)s AND bucket_start < %(end)s",
            start=window["window_start"],
            end=window["window_end"],
        )
        print(shown, window["hits"], table["hits"])
        # A bucket may close, or a late line come, between the three.
        return shown > 0 and {window["hits"], table["hits"], number(hits.inner_text())} == {shown}

    until(shown_equals_the_link_and_the_table, page, 20, "the page, its SQL link and the table agree")


def serious_findings(page: Page) -> list[object]:
    found = Axe().run(page).response["violations"]
    return [
        (rule["id"], [node["html"][:160] for node in rule["nodes"]][:3])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_and_fits_any_width_in_light_and_dark(stack: Stack, open_page: Open, path: str) -> None:
    page = open_page(path)
    await_charts(page)
    assert serious_findings(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_css("background-color", "rgb(18, 23, 29)")
    await_charts(page)
    assert serious_findings(page) == []
    for width in (360, 720, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert sideways_pixels(page) == 0, width
        for figure in page.locator(".figure dd:not(.when-then) > b").all():
            expect(figure).to_be_visible()


def test_stream_shows_the_processes_under_the_supervisor(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/stream")
    processes = page.get_by_role("table", name="Processes and their state")
    for name in ("Postgres", "Kafka broker", "Airflow api-server", "Airflow scheduler", "Airflow dag-processor"):
        row = processes.get_by_role("row", name=re.compile(f"^{name}"))
        expect(row).to_contain_text(re.compile(r"running.*\d+ [MG]B", re.DOTALL))


def test_the_theme_is_the_one_that_airflow_shows(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/stream")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    expect(page.locator("html")).to_have_css("background-color", "rgb(18, 23, 29)")


def test_times_are_in_the_readers_zone_and_utc_when_focused(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/stream")
    expect(page.locator(".zone")).to_have_text("Times: Asia/Tehran · UTC+3:30")
    shown = page.locator(".title time").last
    hour, minute, _ = (int(part) for part in shown.inner_text().split(":"))
    utc = re.search(r"(\d\d):(\d\d):\d\d", shown.get_attribute("data-utc") or "")
    assert utc is not None
    assert (hour * 60 + minute - int(utc[1]) * 60 - int(utc[2])) % 1440 == 210


def test_a_refresh_keeps_scroll_focus_and_what_was_opened(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/quality?site=shop")
    fold = page.locator("[data-fold]").first
    opened = fold.get_attribute("aria-expanded")
    fold.focus()
    fold.press("Enter")
    page.set_viewport_size({"width": 1360, "height": 300})
    made = page.locator("#page").get_attribute("data-made-at") or ""
    page.evaluate("window.scrollTo(0, 200); htmx.trigger('#page', 'refresh')")
    expect(page.locator("#page")).not_to_have_attribute("data-made-at", made)
    assert fold.get_attribute("aria-expanded") != opened
    expect(fold).to_be_focused()
    assert page.evaluate("window.scrollY") == 200


def test_a_filter_chosen_in_the_form_of_quality_leaves_its_checks_only(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/quality?site=shop")
    page.locator("select[name=suite]").select_option("traffic_bucket")
    expect(page).to_have_url(re.compile(r"suite=traffic_bucket"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Quality")
    expect(page.locator(".scorecard .suite")).to_have_count(1)
    page.locator("select[name=severity]").select_option("waits")
    expect(page).to_have_url(re.compile(r"severity=waits"))
    expect(page.locator("select[name=suite]")).to_have_value("traffic_bucket")
    expect(page.locator(".scorecard .member")).to_have_count(1)


def test_a_refresh_moves_nothing(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    await_charts(page)
    expect(page.locator(".banner")).to_have_count(0, timeout=30_000)  # what comes and goes with the state
    places = "[...document.querySelectorAll('h2')].map((title) => Math.round(title.getBoundingClientRect().top))"
    before = page.evaluate(places)
    drawn = page.locator("#canvas-hits_per_second svg").evaluate_handle("svg => svg")
    made = page.locator("#page").get_attribute("data-made-at") or ""
    expect(page.locator("#page")).not_to_have_attribute("data-made-at", made, timeout=10_000)
    assert page.evaluate(places) == before
    assert drawn.evaluate("svg => svg.isConnected"), "the chart was drawn anew"


def test_a_paused_page_stays_as_it_is_and_says_so(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    expect(page.locator("[data-pause]")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#paused-words")).to_contain_text(re.compile(r"Paused by you at \d\d:\d\d:\d\d"))
    expect(page.locator("#paused-words")).to_contain_text("counting itself goes on")
    expect(page.locator("[data-pause]")).to_contain_text("Resume")
    shown = page.locator(".title time").last.inner_text()
    page.wait_for_timeout(4_500)
    assert page.locator(".title time").last.inner_text() == shown
    expect(page.locator(".figure .when-then").first).to_be_visible()
    expect(page.locator(".figure .when-now").first).to_be_hidden()
    expect(page.locator(".figure").first).to_contain_text(re.compile(r"unknown\s*was [\d,.]+/s"))
    expect(page.locator(".title .state .when-now")).to_be_hidden()
    expect(page.locator(".tag").first).to_contain_text("as of")
    page.keyboard.press("p")
    expect(page.locator(".title time").last).not_to_have_text(shown, timeout=15_000)


def test_keys_lead_to_the_pages_and_step_through_a_chart(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    await_charts(page)
    chart = page.locator("#canvas-hits_per_second")
    chart.focus()
    chart.press("Home")
    expect(page.locator("#state-said")).to_contain_text("hits per second")
    expect(page.locator("#readout-hits_per_second")).to_contain_text("hits per second")
    page.locator("#readout-hits_per_second").evaluate("place => place.replaceChildren()")
    chart.hover()
    pointed_at = re.compile(r"\d\d:\d\d:\d\d, hits per second \d")
    expect(page.locator("#readout-hits_per_second")).to_contain_text(pointed_at)
    page.locator("h1").click()
    page.keyboard.press("2")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports")
    page.keyboard.press("/")
    expect(page.locator("#page form :is(input, select):visible").first).to_be_focused()


def test_single_keys_can_be_switched_off_and_stay_so(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    page.get_by_role("button", name="Keys on").click()
    page.reload()
    expect(page.get_by_role("button", name="Keys off")).to_be_visible()
    page.keyboard.press("2")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1)).to_have_text("Live")
    expect(page.locator("[data-pause]")).to_contain_text("Pause")


def test_rows_stay_in_their_order_while_the_focus_is_in_their_table(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    rows = page.get_by_role("table", name="Hot pages").locator("tbody tr")
    names = rows.locator("th a")
    rows.nth(3).locator("a").focus()
    before = names.all_inner_texts()
    # What the next answer would show: the same rows, the other way round.
    page.evaluate(
        """() => document.addEventListener("htmx:before:swap", (event) => {
            const table = [...event.detail.tasks[0].fragment.querySelectorAll("table")]
              .find((one) => one.caption?.textContent === "Hot pages");
            table.tBodies[0].append(...[...table.tBodies[0].rows].reverse());
        }, {capture: true})"""
    )
    made = page.locator("#page").get_attribute("data-made-at") or ""
    expect(page.locator("#page")).not_to_have_attribute("data-made-at", made, timeout=15_000)
    stayed = [name for name in names.all_inner_texts() if name in before]
    assert stayed == [name for name in before if name in stayed] and len(stayed) > 3


def test_the_first_page_is_light(stack: Stack, open_page: Open) -> None:
    page = open_page(LIVE)
    await_charts(page)
    sizes = page.evaluate(
        "performance.getEntries().filter((entry) => entry.transferSize && !entry.name.includes('vega.js'))"
        ".map((entry) => [entry.name.split('/').pop(), entry.transferSize])"
    )
    total = sum(size for _, size in sizes)
    print(f"first page {total} bytes", sizes)
    assert 10_000 < total < 300_000


def test_the_pages_hold_at_most_four_connections(stack: Stack, open_page: Open) -> None:
    for path in PAGES:
        open_page(path)
    held = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'footfall-pages'"
    assert 1 <= int(str(stack.one(held))) <= 4

"""The pages as a person sees them, in Chromium, on a running stack.

The tests run in order on one stack.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.pipeline.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

PAGES = ["/footfall/live", "/footfall/reports", "/footfall/quality", "/footfall/stream"]
HOUR = "/footfall/reports/hour?site=hostile&start=2026-11-19T09:00Z"


def charts_are_drawn(page: Page) -> None:
    for canvas in page.locator("[data-chart] .canvas").all():
        expect(canvas.locator("svg")).to_be_visible(timeout=20_000)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_navigation_of_airflow_leads_to_the_pages(open_page: Open) -> None:
    page = open_page("/plugin/footfall")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_have_text("Live", timeout=30_000)
    frame.get_by_role("link", name="Stream").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Stream")
    # Airflow keeps what is seen inside the frame in its own address.
    expect(page).to_have_url(re.compile("/plugin/footfall/footfall/stream"), timeout=20_000)


def test_the_tab_of_a_dag_shows_its_page(open_page: Open) -> None:
    page = open_page("/dags/report_quality/plugin/footfall_dag")
    expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Quality", timeout=30_000)


def test_live_numbers_move_by_themselves_and_equal_sql(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/live?site=default")
    hits = page.locator(".figure", has_text="Hits, ").locator("dd > b")
    expect(hits).to_have_text(re.compile(r"^[\d,]+$"), timeout=30_000)
    counted = page.locator(".title time").first
    before = counted.inner_text()
    expect(counted).not_to_have_text(before, timeout=15_000)
    for _ in range(5):
        # The SQL link asks for the same window; both must be of it, so a bucket must not close in between.
        shown = number(hits.inner_text())
        rows = page.request.get("/footfall/sql/live_windows/json?site=default").json()
        if number(hits.inner_text()) == shown == rows[0]["hits"]:
            start, end = rows[0]["window_start"], rows[0]["window_end"]
            assert stack.ask(
                "SELECT sum(hits)::int AS hits FROM stream.traffic_bucket JOIN stream.page USING (page_id)"
                " WHERE site = 'default' AND bucket_start >= %(start)s AND bucket_start < %(end)s",
                start=start,
                end=end,
            )[0]["hits"] == pytest.approx(shown, abs=0.02 * shown)  # late lines may have come since
            break
        page.wait_for_timeout(2_500)
    else:
        pytest.fail("the page and its SQL never agreed")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "theme"), [(1360, "light"), (1360, "dark"), (360, "light"), (2560, "light")])
def test_a_page_is_accessible_and_fits(open_page: Open, path: str, width: int, theme: str) -> None:
    page = open_page(path, width, theme)
    charts_are_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    found = Axe().run(page).response["violations"]
    serious = [
        (rule["id"], [node["html"][:160] for node in rule["nodes"]][:3])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_the_theme_is_the_one_that_airflow_shows(open_page: Open) -> None:
    page = open_page("/footfall/stream", theme="light")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(18, 23, 29)"
    page.evaluate("localStorage.removeItem('theme')")


def test_a_refresh_keeps_scroll_focus_and_what_was_opened(open_page: Open) -> None:
    page = open_page("/footfall/quality?site=default")
    fold = page.locator("[data-fold='suite-traffic_bucket']")
    expect(fold).to_be_visible()
    opened = fold.get_attribute("aria-expanded")
    fold.focus()
    fold.press("Enter")
    page.evaluate("window.scrollTo(0, 200); htmx.trigger('#page', 'refresh')")
    page.wait_for_timeout(2_000)
    assert fold.get_attribute("aria-expanded") != opened
    assert page.evaluate("document.activeElement.dataset.fold") == "suite-traffic_bucket"
    assert page.evaluate("window.scrollY") == 200


def test_a_paused_page_stays_as_it_is_and_says_so(open_page: Open) -> None:
    page = open_page("/footfall/live?site=default")
    expect(page.locator("[data-pause]")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#paused-words")).to_contain_text(re.compile(r"Paused by you at \d\d:\d\d:\d\d"))
    expect(page.locator("[data-pause]")).to_contain_text("Resume")
    shown = page.locator(".title time").first.inner_text()
    page.wait_for_timeout(5_000)
    assert page.locator(".title time").first.inner_text() == shown
    expect(page.locator(".figure .when-then").first).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator(".title time").first).not_to_have_text(shown, timeout=15_000)


def test_a_page_that_cannot_reach_airflow_says_since_when(open_page: Open) -> None:
    page = open_page("/footfall/live?site=default")
    page.context.set_offline(True)
    expect(page.locator("#cut-off")).to_contain_text(
        re.compile(r"This page has not reached Airflow since .*\. Figures below are from then\."), timeout=20_000
    )
    page.context.set_offline(False)
    expect(page.locator("#cut-off")).to_be_hidden(timeout=20_000)


HOSTILE = [
    ("/<script>alert(1)</script>", "<script>alert(2)</script>", "https://evil.test/<img src=x onerror=alert(3)>"),
    ('/"onmouseover="alert(4)', '"><svg onload=alert(5)>', "javascript:alert(6)"),
    (
        "/{{7*7}}${7*7}<%= 7 %>",
        "{{constructor.constructor('alert(7)')()}}",
        "data:text/html,<script>alert(8)</script>",
    ),
    ("/\u202egnp.exe", "\u202eevil\x07", "http://\u202eevil.test/"),
    ("/=cmd|calc", "=1+1", "http://=1+1/"),
    ("/+1", "@SUM(A1)", "-2"),
]


def hostile_log(path: Path) -> None:
    """A combined log whose every field tries something, 20 lines of each."""
    lines = [
        f'8.8.8.8 - - [19/Nov/2026:09:{minute:02d}:00 +0000] "GET {target} HTTP/1.1" 200 100 "{referrer}" "{agent}"\n'
        for target, agent, referrer in (
            (target.replace(" ", "%20"), agent.replace('"', '\\"'), referrer.replace('"', '\\"'))
            for target, agent, referrer in HOSTILE
        )
        for minute in range(20)
    ]
    path.write_text("".join(lines) + "<script>alert(9)</script> not a line\n", encoding="utf-8")


def test_nothing_from_a_hostile_log_runs_or_breaks_a_page(stack: Stack, open_page: Open, tmp_path: Path) -> None:
    log = tmp_path / "hostile.log"
    hostile_log(log)
    stack.run("import", "--site", "hostile", "--", str(log))
    for path in (*(f"{page}?site=hostile" for page in PAGES), HOUR, f"{HOUR}&page=%3Cscript%3Ealert(1)%3C/script%3E"):
        page = open_page(path)
        charts_are_drawn(page)
        assert page.evaluate("trapped") == [], path
        assert (
            page.locator("#page script:not([type='application/json']), #page [onerror], #page [onload]").count() == 0
        )
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    report = open_page(HOUR)
    expect(report.locator("#page")).to_contain_text("script")
    text = report.request.get(
        "/footfall/sql/report_pages/csv?site=hostile&from_time=2026-11-19T09:00Z&until_time=2026-11-19T10:00Z"
        "&known_at=infinity&most=100"
    ).text()
    assert "hits" in text
    assert not re.search(r"(^|,)\"?[=+@]", text, re.MULTILINE)


def test_a_late_line_makes_a_second_revision_whose_difference_is_shown(
    stack: Stack, open_page: Open, tmp_path: Path
) -> None:
    log = tmp_path / "hostile.log"
    hostile_log(log)
    late = '9.9.9.9 - - [19/Nov/2026:09:59:00 +0000] "GET /late HTTP/1.1" 200 100 "-" "curl/8"\n'
    log.write_text(log.read_text(encoding="utf-8") + late * 3, encoding="utf-8")
    stack.run("import", "--site", "hostile", "--", str(log))
    page = open_page("/footfall/reports/hour?site=hostile&start=2026-11-19T09:00Z")
    expect(page.locator(".banner .lead")).to_contain_text("revision 2", timeout=30_000)
    expect(page.locator("#page")).to_contain_text("Hits went from 120 to 123 because of late data.")
    page.locator(".stops a", has_text="r1").click()
    expect(page.locator("#page")).to_contain_text("(revision 1). Now: revision 2")
    expect(page.locator(".figure", has_text="Hits").locator("dd > b").first).to_have_text("120")


def test_a_stopped_stream_is_said_to_be_stopped_and_its_old_numbers_are_not_of_now(
    stack: Stack, open_page: Open
) -> None:
    page = open_page("/footfall/live?site=default")
    stack.ask("UPDATE stream.lease SET desired_state = 'stopped' RETURNING epoch")
    expect(page.locator(".banner")).to_contain_text("Stopped on purpose", timeout=90_000)
    expect(page.locator(".figure", has_text="Hits").first).to_contain_text("unknown")
    expect(page.locator(".tag").first).to_contain_text("as of ")
    stack.ask("UPDATE stream.lease SET desired_state = 'running' RETURNING epoch")
    expect(page.locator(".state")).to_contain_text(re.compile("Live|Catching up"), timeout=120_000)


def test_without_the_database_the_page_says_so_within_three_seconds_and_comes_back(
    stack: Stack, open_page: Open
) -> None:
    page = open_page("/footfall/stream")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stream")
    # Airflow's own database stays: only Footfall's closes its doors.
    lock = "ALTER ROLE footfall_reader CONNECTION LIMIT 0"
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'footfall_reader'"
    stack.ask(f"{lock}; {cut}")
    try:
        began = page.evaluate("performance.now()")
        page.goto("/footfall/stream")
        expect(page.get_by_role("heading", level=1)).to_contain_text("The database has not answered since")
        assert page.evaluate("performance.now()") < 3_000, began
        expect(page.locator("#page")).to_contain_text("This page tries again every 5 s and comes back by itself.")
    finally:
        stack.ask("ALTER ROLE footfall_reader CONNECTION LIMIT 30; SELECT 1 AS done")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stream", timeout=15_000)


def test_the_pages_hold_at_most_four_connections(stack: Stack, open_page: Open) -> None:
    for path in PAGES * 2:
        open_page(path)
    held = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'footfall-pages'"
    assert 1 <= int(str(stack.one(held))) <= 4


def test_a_person_without_a_session_is_told_so_and_sees_no_data(stack: Stack, open_page: Open) -> None:
    page = open_page("/footfall/stream")
    page.context.clear_cookies(name="_token")
    page.evaluate("htmx.trigger('#page', 'refresh')")
    expect(page.get_by_role("heading", level=1)).to_have_text("Session ended.")
    expect(page.locator(".bar nav")).to_be_hidden()


def test_the_first_page_is_light(open_page: Open) -> None:
    page = open_page("/footfall/live?site=default")
    page.wait_for_load_state("networkidle", timeout=20_000)
    sizes = page.evaluate(
        "performance.getEntries().filter((e) => e.transferSize && !e.name.includes('vega.js'))"
        ".map((e) => [e.name.split('/').pop(), e.transferSize])"
    )
    total = sum(size for _, size in sizes)
    print(f"first page {total} bytes", sizes)
    assert 10_000 < total < 300_000

"""One hour of a hostile log through everything: published, changed by late lines under a broken table, mended.

The tests run in order: each finds the hour as the one before left it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from producers.delivery import Delivery
from tests.browser.conftest import Open, await_charts, sideways_pixels, until, watch
from tests.browser.hostile_log import FORMULA, FORMULA_SAMPLE, HITS, MARKUP, MARKUP_SAMPLE, write_hostile_log
from tests.browser.test_empty_stack import PAGES
from tests.browser.test_pages import serious_findings
from tests.pipeline.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

SITE = "hostile"
REJECTS = "/footfall/sql/stream_rejects?hours=24&most=100"
CHECK = f"/footfall/quality/check?site={SITE}&suite=hourly_report&expectation=dimensions_add_up"


@pytest.fixture(scope="module")
def hour() -> datetime:
    """09:00 UTC of yesterday."""
    return datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture(scope="module")
def ship(stack: Stack, hour: datetime, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], None]:
    """Ships the log with so many late lines at its end, and waits until the hour is reported and sealed."""
    log = tmp_path_factory.mktemp("log") / "hostile.log"

    def ship(late: int) -> None:
        write_hostile_log(log, hour, late)
        print(stack.run("import", "--site", SITE, "--", str(log)))

    return ship


def report(hour: datetime, more: str = "") -> str:
    return f"/footfall/reports/hour?site={SITE}&start={hour:%Y-%m-%dT%H:%MZ}{more}"


def download(page: Page, name: str, folder: Path) -> Path:
    """A file as a person gets it: by the button of that name."""
    with page.expect_download() as started:
        page.get_by_role("link", name=name, exact=True).first.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def send_and_see(stack: Stack, page: Page, record: bytes, sample: str) -> None:
    """Send a record that breaks the wire contract, and wait until its sample is the newest of its reason."""
    with Delivery(stack.settings.kafka_python_options("footfall_producer"), stack.settings.topic, print) as delivery:
        delivery.send(SITE.encode(), record)
    address = REJECTS.replace("?", "/json?")

    def is_seen() -> bool:
        return any(row["sample"] == sample for row in page.request.get(address).json())

    until(is_seen, page, 20, f"{sample} is a sample")


def assert_is_harmless(page: Page) -> None:
    assert page.evaluate("trapped") == [], page.url
    markup = "#page script:not([type='application/json']), #page [onerror], #page [onload], #page [onmouseover]"
    assert page.locator(markup).count() == 0, page.url
    assert page.locator("a[href^='javascript:'], a[href^='data:']").count() == 0, page.url
    assert sideways_pixels(page) == 0, page.url


def test_nothing_from_a_hostile_log_runs_or_breaks_a_page(
    stack: Stack, ship: Callable[[int], None], open_page: Open, hour: datetime
) -> None:
    ship(0)
    page = open_page("/footfall/stream")
    send_and_see(stack, page, MARKUP, MARKUP_SAMPLE)
    page.reload()
    expect(page.locator(".sample", has_text="<a a=a a=a(0)>")).to_be_visible()
    assert_is_harmless(page)
    page.goto(report(hour))
    expect(page.locator(".figure", has_text="Hits").locator("dd > b").first).to_have_text(str(HITS))
    expect(page.locator("#page")).to_contain_text("/%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.locator("#page")).to_contain_text("(malformed)")
    await_charts(page)
    assert_is_harmless(page)
    assert serious_findings(page) == []
    day, next_day = f"{hour:%Y-%m-%d}T00:00Z", f"{hour + timedelta(days=1):%Y-%m-%d}T00:00Z"
    for path in (
        *(f"{path}?site={SITE}" for path in PAGES),
        report(hour, "&page=%3Cscript%3Ealert(1)%3C/script%3E&country=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"),
        f"/footfall/reports/day?site={SITE}&start={day}",
        f"/footfall/reports/range?site={SITE}&start={day}&end={next_day}",
        f"/footfall/sql/report_pages?site={SITE}&from_time={day}&until_time={next_day}&known_at=infinity&most=100",
        "/footfall/live?site=%3Cscript%3Ealert(1)%3C/script%3E",
        "/footfall/dag/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        CHECK,
    ):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        await_charts(page)
        assert_is_harmless(page)


def test_csv_cells_are_no_formulas_and_json_is_raw(
    stack: Stack, open_page: Open, hour: datetime, tmp_path: Path
) -> None:
    page = open_page(report(hour))
    pages = download(page, "CSV", tmp_path).read_text(encoding="utf-8")
    assert "pages,/%3Cscript%3Ealert(1)%3C/script%3E,hits,20" in pages
    parts = json.loads(download(page, "JSON", tmp_path).read_text(encoding="utf-8"))
    assert parts["figures"][0]["hits"] == HITS
    send_and_see(stack, page, FORMULA, FORMULA_SAMPLE)
    page.goto(REJECTS)
    rejects = download(page, "CSV", tmp_path).read_text(encoding="utf-8")
    assert "'=a|" in rejects
    for cell in (cell for text in (pages, rejects) for row in csv.reader(text.splitlines()) for cell in row):
        assert not re.match(r"[=+@-](?![\d.]+$)", cell), cell


def test_the_exported_file_opens_offline_without_script(
    browser: Browser, open_page: Open, hour: datetime, tmp_path: Path
) -> None:
    path = download(open_page(report(hour)), "HTML file", tmp_path)
    complaints: list[str] = []
    asked_for: list[str] = []
    context = browser.new_context(offline=True)
    watch(context, complaints)
    page = context.new_page()
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(path.as_uri())
    assert asked_for == [path.as_uri()]
    assert_is_harmless(page)
    assert page.locator("script, link, a[href], form").count() == 0
    expect(page.locator("figure.chart svg .mark-rect path, figure.chart svg path").first).to_be_visible()
    expect(page.locator(".figure", has_text="Hits").locator("dd > b").first).to_have_text(str(HITS))
    expect(page.locator("main")).to_contain_text("/%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.locator(".bar")).to_contain_text(SITE)
    page.emulate_media(media="print")
    assert page.pdf()[:5] == b"%PDF-"
    assert complaints == []
    context.close()


def test_late_lines_make_a_second_revision_whose_difference_and_red_seal_are_shown(
    stack: Stack, ship: Callable[[int], None], open_page: Open, hour: datetime
) -> None:
    tamper(stack, hour, +1)
    ship(3)
    page = open_page(report(hour))
    expect(page.locator(".banner .lead")).to_contain_text("Red seal, revision 2.")
    expect(page.locator(".banner .lead")).to_contain_text("dimensions add up 1 dimension, expected 0 dimensions off")
    expect(page.locator("#page")).to_contain_text(f"Hits went from {HITS} to {HITS + 3} because of late data.")
    revisions = page.get_by_role("table", name="Figures under each revision")
    expect(revisions.get_by_role("row", name=re.compile("^Hits"))).to_contain_text(f"{HITS}{HITS + 3}+3")
    expect(page.locator("#page")).to_contain_text("r2 +3 hits: late data")
    await_charts(page)
    expect(page.locator(".added_by_r2_marks path")).to_have_count(1)  # they were all from 09:59
    page.get_by_role("link", name=re.compile(r"^r1 \d")).click()
    expect(page.locator("#page")).to_contain_text("(revision 1). Now: revision 2")
    expect(page.locator(".figure", has_text="Hits").locator("dd > b").first).to_have_text(str(HITS))
    start = f"{hour:%Y-%m-%d}T00:00Z&end={hour + timedelta(days=1):%Y-%m-%d}T00:00Z"
    page.goto(f"/footfall/reports/range?site={SITE}&start={start}")
    moments = page.get_by_role("table", name="Figures as known at two moments")
    expect(moments.get_by_role("row", name=re.compile("^Hits"))).to_contain_text(f"{HITS}{HITS + 3}+3")
    await_charts(page)
    expect(page.locator(".added_by_r2_marks path")).not_to_have_count(0)
    assert serious_findings(page) == []
    page.set_viewport_size({"width": 360, "height": 900})
    assert sideways_pixels(page) == 0
    page.goto(report(hour))
    assert sideways_pixels(page) == 0
    label = "getComputedStyle(document.querySelector('#ledger tbody td'), '::before').content"
    assert page.evaluate(label) == '"Offsets "'
    page.set_viewport_size({"width": 1360, "height": 900})
    page.goto(f"/footfall/reports?site={SITE}")
    cell = page.get_by_role("link", name=re.compile(rf"09:00 to 10:00, red, revision 2, {HITS + 3} hits"))
    expect(cell).to_have_text("r2")


def tamper(stack: Stack, hour: datetime, hits: int) -> None:
    """As administrator, make the hits by method so many more (or fewer) than the lines were."""
    stack.ask(
        "UPDATE stream.dimension_hour SET hits = hits + %(hits)s"
        " WHERE (site, hour_start, dimension, value) = (%(site)s, %(hour)s, 'method', 'GET') RETURNING hits",
        hits=hits,
        site=SITE,
        hour=hour,
    )


def test_a_failing_check_is_shown_with_its_rows_and_acknowledged_by_an_editor_only(
    open_page: Open, as_role: Callable[[str | None], StorageState], hour: datetime
) -> None:
    viewer = open_page(f"/footfall/quality?site={SITE}", state=as_role("viewer"))
    expect(viewer.locator("#incidents")).to_contain_text("acknowledging needs the right to edit")
    expect(viewer.get_by_text("Acknowledge…")).to_have_count(0)
    page = open_page(f"/footfall/quality?site={SITE}")
    expect(page.locator(".title .state")).to_contain_text(re.compile(r"1 of \d+ checks fails"))
    incident = page.locator("#incidents tbody tr").first
    expect(incident).to_contain_text("Dimensions add up")
    incident.get_by_text("Acknowledge…").click()
    note = "<b>table</b> {{7*7}} is being mended"
    incident.get_by_label("Note").fill(note)
    incident.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#incidents tbody tr").first).to_contain_text(re.compile(r"acknowledged.*" + re.escape(note)))
    assert_is_harmless(page)
    page.goto(CHECK)
    expect(page.locator(".banner .lead")).to_contain_text("Seen 1 dimension, expected 0 dimensions off.")
    failing = page.locator("table", has=page.get_by_text("Hours for which the check failed")).locator("tbody tr")
    expect(failing).to_have_count(1)
    expect(failing.first).to_contain_text("red")
    expect(page.locator("#statement")).to_contain_text("WITH")
    page.locator("#origin").get_by_role("link", name="its ledger").click()
    expect(page.locator("#ledger tbody tr").first).to_be_in_viewport()
    page.go_back()
    await_charts(page)
    assert serious_findings(page) == []
    assert_is_harmless(page)


def test_the_incident_closes_when_mended_and_the_hour_keeps_the_verdicts_of_its_revisions(
    stack: Stack, ship: Callable[[int], None], open_page: Open, hour: datetime
) -> None:
    tamper(stack, hour, -1)
    ship(4)
    page = open_page(f"/footfall/quality?site={SITE}")
    expect(page.locator("#incidents")).to_contain_text("None open. Last one closed")
    expect(page.locator("#incidents tbody tr").first).to_contain_text("by itself")
    page.goto(report(hour))
    expect(page.locator(".banner .lead")).to_contain_text("Green seal, revision 3.")
    seals = page.get_by_role("table", name="Figures under each revision").locator("tbody tr").last
    expect(seals).to_contain_text(re.compile(r"green\s*red\s*green"))

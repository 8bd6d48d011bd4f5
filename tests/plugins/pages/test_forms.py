"""Every form of the pages leads to a page, whichever of its fields are left empty."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin

import pytest

from expectations.run import validate_unsealed
from plugins.pages.empty_values import with_values
from settings import CHECKOUT
from sql.hourly_reports import publish_hours
from sql.warehouse import Warehouse
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import reporter as reporter
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic, at

pytestmark = pytest.mark.services

AS_OF = at("2026-06-09T00:00:00")
HOUR = "/footfall/reports/hour?site=shop&start=2026-06-01T10:00Z"
# Pages, and the templates whose forms are on them; the chooser of the site is on all of them.
PAGES = {
    "/footfall/quality?site=shop": "quality.html",
    "/footfall/reports?site=shop&until=2026-06-02&day=2026-06-01": "reports.html",
    HOUR + "&page=/home": "report.html",
    "/footfall/reports/range?site=shop&start=2026-06-01T08:00Z&end=2026-06-01T12:00Z": "report.html",
    "/footfall/quality/check?site=shop&suite=hourly_report&expectation=no_null": "frame.html",
    "/footfall/lines?site=shop&start=2026-06-01T10:00Z": "frame.html",
    "/footfall/live?site=shop&range=1h": "frame.html",
}


class Forms(HTMLParser):
    """The forms of a page that lead somewhere: their action, and the fields that a browser would send."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._is_inside = False
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = given.get("method") == "get"
            if self._is_inside:
                self.found.append((given.get("action", ""), {}))
        if not self._is_inside:
            return
        fields = self.found[-1][1]
        if tag == "input" and given.get("type") != "checkbox":
            fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and self._select and ("selected" in given or self._select not in fields):
            fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "form":
            self._is_inside = False


def forms_of(address: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each form of a page leads, and its fields."""
    parser = Forms()
    parser.feed(text)
    for action, fields in parser.found:
        yield urljoin(address, action).partition("?")[0], fields


@pytest.fixture
def two_sites(traffic: CountedTraffic, reporter: Warehouse) -> None:
    traffic.batch(Cell("10:00:00", hits=3), Cell("10:00:00", site="blog"))
    publish_hours(reporter, AS_OF)
    validate_unsealed(reporter, "a run", AS_OF)


def test_each_template_with_a_form_is_looked_at_below() -> None:
    templates = (CHECKOUT / "plugins" / "pages" / "templates").glob("*.html")
    assert {path.name for path in templates if 'method="get"' in path.read_text(encoding="utf-8")} == set(
        PAGES.values()
    )


@pytest.mark.parametrize("address", PAGES)
def test_what_a_form_sends_leads_to_a_page(two_sites: None, filled: Client, address: str) -> None:
    viewer = filled("viewer")
    forms = list(forms_of(address, viewer.get(address).text))
    assert len(forms) >= (1 if PAGES[address] == "frame.html" else 2)
    for path, fields in forms:
        answer = viewer.get(f"{path}?{urlencode(fields)}")
        assert answer.status_code == 200, (path, fields, answer.text[:300])
        assert "<nav" in answer.text
        # Each field as a browser sends it when it was cleared; a range needs its two ends.
        for name in fields.keys() - {"start", "end", "suite", "expectation"}:
            assert viewer.get(f"{path}?{urlencode(fields | {name: ''})}").status_code == 200, (path, name)


def test_choosing_a_site_keeps_what_else_the_address_says(two_sites: None, filled: Client) -> None:
    page = filled("viewer").get(HOUR + "&page=/home").text
    (sites,) = [
        fields
        for _, fields in forms_of(HOUR, page)
        if set(fields) >= {"site", "page"} and "as_known_at" not in fields
    ]
    assert sites == {"start": "2026-06-01T10:00Z", "page": "/home", "site": "shop"}


def test_an_empty_filter_of_quality_filters_nothing(two_sites: None, filled: Client) -> None:
    chosen = filled("viewer").get("/footfall/quality?site=shop&suite=traffic_bucket&severity=&owner=&until=")
    assert chosen.status_code == 200
    assert "<code>traffic_bucket</code></button>" in chosen.text
    assert "<code>hourly_report</code></button>" not in chosen.text
    # What is looked at again is the same, without what says nothing.
    assert 'hx-get="/footfall/quality?site=shop&amp;suite=traffic_bucket"' in chosen.text


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("site=shop", "site=shop"),
        ("site=shop&until=&owner=", "site=shop"),
        ("until=&page=%2Fa%26b%3D&wall", "page=%2Fa%26b%3D"),
        ("start=2026-11-19T09:00Z", "start=2026-11-19T09:00Z"),
        ("compare==", "compare=="),
    ],
)
def test_a_parameter_without_a_value_is_as_if_it_were_not_there(query: str, kept: str) -> None:
    assert with_values(query.encode()) == kept.encode()
    assert parse_qsl(query) == parse_qsl(kept)


def test_a_statement_keeps_its_empty_parameters(filled: Client) -> None:
    filters = "site=shop&from_time=2026-06-01T10:00Z&until_time=2026-06-01T11:00Z&suite=&severity=&owner="
    assert filled("viewer").get(f"/footfall/sql/quality_checks/json?{filters}").status_code == 200

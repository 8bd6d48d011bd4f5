"""An address that no page can make sense of is refused in words; what is out of reach is no fault of ours."""

from __future__ import annotations

import re

import pytest

from plugins.pages.refusals import refusal
from tests.plugins.pages.conftest import Client
from tests.sql.conftest import traffic as traffic
from tests.sql.counted_traffic import Cell, CountedTraffic

CHECK = "quality/check?suite=hourly_report&expectation=no_null"


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text.split("<main")[1]).split()).replace("&#39;", "'")


def test_a_sentence_names_the_parameter_and_one_that_would_do() -> None:
    wrong = {"type": "datetime_from_date_parsing", "loc": ("query", "start"), "msg": "no", "input": "abc"}
    assert refusal([wrong]) == "'abc' is no start: start=2026-11-19T09:00Z is one."
    missing = {"type": "missing", "loc": ("query", "start"), "msg": "Field required", "input": None}
    assert refusal([missing]) == "The parameter start is missing: start=2026-11-19T09:00Z is one."
    both = refusal([missing, {"type": "missing", "loc": ("query", "x"), "msg": "Field required", "input": None}])
    assert both.endswith("is one. The parameter x is missing.")
    assert len(refusal([wrong | {"input": "x" * 5000}])) < 130


@pytest.mark.services
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("reports/hour?start=abc", "'abc' is no start: start=2026-11-19T09:00Z is one."),
        ("reports/hour", "The parameter start is missing: start=2026-11-19T09:00Z is one."),
        (
            "reports/hour?start=2026-11-19T09:00Z&status_class=9",
            "'9' is no status_class: it is '1', '2', '3', '4' or '5'.",
        ),
        ("reports/week?start=2026-11-19T09:00Z", "'week' is no kind: it is 'hour', 'day' or 'range'."),
        ("reports?until=banana", "'banana' is no until: until=2026-11-19 is one."),
        ("live?range=5d", "'5d' is no range: it is '15m', '1h' or '24h'."),
        ("stream?range=%3Cb%3E", "'&lt;b&gt;' is no range: it is '1h', '24h' or '7d'."),
        (f"{CHECK}&range=5d", "'5d' is no range: it is '24h', '7d' or '30d'."),
        ("quality?until=banana", "'banana' is no until: until=2026-11-19 is one."),
        ("quality?severity=bad", "'bad' is no severity: it is 'critical', 'warning' or 'waits'."),
        ("quality?until=0001-01-01", "'0001-01-01' is no until: the years go from 1970 to 2199."),
        ("lines?start=2026-11-19T09:00Z&status=abc", "'abc' is no status: status=404 is one."),
    ],
)
def test_a_browser_reads_words_and_a_program_json(client: Client, address: str, sentence: str) -> None:
    answer = client("viewer").get(f"/footfall/{address}")
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert "<nav" in answer.text  # from here one may go on
    raw = client("viewer", accept="application/json").get(f"/footfall/{address}")
    assert raw.status_code == 422
    assert raw.json()["detail"][0]["loc"]


@pytest.mark.services
@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31", "1969-12-31", "2200-01-01"])
def test_years_out_of_reach_are_refused_and_no_fault(client: Client, year: str) -> None:
    viewer = client("viewer")
    answers = {
        address: viewer.get(f"/footfall/{address}").status_code
        for address in (
            f"reports?until={year}",
            f"reports?day={year}",
            f"reports/hour?start={year}T23:00Z",
            f"reports/day?start={year}T00:00Z",
            f"reports/range?start={year}T00:00Z&end=2026-11-19T00:00Z",
            f"reports/range?start=2026-11-19T00:00Z&end={year}T00:00Z",
            f"reports/hour?start={year}T23:00%2B05:00",
            f"reports/hour?start=2026-11-19T00:00Z&as_known_at={year}T00:00",
            f"reports/hour?start=2026-11-19T00:00Z&compare={year}T00:00",
            f"reports/hour?start=2026-11-19T00:00Z&seen={year}T00:00Z",
            f"reports/hour/file?start={year}T00:00Z",
            f"lines?start={year}T00:00Z",
            f"quality?until={year}",
        )
    }
    assert answers == dict.fromkeys(answers, 422)


@pytest.mark.services
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("year", ["1970-01-01", "2199-12-31"])
def test_the_first_and_the_last_day_in_reach_have_pages_in_every_zone(client: Client, year: str, zone: str) -> None:
    viewer = client("viewer")
    viewer.cookies.set("footfall_zone", zone)
    addresses = [f"reports?until={year}&day={year}", f"reports/day?start={year}T00:00Z", f"quality?until={year}"]
    answers = {address: viewer.get(f"/footfall/{address}").status_code for address in addresses}
    assert answers == dict.fromkeys(answers, 200)


@pytest.mark.parametrize("odd", ["path=x", "self=x", "view=x"])
@pytest.mark.parametrize("page", ["live", "quality", "stream", "reports/hour", "reports/hour/file"])
def test_parameters_of_no_meaning_are_let_alone(client: Client, page: str, odd: str) -> None:
    assert client("viewer").get(f"/footfall/{page}?start=2026-06-01T10:00Z&{odd}").status_code == 200


def test_a_value_that_no_text_can_hold_fails_its_block_and_nothing_else(client: Client) -> None:
    page = client("viewer").get("/footfall/reports/hour?start=2026-06-01T10:00Z&page=%00")
    assert page.status_code == 200 and "This block could not be read" in page.text
    assert client("viewer").get("/footfall/quality?owner=%00").status_code == 200
    assert client("viewer").get("/footfall/sql/report_days?site=%00&from_time=x&most=1").status_code == 422


@pytest.mark.services
@pytest.mark.parametrize(
    "page",
    ["live?", "reports?", "quality?", f"{CHECK}&"]
    + [f"{path}?start=2026-06-01T10:00Z&" for path in ("reports/hour", "reports/hour/file", "lines")],
)
def test_a_site_that_is_none_is_named_and_those_that_are_can_be_chosen(
    traffic: CountedTraffic, filled: Client, page: str
) -> None:
    traffic.batch(Cell("10:00:00"), Cell("10:00:00", site="blog"))
    answer = filled("viewer").get(f"/footfall/{page}site=n%3Cope%3E")
    assert answer.status_code == 404
    assert "There is no site n&lt;ope&gt;. Sites: blog , shop ." in words(answer.text)
    for site in ("blog", "shop"):
        (link,) = re.findall(rf'href="(/footfall/[^"]*)"><bdi>{site}<', answer.text)
        assert "There is no site" not in filled("viewer").get(link.replace("&amp;", "&")).text


@pytest.mark.services
def test_before_the_first_line_no_site_is_refused(client: Client) -> None:
    answer = client("viewer").get("/footfall/live?site=shop")
    assert answer.status_code == 200
    assert "No traffic counted yet." in answer.text
    for page in ("reports", "quality"):
        assert client("viewer").get(f"/footfall/{page}?site=shop").status_code == 200

"""Behind Airflow's login: no route answers without a token, and what changes something needs more than one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount

from plugins.pages.dag_tab import PAGES
from plugins.pages.headers import POLICY
from plugins.pages.view import TABS
from settings import CHECKOUT
from tests.plugins.pages.conftest import HOST, Client

pytestmark = pytest.mark.services

SAMPLES = {"name": "footfall.css", "kind": "hour", "dag_id": "traffic_stream", "incident_id": "1"}
SAME_ORIGIN = {"origin": HOST, "sec-fetch-site": "same-origin"}


def walk(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route there is, parameters filled in."""
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} is not behind the app's dependencies"
        path = route.path
        for name, value in SAMPLES.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, f"no sample for {path}"
        for method in route.methods:
            yield method, f"/footfall{path}"


def test_nothing_is_mounted_and_no_documentation_is_served(pages: FastAPI) -> None:
    routes: list[BaseRoute] = list(pages.routes)
    assert not [route for route in routes if isinstance(route, Mount)]
    assert not {getattr(route, "path", "") for route in routes} & {"/docs", "/redoc", "/openapi.json"}
    assert len(routes) >= 9


def test_every_route_refuses_without_a_token(pages: FastAPI, client: Client) -> None:
    stranger = client(None, **SAME_ORIGIN)
    answers = {(method, path): stranger.request(method, path).status_code for method, path in walk(pages)}
    assert answers == dict.fromkeys(answers, 401)


@pytest.mark.parametrize(
    "forged", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJhZG1pbiJ9."]
)
def test_every_route_refuses_a_forged_token(pages: FastAPI, client: Client, forged: str) -> None:
    stranger = client(None, cookie=f"_token={forged}", **SAME_ORIGIN)
    answers = {(method, path): stranger.request(method, path).status_code for method, path in walk(pages)}
    assert set(answers.values()) <= {401, 403}


def test_a_refused_page_shows_no_tab_and_no_data(client: Client) -> None:
    answer = client(None).get("/footfall/stream")
    assert "Session ended." in answer.text
    assert "What you had open is in this page's address." in answer.text
    assert "<nav" not in answer.text
    assert "SQL" not in answer.text


def test_who_lacks_the_right_to_view_plugins_reads_whom_to_ask(
    client: Client, auth_manager: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(auth_manager), "is_authorized_view", lambda *_, **__: False)
    answer = client("viewer").get("/footfall/stream")
    assert answer.status_code == 403
    assert "You are not allowed to see Footfall’s pages." in answer.text
    assert "Ask an Airflow administrator for it. Nothing was loaded." in answer.text
    assert "<nav" not in answer.text


def test_a_viewer_sees_the_pages_and_their_files(client: Client) -> None:
    viewer = client("viewer")
    for path in ("/footfall/stream", "/footfall/assets/footfall.css", "/footfall/sql/stream_state"):
        assert viewer.get(path).status_code == 200, path


def test_every_answer_carries_the_strict_headers(pages: FastAPI, client: Client) -> None:
    viewer = client("viewer")
    for path in (
        *(path for method, path in walk(pages) if method == "GET"),
        "/footfall/none",
        "/footfall/stream?range=x",
    ):
        headers = viewer.get(path).headers
        assert headers["content-security-policy"] == POLICY, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "cache-control" in headers
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'self'" in POLICY


def test_an_answer_after_a_fault_of_ours_carries_them_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.pages.page_stream.judge", lambda row: 1 / 0)
    answer = client("viewer").get("/footfall/stream")
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert "<h1>This cannot be shown.</h1>" in answer.text
    assert "The log of Airflow&#39;s api-server says why." in answer.text
    assert answer.headers["content-security-policy"] == POLICY


ACKNOWLEDGE = "/footfall/quality/incidents/1/acknowledge"


@pytest.mark.parametrize(
    ("role", "headers", "status"),
    [
        ("viewer", SAME_ORIGIN, 403),
        ("user", {}, 403),
        ("user", {"origin": "http://evil.test"}, 403),
        ("user", {"origin": HOST, "sec-fetch-site": "cross-site"}, 403),
        ("user", {"origin": "null"}, 403),
        ("user", SAME_ORIGIN, 409),  # allowed: there is no such incident
        ("user", {"origin": HOST}, 409),
    ],
)
def test_a_change_needs_the_right_to_edit_and_a_page_of_this_server(
    client: Client, auth_manager: object, role: str, headers: dict[str, str], status: int
) -> None:
    answer = client(role, **headers).post(ACKNOWLEDGE, data={"note": "mine"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "name",
    ["../settings.py", "..%2f..%2fsettings.py", "footfall.css%00", "%2e%2e/app.py", "frame.html", "settings.py"],
)
def test_a_file_is_a_name_on_a_list_never_a_path(client: Client, name: str) -> None:
    assert client("admin").get(f"/footfall/assets/{name}").status_code == 404


def test_a_file_is_sent_once_and_then_known_by_its_etag(client: Client) -> None:
    viewer = client("viewer")
    first = viewer.get("/footfall/assets/htmx.js")
    assert first.headers["content-type"].startswith("text/javascript")
    again = viewer.get("/footfall/assets/htmx.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_dag_of_ours_has_a_page() -> None:
    texts = (path.read_text(encoding="utf-8") for path in (CHECKOUT / "dags").glob("*.py"))
    assert {name for text in texts for name in re.findall(r'^    dag_id="(\w+)"', text, re.MULTILINE)} == PAGES.keys()
    assert {path.removeprefix("/") for path in PAGES.values()} <= TABS.keys()


def test_the_tab_of_a_dag_leads_to_its_page(client: Client) -> None:
    viewer = client("viewer")
    assert viewer.get("/footfall/dag/report_quality").headers["location"] == "/footfall/quality"
    foreign = viewer.get("/footfall/dag/%3Cscript%3E")
    assert foreign.status_code == 200
    assert "<script>" not in foreign.text.split("<main")[1]


def test_a_user_may_edit_and_a_viewer_may_not(token: Callable[[str], str], client: Client) -> None:
    assert client("viewer").get("/footfall/quality").status_code == 200

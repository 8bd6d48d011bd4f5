"""The pages' application as Airflow mounts it, with Airflow's own auth manager and real tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from plugins.pages.app import create_app
from settings import Settings

NOW = datetime(2026, 11, 19, 11, 44, 30, tzinfo=UTC)
HOST = "http://airflow.test:8080"

Client = Callable[..., TestClient]


@pytest.fixture(scope="session")
def auth_manager() -> Any:
    """Airflow's simple auth manager, with the table of revoked tokens that it asks."""
    from airflow import settings as airflow_settings
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.models import import_all_models
    from airflow.models.revoked_token import RevokedToken

    airflow_settings.configure_orm()  # type: ignore[no-untyped-call]
    import_all_models()  # type: ignore[no-untyped-call]
    RevokedToken.metadata.create_all(airflow_settings.engine)
    return init_auth_manager()


@pytest.fixture
def token(auth_manager: Any) -> Callable[[str], str]:
    """A real token of a user with that role: viewer, user, op or admin."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return lambda role: str(auth_manager.generate_jwt(SimpleAuthManagerUser(username=f"a {role}", role=role)))


@pytest.fixture
def pages(postgres_server: Settings, auth_manager: Any) -> Iterator[FastAPI]:
    """The application over an empty database; it is 19 November 2026, 11:44:30 UTC."""
    app = create_app(postgres_server, clock=lambda: NOW)
    yield app
    app.state.reader.close()


@pytest.fixture
def client(pages: FastAPI, token: Callable[[str], str]) -> Client:
    """A browser of a user with a role (None: not logged in), below Airflow's root as Airflow mounts it."""
    return browser_of(pages, token)


@pytest.fixture
def filled(fresh_database: Settings, auth_manager: Any, token: Callable[[str], str]) -> Iterator[Client]:
    """The same over a database of this test's own, by the real clock."""
    app = create_app(fresh_database)
    yield browser_of(app, token)
    app.state.reader.close()


def browser_of(pages: FastAPI, token: Callable[[str], str]) -> Client:
    root = FastAPI()
    root.mount("/footfall", pages)

    def browser(role: str | None = "viewer", **headers: str) -> TestClient:
        cookies = {"_token": token(role)} if role else {}
        made = TestClient(root, base_url=HOST, cookies=cookies, follow_redirects=False, raise_server_exceptions=False)
        made.headers.update({"accept": "text/html", **headers})
        return made

    return browser

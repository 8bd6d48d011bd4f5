"""The pages' web application: every route behind Airflow's login, every answer with the same strict headers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException

from plugins.pages import (
    assets,
    dag_tab,
    incidents,
    page_check,
    page_lines,
    page_live,
    page_quality,
    page_report,
    page_reports,
    page_sql,
    page_stream,
)
from plugins.pages.access import may_view
from plugins.pages.empty_values import EmptyValues
from plugins.pages.headers import BARE_POLICY, BARE_STYLE, HEADERS, SecurityHeaders
from plugins.pages.line_reading import LineReader
from plugins.pages.reading import DatabaseAway, Reader
from plugins.pages.refusals import refusal
from plugins.pages.sites import UnknownSite
from plugins.pages.view import make_view
from settings import Settings

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """The application; connections are opened when the first page asks. No documentation pages, no static folder."""
    app = FastAPI(title="Footfall", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[may_view])
    app.state.reader = Reader(settings.dsn("footfall_reader"), clock)
    app.state.lines = LineReader(settings)
    app.state.settings = settings
    app.state.clock = clock
    for room in (
        assets,
        page_live,
        page_reports,
        page_report,
        page_lines,
        page_stream,
        page_quality,
        page_check,
        incidents,
        page_sql,
        dag_tab,
    ):
        app.include_router(room.router)
    app.add_api_route("/", _front_door, include_in_schema=False)
    app.add_middleware(EmptyValues)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(DatabaseAway, _database_away)
    app.add_exception_handler(Exception, _broken)
    return app


async def _front_door(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/live", 303)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _refused(request: Request, error: Exception) -> Response:
    """401 and 403 as pages that show no tab and no data; anything else in short words."""
    assert isinstance(error, HTTPException)  # noqa: S101
    if not _wants_page(request):
        return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
    view, detail = make_view(request), str(error.detail)
    template = {401: "session_ended.html", 403: "no_permission.html"}.get(error.status_code)
    if template is None:
        sites = error.sites if isinstance(error, UnknownSite) else []
        return await view.page("refused.html", error.status_code, detail=detail, known_sites=sites)
    if view.is_part:
        return await view.page(template, error.status_code)
    page = await view.page(template, error.status_code, layout="bare.html", bare_style=Markup(BARE_STYLE))  # noqa: S704
    page.headers["content-security-policy"] = BARE_POLICY
    return page


async def _misread(request: Request, error: Exception) -> Response:
    """An address or a form that a route cannot read: 422, in words for people."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if not _wants_page(request):
        return await request_validation_exception_handler(request, error)
    return await make_view(request).page("refused.html", 422, detail=refusal(error.errors()), known_sites=[])


async def _database_away(request: Request, error: Exception) -> Response:
    assert isinstance(error, DatabaseAway)  # noqa: S101
    return await make_view(request).page("database_away.html", 503, away=error, refresh_seconds=5)


async def _broken(request: Request, error: Exception) -> Response:
    """A fault of ours: the log has it all, the reader no details. It is made outside the middleware."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    words = "This page could not be made. The log of Airflow's api-server says why."
    headers = {**HEADERS, "cache-control": "no-store"}
    # A refresh leaves what is shown as it is: three failures, and the page says that it is cut off.
    if not _wants_page(request) or "hx-request" in request.headers:
        return JSONResponse({"detail": words}, 500, headers=headers)
    page = await make_view(request).page("refused.html", 500, detail=words, known_sites=[])
    page.headers.update(headers)
    return page

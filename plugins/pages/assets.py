"""The files a page loads: served by routes, behind the login, with an ETag, compressed once."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request, Response

from plugins.pages.chart_bundle import chart_bundle
from plugins.pages.charts import CHARTS, specification
from plugins.pages.colours import chart_theme, stylesheet

CSS, SCRIPT, JSON = "text/css; charset=utf-8", "text/javascript; charset=utf-8", "application/json"
# The address of a file holds its version, so a browser may keep it; others than the reader's browser may not.
KEPT = "private, max-age=31536000, immutable"
ASKED_AGAIN = "private, no-cache"


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    media_type: str

    @cached_property
    def version(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:16]

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.body, 9, mtime=0)


def _ours(name: str) -> bytes:
    return files("plugins.pages").joinpath("assets", name).read_bytes()


def _themes() -> bytes:
    return json.dumps({"light": chart_theme("light"), "dark": chart_theme("dark")}).encode()


def _specification(name: str) -> bytes:
    return json.dumps(specification(name)).encode()


# htmx comes from the package django-htmx, which needs no Django for that.
_SOURCES: dict[str, tuple[Callable[[], bytes], str]] = {
    "colours.css": (lambda: stylesheet().encode(), CSS),
    "footfall.css": (lambda: _ours("footfall.css"), CSS),
    "early.js": (lambda: _ours("early.js"), SCRIPT),
    "footfall.js": (lambda: _ours("footfall.js"), SCRIPT),
    "charts.js": (lambda: _ours("charts.js"), SCRIPT),
    "htmx.js": (lambda: files("django_htmx").joinpath("static/django_htmx/htmx-4.min.js").read_bytes(), SCRIPT),
    "chart-themes.json": (_themes, JSON),
    "vega.js": (lambda: chart_bundle().encode(), SCRIPT),
}
for _name in CHARTS:
    _SOURCES[f"chart-{_name}.json"] = (partial(_specification, _name), JSON)
# Made by a program of some seconds: its version is that of the library.
_LATE = {"vega.js"}

router = APIRouter(prefix="/assets")


@cache
def asset(name: str) -> Asset:
    """A file by its name; KeyError for any other."""
    make, media_type = _SOURCES[name]
    return Asset(make(), media_type)


def asset_address(name: str) -> str:
    """Path below the pages' prefix, with the file's version where that is known without making it."""
    return f"/assets/{name}" if name in _LATE else f"/assets/{name}?v={asset(name).version}"


@router.get("/{name}")
def send(request: Request, name: str) -> Response:
    """One of the files above: a name, never a path."""
    if name not in _SOURCES:
        raise HTTPException(404, "There is no such file.")
    found = asset(name)
    etag = f'"{found.version}"'
    headers = {
        "etag": etag,
        "cache-control": KEPT if request.query_params.get("v") == found.version else ASKED_AGAIN,
        "vary": "accept-encoding",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(found.compressed, media_type=found.media_type, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)

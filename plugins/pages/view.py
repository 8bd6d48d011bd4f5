"""One request's view: who looks, in which zone, and how a page is made for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from plugins.pages import formats
from plugins.pages.access import CanEdit
from plugins.pages.assets import asset_address
from plugins.pages.live_figures import line_path
from plugins.pages.reading import Block, Query, Reader
from plugins.pages.stacked_tables import labelled
from plugins.pages.times import ZONE_COOKIE, Clock, zone_named

# Names what a page showed when it was opened: a refresh asks for that again, and for what is newer.
SEEN = "seen"
TABS = {"live": "Live", "reports": "Reports", "quality": "Quality", "stream": "Stream"}


@cache
def environment() -> Environment:
    """Templates: everything is escaped, and a name that is not given is an error."""
    made = Environment(
        loader=PackageLoader("plugins.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    functions = (
        *(formats.count, formats.signed, formats.share, formats.rate, formats.latency, formats.size, formats.age),
        *(formats.bound, formats.change, formats.is_more_than_chance, formats.plural, formats.visible),
        *(formats.middle_cut, line_path),
    )
    made.globals |= {function.__name__: function for function in functions} | {"asset_address": asset_address}
    made.globals |= {"timedelta": timedelta, "milliseconds": formats.latency}
    made.filters |= {"labelled": labelled} | {function.__name__: function for function in functions}
    return made


@dataclass(frozen=True)
class View:
    """What every page knows of its request."""

    request: Request
    reader: Reader
    clock: Clock
    can_edit: bool

    @property
    def prefix(self) -> str:
        """Where the pages are below the server's root."""
        return str(self.request.scope.get("root_path", ""))

    @property
    def is_part(self) -> bool:
        """Whether the page is there already and only its content is asked for."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def query(self) -> dict[str, str]:
        """The parameters of what is seen, without what only a refresh adds."""
        return {name: value for name, value in self.request.query_params.items() if name != SEEN}

    @property
    def address(self) -> str:
        """Path and query of what is seen."""
        if SEEN in self.request.query_params:
            return self.same()
        query = self.request.url.query
        return self.prefix + self._path + (f"?{query}" if query else "")

    @property
    def _path(self) -> str:
        """The path below our prefix."""
        return str(self.request.scope["path"]).removeprefix(self.prefix)

    def url(self, path: str, /, **parameters: object) -> str:
        """An address of ours; parameters that are None are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.prefix}{path}" + (f"?{urlencode(given, doseq=True, safe='/:')}" if given else "")

    def same(self, /, **changes: object) -> str:
        """The present address with other parameters; None takes one away."""
        merged: dict[str, object] = dict(self.query) | changes
        return self.url(self._path, **merged)

    def sql(self, block: Block | Query) -> str:
        """Where the statement of a block is shown, with the parameters in use."""
        query = block.query if isinstance(block, Block) else block
        return self.url(f"/sql/{query.name}", **query.parameters)

    async def page(self, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """A page made on another thread than the event loop's."""
        text = await self.text(template, **context)
        return HTMLResponse(text, status, headers={"vary": "HX-Request, Cookie", "x-footfall": "page"})

    async def text(self, template: str, /, **context: Any) -> str:
        """What a template makes."""
        values = self._context() | context
        return await asyncio.to_thread(environment().get_template(template).render, values)

    def _context(self) -> dict[str, Any]:
        return {
            "view": self,
            "clock": self.clock,
            "when": self.clock.mark,
            "url": self.url,
            "same": self.same,
            "sql": self.sql,
            "tabs": TABS,
            "layout": "part.html" if self.is_part else "frame.html",
            "refresh_seconds": 0,
            "sites": [],
            "site": None,
            "tab": None,
            "export": False,
            "wall": False,
            "refresh_address": None,
        }


def _view(request: Request, can_edit: CanEdit) -> View:
    return make_view(request, can_edit)


def make_view(request: Request, can_edit: bool = False) -> View:
    state = request.app.state
    clock = Clock(state.clock(), zone_named(request.cookies.get(ZONE_COOKIE)))
    return View(request, state.reader, clock, can_edit)


ViewOf = Annotated[View, Depends(_view)]

"""A report as one HTML file: no script, charts as SVG, light theme, nothing to load; it opens and prints anywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from plugins.pages.charts import svg
from plugins.pages.colours import COLOURS
from plugins.pages.report_range import Asked
from plugins.pages.times import Clock
from plugins.pages.view import View

CHART_WIDTH = 960
# Links lead nowhere without the server: their words stay.
_LINK = re.compile(r"<a\b[^>]*>(.*?)</a>", re.DOTALL)


def stylesheet() -> Markup:
    """The pages' stylesheet with the light theme's colours."""
    colours = "".join(f"--{role}:{light};" for role, (light, _) in COLOURS.items())
    text = files("plugins.pages").joinpath("assets", "footfall.css").read_text(encoding="utf-8")
    text = re.sub(r"light-dark\(([^,()]+),[^()]+\)", r"\1", text)
    return Markup(f":root{{{colours}}}\n{text}")  # noqa: S704  # our own file


def drawn(name: str, data: str) -> Markup:
    """A chart of the report as SVG."""
    return Markup(svg(name, data, "light", CHART_WIDTH))  # noqa: S704  # made by Vega, which escapes its texts


class DatedClock(Clock):
    """Moments with day and year: a file is read on another day."""

    def text(self, moment: datetime, tenths: bool = False) -> str:
        """19 Nov 2026 11:42:10"""
        local = moment.astimezone(self.zone)
        return f"{self.date(local)} {local:%H:%M:%S}" + (f".{local.microsecond // 100_000}" if tenths else "")

    def minute(self, moment: datetime) -> str:
        """19 Nov 2026 11:42"""
        return self.text(moment)[:-3]

    def date(self, moment: datetime) -> str:
        """19 Nov 2026"""
        return f"{moment.day} {moment:%b %Y}"


def permanent_address(view: View, asked: Asked, site: str | None) -> str:
    """Where the pages show the same for ever: with the moment as of which it is."""
    moment = asked.as_of(view.clock.now).astimezone(UTC)
    up = moment + timedelta(microseconds=-moment.microsecond % 1000)
    known_at = up.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    path = view.url(f"/reports/{asked.kind}", **(dict(view.query) | {"site": site, "as_known_at": known_at}))
    return f"{view.request.url.scheme}://{view.request.url.netloc}{path}"


def export_context(view: View, asked: Asked, site: str | None) -> dict[str, Any]:
    """What the templates need to make a file instead of a page."""
    return {
        "layout": "file.html",
        "export": True,
        "stylesheet": stylesheet,
        "drawn": drawn,
        "permanent_address": permanent_address(view, asked, site),
        "as_of": asked.as_of(view.clock.now),
    }


def without_links(text: str) -> str:
    return _LINK.sub(r"\1", text)

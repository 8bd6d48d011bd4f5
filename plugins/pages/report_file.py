"""A report as one HTML file: no script, charts as SVG, light theme, nothing to load; it opens and prints anywhere."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from plugins.pages.charts import svg
from plugins.pages.colours import COLOURS

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


def export_context() -> dict[str, Any]:
    """What the templates need to make a file instead of a page."""
    return {"layout": "file.html", "export": True, "stylesheet": stylesheet, "drawn": drawn}


def without_links(text: str) -> str:
    return _LINK.sub(r"\1", text)

"""Charts: Vega-Lite specifications beside the pages, their data, and the same as SVG for what has no script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from plugins.pages.colours import Theme, chart_theme

CHARTS = ("batch_time", "waiting_records", "seen_over_time", "hits_per_second", "hits_by_time", "countries")

Datasets = Mapping[str, Sequence[Mapping[str, Any]]]


@cache
def specification(name: str) -> dict[str, Any]:
    """The Vega-Lite specification of a chart, without data and without colours."""
    made = _json(f"{name}.vl.json")
    if name == "countries":
        # The outlines are a file of their own; see NOTICE.
        made["data"]["values"] = _json("world.topo.json")
    return made


def _json(name: str) -> dict[str, Any]:
    return dict(json.loads(files("plugins.pages").joinpath("charts", name).read_text(encoding="utf-8")))


def chart_data(datasets: Datasets, **values: object) -> str:
    """Named data sets and values of a chart as JSON that is safe inside a ``script`` element."""
    data = {name: list(rows) for name, rows in datasets.items()} | values
    return json.dumps(data, default=_plain).translate({ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"})


def svg(name: str, data: str, theme: Theme, width: int) -> str:
    """The chart as SVG, made here: no browser, no script. data: of ``chart_data``."""
    import vl_convert

    return vl_convert.vegalite_to_svg(complete(name, json.loads(data), theme, width))


def complete(name: str, data: Mapping[str, Any], theme: Theme, width: int) -> dict[str, Any]:
    """The specification with data, theme and width, as the browser's script puts it together."""
    sets = {key: value for key, value in data.items() if isinstance(value, list)}
    values = [{"name": key, "value": value} for key, value in data.items() if not isinstance(value, list)]
    made = dict(specification(name))
    made["datasets"] = sets
    made["params"] = [*(p for p in made.get("params", []) if p["name"] not in data), *values]
    return made | {"width": width, "config": chart_theme(theme)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)  # Vega takes milliseconds, also when data change later
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot stand in a chart's data")

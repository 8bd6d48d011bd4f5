"""Colours by role, light and dark: the stylesheet's variables and the charts' theme are both made from this table.

Contrast against the page is at least 4.5 for text and 3 for marks and borders of controls; a test computes it.
"""

from __future__ import annotations

from typing import Any, Literal

Theme = Literal["light", "dark"]

COLOURS: dict[str, tuple[str, str]] = {
    "page": ("#ffffff", "#12171d"),
    "quiet": ("#f4f6f8", "#1b222a"),
    "rule": ("#c3cad1", "#3a4550"),
    "rule-light": ("#dfe4e8", "#2a333c"),
    "text": ("#17212b", "#e9eef3"),
    "text-second": ("#44515f", "#b3bec9"),
    "text-third": ("#5f6c7a", "#93a0ad"),
    "control": ("#84919e", "#6f7d8b"),
    "chosen": ("#d3e4f3", "#1f3d5a"),
    "seen": ("#0b5fa5", "#6db4f2"),
    "ewma": ("#17212b", "#e9eef3"),
    "band": ("#e6eaef", "#28313b"),
    "band-edge": ("#8a96a3", "#7d8a98"),
    "forecast": ("#7a3fa0", "#c7a3ea"),
    "forecast-band": ("#efe6f5", "#2e2440"),
    "anomaly": ("#b53a00", "#ff9a6b"),
    "anomaly-tint": ("#fdeee6", "#2b1e18"),
    "green": ("#14745a", "#52c9a0"),
    "green-fill": ("#d6ede4", "#16392f"),
    "amber": ("#7f5200", "#f2bd55"),
    "amber-fill": ("#fbe3a6", "#453410"),
    "red": ("#b1202b", "#ff8a8e"),
    "red-fill": ("#f7cfd2", "#4a1d22"),
    "unchecked": ("#5f6c7a", "#93a0ad"),
    "bar": ("#c9ddf0", "#24445f"),
    "map-0": ("#e6eaee", "#222a33"),
    "map-1": ("#cfe0f0", "#1f3d5a"),
    "map-2": ("#9dc2e2", "#275e8d"),
    "map-3": ("#5f9bd0", "#3b84bf"),
    "map-4": ("#2a74b5", "#6db0e6"),
    "map-5": ("#0a4a86", "#b5dcff"),
}


def colour(role: str, theme: Theme) -> str:
    return COLOURS[role][theme == "dark"]


def stylesheet() -> str:
    """The custom properties of the stylesheet: ``--seen`` and so on, for both themes."""
    lines = [f"  --{role}: light-dark({light}, {dark});" for role, (light, dark) in COLOURS.items()]
    return "\n".join((":root {", *lines, "}", ""))


def chart_theme(theme: Theme) -> dict[str, Any]:
    """Vega-Lite ``config``: axes, texts, and a mark style for each role (``"style": "seen"``)."""

    def of(role: str) -> str:
        return colour(role, theme)

    line = {"strokeWidth": 1.75, "strokeJoin": "round"}
    return {
        "background": None,
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": {
            "domainColor": of("control"),
            "gridColor": of("rule-light"),
            "labelColor": of("text-third"),
            "labelFontSize": 11,
            "tickColor": of("rule"),
            "title": None,
        },
        "axisY": {"domain": False, "ticks": False, "tickCount": 5, "labelPadding": 8},
        "axisX": {"grid": False, "labelPadding": 4, "labelFlush": False, "labelOverlap": True},
        "legend": {"disable": True},
        "range": {"ordinal": [of(f"map-{size}") for size in range(6)]},
        "style": {
            "seen": {"color": of("seen"), **line},
            "longest": {"color": of("forecast"), "strokeWidth": 1.25, "strokeDash": [3, 2]},
            "ewma": {"color": of("ewma"), "strokeWidth": 1},
            "band": {"color": of("band"), "opacity": 1},
            "band-edge": {"color": of("band-edge"), "strokeWidth": 1},
            "forecast": {"color": of("forecast"), "strokeWidth": 1.75, "strokeDash": [5, 3]},
            "forecast-band": {"color": of("forecast-band"), "opacity": 1},
            "limit": {"color": of("text-third"), "strokeWidth": 1.5, "strokeDash": [5, 3]},
            "limit-text": {"color": of("text-second"), "fontWeight": 600, "fontSize": 11},
            "gap": {"color": of("text-third"), "opacity": 0.16},
            "gap-edge": {"color": of("text-third"), "strokeWidth": 1, "strokeDash": [2, 2]},
            "gap-text": {"color": of("text-third"), "fontSize": 11, "align": "left"},
            "anomaly-bar": {"color": of("anomaly"), "strokeWidth": 3},
            "anomaly-tint": {"color": of("anomaly-tint"), "opacity": 1},
            "anomaly-text": {"color": of("anomaly"), "fontWeight": 600, "fontSize": 11},
            "passed": {"color": of("seen"), "filled": True, "opacity": 0.85},
            "failed": {"color": of("anomaly"), "strokeWidth": 2, "filled": False},
            "failed-text": {"color": of("anomaly"), "fontWeight": 600, "fontSize": 11},
            "now": {"color": of("control"), "strokeWidth": 1},
            "now-text": {"color": of("text-second"), "fontSize": 11},
            "stood-still": {"color": of("red"), "strokeWidth": 1.5},
            "stood-still-text": {"color": of("red"), "fontWeight": 600, "fontSize": 11, "align": "left"},
            "land": {"stroke": of("page"), "strokeWidth": 0.6},
            "hits": {"color": of("seen"), "opacity": 0.8},
            "added": {"color": of("anomaly"), "opacity": 0.85},
            "added-later": {"color": of("text")},
        },
    }

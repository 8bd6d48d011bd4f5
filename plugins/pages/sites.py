"""Which site a page is about: the one in its address, else the one with the newest lines."""

from __future__ import annotations

from plugins.pages.reading import Query
from plugins.pages.view import View


async def choose_site(view: View, asked: str | None) -> tuple[list[str], str | None]:
    """All sites, and the chosen one; None while no site has traffic."""
    found = (await view.reader.blocks({"sites": Query("sites", {})}))["sites"]
    sites = [str(row["site"]) for row in found.rows]
    return sorted(sites), asked or (sites[0] if sites else None)

"""Which site a page is about: the one in its address, else the one with the newest lines."""

from __future__ import annotations

from fastapi import HTTPException

from plugins.pages.formats import middle_cut
from plugins.pages.reading import Query
from plugins.pages.view import View


class UnknownSite(HTTPException):
    """404 for a site that has no traffic; ``sites``: those that have."""

    def __init__(self, asked: str, sites: list[str]) -> None:
        super().__init__(404, f"There is no site {middle_cut(asked)}.")
        self.sites = sites


async def choose_site(view: View, asked: str | None) -> tuple[list[str], str | None]:
    """All sites, and the chosen one: none of both while no site has traffic and none is asked for."""
    found = (await view.reader.blocks({"sites": Query("sites", {})}))["sites"]
    if found.failed:
        return [asked] if asked else [], asked  # what could not be read is no reason to refuse
    newest_first = [str(row["site"]) for row in found.rows]
    sites = sorted(newest_first)
    if asked and sites and asked not in sites:
        raise UnknownSite(asked, sites)
    return sites, asked or (newest_first[0] if newest_first else None)

"""``make screenshots``: pictures of the pages for docs/, taken from the running stack.

Two days of the generator's site make good pictures: a stack that ``make up`` started half an hour ago or earlier.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, FloatRect, Page

from local.airflow import airflow_url
from settings import CHECKOUT, Settings
from tests.browser.chromium import ChromiumMissing, running_chromium, sign_in

SITE = "shop"
FOLDER = CHECKOUT / "docs" / "pictures"
WIDTH, HEIGHT = 1360, 900
# What stands below is left out: the evidence of a report, the last of many rows.
MOST_HEIGHT = 1480


@dataclass(frozen=True)
class Picture:
    """A page as it is to be seen; ``address`` below /footfall."""

    name: str
    address: str
    theme: str = "light"
    width: int = WIDTH


def pictures(now: datetime) -> list[Picture]:
    """The four pages, a report of the same hour yesterday, and Live in dark and narrow."""
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    of_hour = f"/reports/hour?site={SITE}&start={hour:%Y-%m-%dT%H:%MZ}"
    return [
        Picture("live", f"/live?site={SITE}"),
        Picture("live-dark", f"/live?site={SITE}", theme="dark"),
        Picture("live-narrow", f"/live?site={SITE}", width=360),
        Picture("reports", f"/reports?site={SITE}"),
        Picture("report-hour", of_hour),
        Picture("quality", f"/quality?site={SITE}"),
        Picture("stream", "/stream?range=24h"),
    ]


def take(settings: Settings, wanted: Sequence[Picture], folder: Path) -> list[Path]:
    """Take the pictures, each as ``<name>.png`` into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with running_chromium() as browser:
        state = sign_in(browser, settings)
        for picture in wanted:
            context = browser.new_context(
                storage_state=state,
                base_url=airflow_url(settings),
                viewport={"width": picture.width, "height": HEIGHT},
                color_scheme=picture.theme,  # type: ignore[arg-type]
                timezone_id="UTC",
                locale="en-GB",
            )
            path = folder / f"{picture.name}.png"
            page = _open(context, picture)
            height = min(MOST_HEIGHT, page.evaluate("document.documentElement.scrollHeight"))
            area: FloatRect = {"x": 0, "y": 0, "width": picture.width, "height": height}
            page.screenshot(path=path, full_page=True, clip=area)
            made.append(path)
            context.close()
    return made


def _open(context: BrowserContext, picture: Picture) -> Page:
    """The page with all its charts drawn."""
    page = context.new_page()
    page.goto(f"/footfall{picture.address}")
    page.locator("main h1").wait_for()
    for canvas in page.locator("[data-chart] .canvas").all():
        canvas.locator("svg").first.wait_for()
    while (folded := page.locator(".fold[aria-expanded='false']")).count():
        folded.first.click()
    return page


def main() -> int:
    try:
        for path in take(Settings(), pictures(datetime.now(UTC)), FOLDER):
            print(f"{path.relative_to(CHECKOUT)}  {path.stat().st_size / 1000:.0f} kB")
    except ChromiumMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    except (FileNotFoundError, Error) as error:
        words = str(error).splitlines()[0]
        print(f"The pages do not answer ({words}). Start the stack with: make up", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The page Live: what arrives now, is it usual, and is it really now?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from plugins.pages.countries import country_name
from plugins.pages.live_chart import RANGES, band_words, chart_of, chart_summary
from plugins.pages.live_figures import (
    AGENTS,
    STATUSES,
    anomaly_name,
    anomaly_value,
    map_data,
    odd_pages,
    page_lines,
    top_and_rest,
)
from plugins.pages.quality_rows import zulu
from plugins.pages.reading import Query
from plugins.pages.sites import choose_site
from plugins.pages.stream_state import judge
from plugins.pages.view import ViewOf

router = APIRouter()

REFRESH_SECONDS = 2
# The newest bucket closes every 10 s, so an answer may serve all viewers for a part of that.
FRESH, HEAVY = 2.0, 10.0
RUN_IN_STEPS = 110  # what is older weighs less in the moving average than a double can tell
MOST_PAGES = 10
MOST_ANOMALIES = 8


@router.get("/live")
async def live(
    view: ViewOf, site: str | None = None, range: Literal["15m", "1h", "24h"] = "15m", wall: bool = False
) -> Response:
    """The whole page, or its content for a refresh. wall: large figures and no controls, to be read from afar."""
    state = judge((await view.reader.state(Query("stream_state", {}))).row)
    sites, site = await choose_site(view, site)
    if not sites:
        partitions = (await view.reader.blocks({"partitions": Query("stream_partitions", {})}))["partitions"]
        return await view.page(
            "empty.html", tab="live", refresh_seconds=REFRESH_SECONDS, state=state, partitions=partitions
        )
    chosen = RANGES[range]
    of_site = {"site": site}
    steps = {"minutes": chosen.minutes, "step_seconds": chosen.step_seconds, "alpha_steps": RUN_IN_STEPS}
    queries = {
        "windows": Query("live_windows", of_site, FRESH),
        "chart": Query("live_chart", of_site | steps, FRESH if range == "15m" else HEAVY),
        "ahead": Query("live_forecast", of_site, FRESH),
        "anomalies": Query("live_anomalies", of_site | {"most": MOST_ANOMALIES}, FRESH),
        "visitors": Query("live_visitors", of_site, HEAVY),
        "latency": Query("live_latency", of_site, FRESH),
        "minutes": Query("live_minutes", of_site, HEAVY),
        "pages": Query("live_pages", of_site | {"most": MOST_PAGES}, FRESH),
        "lines": Query("live_page_lines", of_site | {"most": MOST_PAGES}, HEAVY),
        "usual": Query("live_usual_errors", of_site, FRESH),
        "statuses": Query("live_statuses", of_site, FRESH),
        "agents": Query("live_agents", of_site, FRESH),
        "countries": Query("live_countries", of_site, HEAVY),
        "reach": Query("live_site", of_site, FRESH),
        "waiting": Query("live_waiting", {}, HEAVY),
    }
    if not state.is_alive:
        queries["holes"] = Query("stream_holes", {})
    blocks = await view.reader.blocks(queries)
    seen = blocks["chart"].rows
    words, mark = band_words(seen)
    return await view.page(
        "live.html",
        tab="live",
        refresh_seconds=REFRESH_SECONDS,
        sites=sites,
        site=site,
        state=state,
        range=range,
        ranges=RANGES,
        wall=wall,
        page_lines=page_lines(blocks["lines"].rows),
        usual_errors={row["series_kind"]: row for row in blocks["usual"].rows},
        zulu=zulu,
        band=words,
        band_mark=mark,
        odd_pages=odd_pages(blocks["anomalies"].rows),
        chart_data=chart_of(view.clock, chosen, state, seen, blocks["ahead"].rows, blocks["anomalies"].rows),
        chart_summary=chart_summary(chosen, seen, words),
        map_data=map_data(blocks["countries"].rows),
        listed_countries=top_and_rest([row for row in blocks["countries"].rows if row["country"]], 9),
        agent_names=AGENTS,
        status_names=STATUSES,
        country_name=country_name,
        anomaly_name=anomaly_name,
        anomaly_value=anomaly_value,
        holes=blocks.pop("holes", None),
        **blocks,
    )

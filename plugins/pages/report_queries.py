"""What the blocks of a report read, and as of which moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plugins.pages.quality_rows import zulu
from plugins.pages.reading import Block, Query
from plugins.pages.report_range import Asked
from plugins.pages.report_rows import HOUR

MOST, MOST_REVISIONS = 8, 40
# The lists that filters apply to, and the field of a cell that each is by.
CELL_FIELDS = {"pages": "path", "countries": "country", "statuses": "status_class", "agents": "agent_class"}
CELLS_FRESH_SECONDS = 10.0
# A busy day has 350,000 rows of the ledger, half a second; longer ranges have none of it.
LEDGER_FRESH_SECONDS = 60.0


def queries_of(
    asked: Asked, site: str, filters: Mapping[str, str], judged_at: str, most: int = MOST
) -> dict[str, Query]:
    """What the blocks of a report read; with filters, the lists read cells instead of published rows.

    judged_at: as of when verdicts count, which come after the report. most: rows of a list.
    """
    of_site, as_known = {"site": site}, {"site": site} | asked.as_known
    top = as_known | {"most": most}
    of_range = of_site | asked.parameters | {"judged_at": judged_at, "most": MOST_REVISIONS}

    def published(name: str, parameters: dict[str, Any]) -> Query:
        return Query(name, parameters, asked.fresh_seconds)

    queries = {
        "figures": published("report_figures", as_known),
        "referrers": published("report_dimension", top | {"dimension": "referrer"}),
        "browsers": published("report_dimension", top | {"dimension": "browser"}),
        "codes": published("report_dimension", top | {"dimension": "status"}),
        "sources": Query("report_sources", of_site | {"most": most}),
        "audits": Query("report_audit", {"judged_at": judged_at, "most": 1}),
    }
    if asked.kind == "hour":
        # All of them, so that an hour shown as of then says what it is now.
        queries["revisions"] = Query("report_revisions", of_range | {"known_at": "infinity"})
        queries["steps"] = published("report_minutes", as_known)
        queries["ledger"] = Query("report_ledger", of_site | asked.parameters)
    else:
        queries["steps"] = published("report_steps", as_known | {"step_hours": asked.step // HOUR})
        queries["revisions"] = Query("report_revisions", of_range | {"known_at": as_known["known_at"]})
        queries["changes"] = Query("report_changes", as_known)
        queries["seals"] = Query("report_seals", as_known | {"judged_at": judged_at})
    if asked.kind == "day":
        of_day = of_site | {"from_time": zulu(asked.start), "most": MOST_REVISIONS}
        queries["days"] = Query("report_days", of_day)
        queries["ledger"] = Query("report_ledger", of_site | asked.parameters, LEDGER_FRESH_SECONDS)
    if any(filters.values()):
        cells = of_site | asked.parameters | dict(filters) | {"most": most}
        # The same question four times: it is asked once, and cells_by_field takes the answer apart.
        queries |= dict.fromkeys(CELL_FIELDS, Query("report_cells", cells, fresh_seconds=CELLS_FRESH_SECONDS))
    else:
        queries |= {
            "pages": published("report_pages", top),
            "countries": published("report_countries", top),
            "statuses": published("report_statuses", top),
            "agents": published("report_agents", as_known),
        }
    return queries


def cells_by_field(blocks: Mapping[str, Block]) -> dict[str, Block]:
    """The blocks that filters apply to, each with its own field's rows; other blocks as they are."""
    return {
        name: replace(block, rows=[row for row in block.rows if row["field"] == CELL_FIELDS[name]])
        if block.query.name == "report_cells"
        else block
        for name, block in blocks.items()
    }

"""The page Reports: which published hours can be relied on, and what changed since?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from plugins.pages.quality_rows import Window, last_days, zulu
from plugins.pages.reading import Query
from plugins.pages.report_coverage import no_change
from plugins.pages.report_rows import HOUR, calendar, seal_counts
from plugins.pages.sites import choose_site
from plugins.pages.times import Day
from plugins.pages.view import ViewOf

router = APIRouter()

REFRESH_SECONDS = 30
DAYS = 14
MOST_CHANGES = 12
WEEKS, MONTHS = 6, 6
PERIODS_FRESH = 60.0


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def own_hours(day_start: datetime, zone: ZoneInfo) -> list[str]:
    """What the reader's clock shows as the hours of a UTC day begin: 01, or 05:30 where the zone has minutes."""
    starts = [(day_start + hour * HOUR).astimezone(zone) for hour in range(24)]
    return [f"{start:%H:%M}" if start.minute else f"{start:%H}" for start in starts]


def offset_changes(window: Window, zone: ZoneInfo) -> bool:
    """Whether that clock is put forward or back within the window, so that one line cannot hold for all its days."""
    first, last = (moment.astimezone(zone) for moment in (window.from_time, window.until_time - HOUR))
    return first.utcoffset() != last.utcoffset()


@router.get("/reports")
async def reports(
    view: ViewOf, site: str | None = None, until: Day | None = None, day: Day | None = None
) -> Response:
    """Calendar of 14 days up to ``until``, what changed after publication, and the hours of the chosen day."""
    await view.reader.state(Query("stream_state", {}))
    sites, site = await choose_site(view, site)
    window = last_days(view.clock.now, DAYS, midnight(until) if until else None)
    chosen = midnight(day) if day else window.until_time - timedelta(days=1)
    of_site = {"site": site or ""}
    hours = of_site | window.parameters()
    of_day = of_site | {"from_time": zulu(chosen), "until_time": zulu(chosen + timedelta(days=1))}
    until_now = {"until_time": zulu(window.until_time)}
    weeks = of_site | until_now | {"period": "week", "periods": WEEKS}
    months = of_site | until_now | {"period": "month", "periods": MONTHS}
    blocks = await view.reader.blocks(
        {
            "hours": Query("reports_hours", hours),
            "published": Query("reports_days", hours),
            "changes": Query("reports_changes", hours | {"most": MOST_CHANGES}),
            "listed": Query("reports_list", of_day),
            "weeks": Query("reports_weeks", of_site | until_now | {"weeks": WEEKS}, PERIODS_FRESH),
            "weeks_visitors": Query("reports_period_visitors", weeks, PERIODS_FRESH),
            "months_visitors": Query("reports_period_visitors", months, PERIODS_FRESH),
            "months": Query("reports_months", of_site | until_now | {"months": MONTHS}, PERIODS_FRESH),
        }
    )
    days = calendar(blocks["hours"].rows, blocks["published"].rows, window.from_time, DAYS)
    return await view.page(
        "reports.html",
        tab="reports",
        refresh_seconds=REFRESH_SECONDS,
        sites=sites,
        site=site,
        window=window,
        days=days,
        seals=seal_counts(days),
        chosen=chosen,
        zulu=zulu,
        no_change=no_change,
        own_hours=own_hours(days[0].day_start, view.clock.zone),
        offset_changes=offset_changes(window, view.clock.zone),
        one_hour=HOUR,
        earlier=(window.from_time - timedelta(days=1)).date(),
        later=(window.until_time + timedelta(days=DAYS - 1)).date(),
        today=view.clock.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        **blocks,
    )

"""A generator run counted again from its records, one at a time and in plain Python: what an inventory must say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from iptocc import country_code

from producers.access_log import AccessEvent
from producers.user_agents import FAMILIES

MEASURES = ("hits", "bytes_sent", "client_errors", "server_errors", "latency_us_sum", "latency_count")
SEARCH = {"google.com", "bing.com", "duckduckgo.com"}
SOCIAL = {"l.instagram.com", "facebook.com", "pinterest.com", "t.co"}
Visitor = tuple[str, str | None]


def accepted(values: Iterable[bytes]) -> list[AccessEvent]:
    """The events that keep the contract, each line of a source once."""
    seen: set[tuple[str | None, int | None]] = set()
    found = []
    for value in values:
        try:
            event = msgspec.json.decode(value, type=AccessEvent)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if (event.source, event.seq) not in seen:
            seen.add((event.source, event.seq))
            found.append(event)
    return found


def _measures(event: AccessEvent) -> Counter[str]:
    latency = None if event.latency_ms is None else round(event.latency_ms * 1000)
    return Counter(
        hits=1,
        bytes_sent=event.bytes,
        client_errors=event.status // 100 == 4,
        server_errors=event.status // 100 == 5,
        latency_us_sum=latency or 0,
        latency_count=latency is not None,
    )


def _values(event: AccessEvent) -> Iterator[tuple[str, str]]:
    """Dimension and value."""
    families = FAMILIES[event.user_agent]
    host = (event.host or "").removeprefix("www.")
    referrer = urlsplit(event.referrer or "").netloc.removeprefix("www.")
    if not event.referrer:
        kind = "none"
    elif referrer == host:
        kind = "internal"
    else:
        kind = "search" if referrer in SEARCH else "social" if referrer in SOCIAL else "other"
    yield "agent_class", families.agent_class
    yield "browser", families.browser
    yield "os", families.os
    yield "referrer_class", kind
    yield "referrer", referrer
    yield "method", event.method
    yield "protocol", event.protocol or ""
    yield "host", host
    yield "status", str(event.status)
    yield from ((name, value) for name, value in parse_qsl(urlsplit(event.path).query) if name.startswith("utm_"))


def full(counter: Counter[str], measures: tuple[str, ...] = MEASURES) -> dict[str, int]:
    return {name: int(counter[name]) for name in measures}


def crowd(visitors: set[Visitor]) -> dict[str, Any]:
    return {
        "visitors": len(visitors),
        "visitors_by_class": dict(Counter(FAMILIES[agent].agent_class for _, agent in visitors)),
    }


def places(latencies_us: list[int]) -> dict[str, int]:
    if not latencies_us:
        return {}
    ordered = sorted(latencies_us)
    last = len(ordered) - 1
    return {f"p{percent}": ordered[last * percent // 100] for percent in (50, 90, 95, 99)} | {"max": ordered[-1]}


def hours(events: list[AccessEvent]) -> dict[str, dict[str, Any]]:
    """By start of the hour: what the inventory says of it, but the injected faults."""
    found: dict[str, dict[str, Any]] = {}
    for start, group in _grouped(events, "%Y-%m-%dT%H:00:00Z").items():
        totals: Counter[str] = Counter()
        cells: dict[str, Any] = {name: defaultdict(Counter) for name in ("pages", "countries", "status_classes")}
        dimensions: dict[str, Any] = defaultdict(lambda: defaultdict(Counter))
        latencies: dict[str, list[int]] = defaultdict(list)
        for event in group:
            measures = _measures(event)
            totals.update(measures)
            path = event.path.split("?")[0]
            cells["pages"][path].update(measures)
            cells["countries"][event.country or country_code(event.ip) or ""].update(measures)
            cells["status_classes"][str(event.status // 100)].update(measures)
            for dimension, value in _values(event):
                dimensions[dimension][value].update(measures)
            if event.latency_ms is not None:
                latencies[path].append(round(event.latency_ms * 1000))
        found[start] = {
            "site": group[0].site,
            "hour_start": start,
            **full(totals),
            **crowd(welcome(group)),
            **{name: {value: full(cell) for value, cell in of.items()} for name, of in cells.items()},
            "dimensions": {
                name: {value: full(cell, MEASURES[:4]) for value, cell in of.items()}
                for name, of in dimensions.items()
            },
            "latency_us": places([one for of in latencies.values() for one in of]),
            "page_latency_us": {path: places(of) for path, of in latencies.items()},
        }
    return found


def days(events: list[AccessEvent]) -> dict[str, dict[str, Any]]:
    """By start of the day: its visitors, and the visits that began on it."""
    found = {
        start: {"site": group[0].site, "day_start": start, **crowd(welcome(group))}
        | {"visits": 0, "bounces": 0, "page_views": 0, "duration_ms_sum": 0}
        | {"visits_by_class": {}, "entry_pages": {}, "exit_pages": {}}
        for start, group in _grouped(events, "%Y-%m-%dT00:00:00Z").items()
    }
    for visit in visits(events):
        errors = sum(event.status // 100 == 4 for event in visit)
        if errors == len(visit):
            continue
        day: dict[str, Any] = found[visit[0].ts.strftime("%Y-%m-%dT00:00:00Z")]
        behaves = errors >= 20 and errors * 5 >= len(visit)
        kind = "scanner" if behaves else FAMILIES[visit[0].user_agent].agent_class
        views = [
            event.path.split("?")[0]
            for event in visit
            if event.method != "HEAD" and event.status < 400 and not event.path.endswith((".txt", ".xml", ".json"))
        ]
        measures = {
            "visits": 1,
            "bounces": int(len(views) <= 1),
            "page_views": len(views),
            "duration_ms_sum": (visit[-1].ts - visit[0].ts) // timedelta(milliseconds=1),
        }
        of_class = day["visits_by_class"].setdefault(kind, dict.fromkeys(measures, 0))
        for name, number in measures.items():
            day[name] += number
            of_class[name] += number
        for ends, view in (("entry_pages", views[:1]), ("exit_pages", views[-1:])):
            for path in view:
                day[ends][path] = day[ends].get(path, 0) + 1
    return found


def visits(events: list[AccessEvent]) -> list[list[AccessEvent]]:
    """Hits of one visitor with no gap over 30 minutes, within one month."""
    found: list[list[AccessEvent]] = []
    last: dict[Visitor, list[AccessEvent]] = {}
    for event in sorted(events, key=lambda event: (event.ts, event.path.split("?")[0])):
        visitor = (event.ip, event.user_agent)
        visit = last.get(visitor)
        if (
            visit is None
            or event.ts - visit[-1].ts > timedelta(minutes=30)
            or (event.ts.year, event.ts.month) != (visit[-1].ts.year, visit[-1].ts.month)
        ):
            visit = last[visitor] = []
            found.append(visit)
        visit.append(event)
    return found


def welcome(events: Iterable[AccessEvent]) -> set[Visitor]:
    return {(event.ip, event.user_agent) for event in events if event.status // 100 != 4}


def months(events: list[AccessEvent]) -> list[dict[str, Any]]:
    return [{"month": month, **crowd(welcome(of))} for month, of in sorted(_grouped(events, "%Y-%m").items())]


def _grouped(events: list[AccessEvent], form: str) -> dict[str, list[AccessEvent]]:
    found: dict[str, list[AccessEvent]] = defaultdict(list)
    for event in events:
        assert isinstance(event.ts, datetime)
        found[event.ts.strftime(form)].append(event)
    return found

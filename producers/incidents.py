"""What can go wrong, or too well, on a site: the kinds of incident, their shape over time, and plans of them.

Pure: no traffic, no clock. The generator injects these incidents into its hits; a back-test multiplies bucket
arrays by the same definition:

    plan = draw_incidents(rng, begin_ms, end_ms, 6, pages)     # or Incident("surge", start_ms, 600_000, 4.0)
    effect = effect_at(plan, bucket_starts_ms)                  # arrays, one value a bucket
    ordinary = usual * effect.ordinary                          # usual: hits that would come without incidents
    probing = usual * effect.probing                            # come on top, all answered 4xx
    landing = {page: usual * extra for page, extra in effect.landing.items()}   # on top, all on that page
    failing = (ordinary + sum(landing.values())) * effect.failing               # of these: answered 5xx

| kind   | size is                                             | shape                                             |
|--------|-----------------------------------------------------|---------------------------------------------------|
| surge  | hits are so many times the usual (with a page: all  | a step up and a step down                         |
|        | the extra ones land on that page)                   |                                                   |
| outage | share of the hits that never reach the log          | a step                                            |
| errors | share of the hits answered 5xx                      | a step                                            |
| attack | probing hits on top, per usual hit                  | a step                                            |
| drift  | hits are so many times the usual at its end         | an even way from 1 there, then back at once       |
| viral  | hits on one page on top, per usual hit, at its peak | up in a tenth, a plateau until half, fading away  |
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

Kind = Literal["surge", "outage", "errors", "attack", "drift", "viral"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULT_SIZE: Mapping[Kind, float] = {
    "surge": 4.0, "outage": 1.0, "errors": 0.3, "attack": 1.0, "drift": 2.0, "viral": 1.0,
}  # fmt: skip
# A size lies above the first and up to the second.
SIZE_LIMITS: Mapping[Kind, tuple[float, float]] = {
    "surge": (1, 100), "outage": (0, 1), "errors": (0, 1), "attack": (0, 100), "drift": (0, 10), "viral": (0, 100),
}  # fmt: skip
_DRAWN_SIZES: Mapping[Kind, tuple[float, float]] = {
    "surge": (3.0, 8.0), "outage": (0.8, 1.0), "errors": (0.1, 0.4), "attack": (0.5, 2.0), "drift": (1.5, 2.5),
    "viral": (0.5, 2.0),
}  # fmt: skip
_DRAWN_MINUTES: Mapping[Kind, tuple[float, float]] = {
    kind: (60.0, 180.0) if kind == "drift" else (10.0, 50.0) for kind in KINDS
}
TAKES_PAGE: frozenset[Kind] = frozenset({"surge", "viral"})

# Also checked by Airflow's form, in Python and in the browser: no named groups.
PATTERN = (
    rf"^({'|'.join(KINDS)})"
    r":([+-][0-9]{1,6}[smhd]|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2}))"
    r":([0-9]{1,6}[smhd])"
    r"(?::([0-9]{1,4}(?:\.[0-9]{1,6})?)(?::(/[!-9;-~]{0,200}))?)?$"
)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DAY_MS = 86_400_000

Values = NDArray[np.float64]


class Incident(msgspec.Struct, frozen=True):
    """One incident in [start_ms, end_ms), Unix milliseconds. ``page`` is empty where the kind has none."""

    kind: Kind
    start_ms: int
    duration_ms: int
    size: float
    page: str = ""

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms

    def strength(self, at_ms: NDArray[np.int64]) -> Values:
        """How much of the incident there is at each instant: 0 outside, 1 at its height."""
        done = (at_ms - self.start_ms) / self.duration_ms
        during = (done >= 0) & (done < 1)
        if self.kind == "drift":
            return np.where(during, done, 0.0)
        if self.kind == "viral":
            return np.where(during, np.interp(done, [0.0, 0.1, 0.5, 1.0], [0.0, 1.0, 1.0, 0.0]), 0.0)
        return during.astype(np.float64)


@dataclass(frozen=True)
class Effect:
    """What incidents do to the traffic at given instants; every array has one value an instant."""

    ordinary: Values  # factor of the usual hits
    failing: Values  # share of the ordinary and landing hits that is answered 5xx
    probing: Values  # hits of attacks per usual hit
    landing: Mapping[str, Values]  # by page: extra hits per usual hit


def ordinary_factor(incident: Incident, at_ms: NDArray[np.int64]) -> Values:
    """Factor by which one incident multiplies the usual hits."""
    strength = incident.strength(at_ms)
    if incident.kind == "outage":
        return 1.0 - incident.size * strength
    if incident.kind == "drift" or (incident.kind == "surge" and not incident.page):
        return 1.0 + (incident.size - 1.0) * strength
    return np.ones(len(at_ms))


def landing_share(incident: Incident, at_ms: NDArray[np.int64]) -> Values:
    """Extra hits on the incident's page per usual hit."""
    if not incident.page:
        return np.zeros(len(at_ms))
    return (incident.size - (incident.kind == "surge")) * incident.strength(at_ms)


def effect_at(incidents: Sequence[Incident], at_ms: NDArray[np.int64]) -> Effect:
    """Incidents at the same time: factors multiply, failing shares combine, extra hits add, outages hit all."""
    ordinary, sound, probing = np.ones(len(at_ms)), np.ones(len(at_ms)), np.zeros(len(at_ms))
    landing: dict[str, Values] = {}
    for incident in incidents:
        ordinary *= ordinary_factor(incident, at_ms)
        if incident.kind == "errors":
            sound *= 1.0 - incident.size * incident.strength(at_ms)
        if incident.kind == "attack":
            probing += incident.size * incident.strength(at_ms)
        if incident.page:
            before = landing.get(incident.page, np.zeros(len(at_ms)))
            landing[incident.page] = before + landing_share(incident, at_ms)
    through = np.ones(len(at_ms))
    for incident in incidents:
        if incident.kind == "outage":
            through *= ordinary_factor(incident, at_ms)
    return Effect(
        ordinary, 1.0 - sound, probing * through, {page: extra * through for page, extra in landing.items()}
    )


def parse_incident(text: str, live_start_ms: int, pages: Sequence[str]) -> Incident:
    """An incident written KIND:START:DURATION[:SIZE[:PAGE]]; raises ValueError that says what is wrong.

    A relative START counts from ``live_start_ms``. A viral page that is not named is the first of ``pages``.
    """
    found = re.match(PATTERN.removesuffix("$") + r"\Z", text)
    if found is None:
        raise ValueError(
            f"{text!r} is no incident; write KIND:START:DURATION[:SIZE[:PAGE]], for example surge:+5m:10m:4, "
            f"viral:-2h:1h:1.5:/products or outage:2026-11-17T08:00Z:15m. Kinds: {', '.join(KINDS)}"
        )
    word, start, duration, said_size, said_page = found.groups()
    kind = next(kind for kind in KINDS if kind == word)
    if start[0] in "+-":
        start_ms = live_start_ms + int(start[:-1]) * _UNIT_MS[start[-1]]
    else:
        try:
            start_ms = round(datetime.fromisoformat(start).timestamp() * 1000)
        except ValueError as error:
            raise ValueError(f"{text!r}: {start} is no time: {error}") from None
    duration_ms = int(duration[:-1]) * _UNIT_MS[duration[-1]]
    if not duration_ms:
        raise ValueError(f"{text!r}: an incident lasts at least a second")
    size = float(said_size) if said_size else DEFAULT_SIZE[kind]
    above, largest = SIZE_LIMITS[kind]
    if not above < size <= largest:
        raise ValueError(f"{text!r}: the size of {kind} lies above {above:g} and up to {largest:g}")
    page = said_page or ""
    if page and kind not in TAKES_PAGE:
        raise ValueError(f"{text!r}: only {' and '.join(sorted(TAKES_PAGE))} take a page")
    if page and page not in pages:
        raise ValueError(f"{text!r}: the site has no page {page}; some it has: {', '.join(pages[:8])}")
    return Incident(kind, start_ms, duration_ms, size, pages[0] if kind == "viral" and not page else page)


def is_relative(text: str) -> bool:
    """Whether an incident written KIND:START:… starts so long before or after the start of a run."""
    return text.partition(":")[2].startswith(("+", "-"))


def draw_incidents(
    rng: np.random.Generator, begin_ms: int, end_ms: int, number: int, pages: Sequence[str]
) -> list[Incident]:
    """``number`` incidents of random kind, size and length that do not overlap, in order of time."""
    drawn = []
    for place in range(number):
        slot_ms = (end_ms - begin_ms) // number
        kind = KINDS[int(rng.integers(len(KINDS)))]
        shortest, longest = _DRAWN_MINUTES[kind]
        duration_ms = min(int(rng.uniform(shortest, longest) * 60_000), slot_ms // 2)
        start_ms = begin_ms + place * slot_ms + int(rng.integers(slot_ms - duration_ms))
        size = round(float(rng.uniform(*_DRAWN_SIZES[kind])), 2)
        page = pages[int(rng.integers(len(pages)))]
        drawn.append(Incident(kind, start_ms, duration_ms, size, page if kind == "viral" else ""))
    return drawn


def incidents_of_day(entropy: Sequence[int], day: int, rate_per_day: float, pages: Sequence[str]) -> list[Incident]:
    """The incidents of a UTC day (days since 1970), the same for the same entropy whatever the run around it."""
    rng = np.random.default_rng((*entropy, day))
    number = int(rng.poisson(rate_per_day))
    return draw_incidents(rng, day * _DAY_MS, (day + 1) * _DAY_MS, number, pages) if number else []

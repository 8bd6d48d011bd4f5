"""Numbers as people read them: grouped, signed, with one unit. Pure functions from values to text.

``None`` is unknown and becomes an em dash; a true zero stays 0.
"""

from __future__ import annotations

import math

UNKNOWN = "—"
MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
FEW_HITS = 20

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def count(number: float | None) -> str:
    """2,788"""
    return UNKNOWN if number is None else f"{number:,.0f}".replace("-", MINUS)


def signed(number: float | None) -> str:
    """+2,575, −12; a true zero has no sign."""
    if number is None:
        return UNKNOWN
    return "0" if number == 0 else f"{'+' if number > 0 else MINUS}{abs(number):,.0f}"


def share(part: float | None, whole: float | None, digits: int = 1) -> str:
    """Part of a whole as 94.4 %; two digits below 0.1 %."""
    if part is None or not whole:
        return UNKNOWN
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        digits = max(digits, 2)
    return f"{percent:.{digits}f}{NARROW}%"


def rate(per_second: float | None) -> str:
    """92.9"""
    return UNKNOWN if per_second is None else f"{per_second:,.1f}"


def latency(milliseconds: float | None) -> str:
    """189 ms; from 10 s on 12.3 s"""
    if milliseconds is None:
        return UNKNOWN
    return f"{milliseconds:,.0f} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:,.1f} s"


def size(number: float | None) -> str:
    """Bytes in SI units with three digits: 3.26 GB, 18.0 kB, 512 B"""
    if number is None:
        return UNKNOWN
    if abs(number) < 1000:
        return f"{number:.0f} B"
    value, units = float(number), iter(("kB", "MB", "GB", "TB", "PB"))
    unit = ""
    while abs(value) >= 999.5 and (following := next(units, "")):
        value, unit = value / 1000, following
    digits = max(0, 3 - len(f"{abs(value):.0f}"))
    return f"{value:.{digits}f} {unit}"


def age(seconds: float | None) -> str:
    """1.1 s, 13 min, 1 h 38 min, 3 days 4 h"""
    if seconds is None:
        return UNKNOWN
    seconds = max(0.0, seconds)
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    if seconds < DAY:
        hours, rest = divmod(int(seconds // MINUTE), 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(int(seconds // HOUR), 24)
    return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")


def bound(half_width: float | None) -> str:
    """± 310: the half width of a 95 % interval, two significant digits; ``exact`` for 0."""
    if half_width is None:
        return ""
    if half_width == 0:
        return "exact"
    digits = 1 - math.floor(math.log10(half_width))
    return f"± {round(half_width, digits):,.0f}"


def change(now: float | None, before: float | None) -> str:
    """A difference in percent where it means something: ``few``, ``new``, +13 %, −4 %."""
    if now is None or before is None:
        return UNKNOWN
    if before == 0 and now >= FEW_HITS:
        return "new"
    if min(now, before) < FEW_HITS:
        return "few"
    percent = 100 * (now - before) / before
    if abs(percent) < 0.5:
        return f"0{NARROW}%"
    return f"{'+' if percent > 0 else MINUS}{abs(percent):,.0f}{NARROW}%"


def is_more_than_chance(now: float | None, before: float | None) -> bool:
    """Whether two counts differ by more than 2 standard deviations of a Poisson count."""
    if now is None or before is None or min(now, before) < FEW_HITS:
        return False
    return abs(now - before) > 2 * math.sqrt(now + before)


def plural(number: int, word: str, words: str | None = None) -> str:
    """1 record, 2 records"""
    return f"{count(number)} {word if number == 1 else words or word + 's'}"


def visible(text: object) -> str:
    """Text from outside with its control and direction characters as escapes; markup is the template's matter."""
    return "".join(
        letter if letter.isprintable() or letter == " " else letter.encode("unicode_escape").decode("ascii")
        for letter in str(text)
    )


def middle_cut(text: object, most: int = 60) -> str:
    """A long path or fingerprint, cut in its middle."""
    shown = visible(text)
    if len(shown) <= most:
        return shown
    head = (most - 1) * 2 // 3
    return f"{shown[:head]}…{shown[head - most + 1 :]}"

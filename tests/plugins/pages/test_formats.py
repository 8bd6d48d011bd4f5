"""Numbers and times as people read them: one example of each rule, checkable by eye."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from plugins.pages import formats
from plugins.pages.colours import COLOURS, colour
from plugins.pages.exports import csv_text, json_text
from plugins.pages.times import Clock, zone_named

LISBON = Clock(datetime(2026, 11, 19, 11, 44, 30, tzinfo=UTC), ZoneInfo("Europe/Lisbon"))
KOLKATA = Clock(datetime(2026, 11, 19, 11, 44, 30, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (formats.count(2788), "2,788"),
        (formats.count(0), "0"),
        (formats.count(None), "—"),
        (formats.signed(2575), "+2,575"),
        (formats.signed(-12), "−12"),
        (formats.signed(0), "0"),
        (formats.share(35, 2788), "1.3 %"),
        (formats.share(1, 2788), "0.04 %"),
        (formats.share(0, 2788), "0.0 %"),
        (formats.share(0, 0), "—"),
        (formats.share(614, 3_700_000, 2), "0.02 %"),
        (formats.rate(92.94), "92.9"),
        (formats.latency(189.4), "189 ms"),
        (formats.latency(9_999.0), "9,999 ms"),
        (formats.latency(12_345.0), "12.3 s"),
        (formats.size(512), "512 B"),
        (formats.size(18_000), "18.0 kB"),
        (formats.size(3_260_000_000), "3.26 GB"),
        (formats.size(999_700), "1.00 MB"),
        (formats.age(1.14), "1.1 s"),
        (formats.age(13 * 60 + 59), "13 min"),
        (formats.age(98 * 60), "1 h 38 min"),
        (formats.age(76 * 3600), "3 days 4 h"),
        (formats.age(24 * 3600), "1 day"),
        (formats.bound(314), "± 310"),
        (formats.bound(4_680), "± 4,700"),
        (formats.bound(0), "exact"),
        (formats.plural(1, "record"), "1 record"),
        (formats.plural(2, "country", "countries"), "2 countries"),
    ],
)
def test_a_number_is_written_so(said: str, expected: str) -> None:
    assert plain(said) == expected


@pytest.mark.parametrize(
    ("now", "before", "said", "is_bold"),
    [
        (1124, 995, "+13 %", True),  # 129 > 2 * sqrt(2119) = 92
        (325, 316, "+3 %", False),  # 9 < 51
        (199, 201, "−1 %", False),
        (34, 19, "few", False),
        (19, 500, "few", False),
        (40, 0, "new", False),
        (100, 100, "0 %", False),
        (None, 100, "—", False),
    ],
)
def test_a_change_is_shown_only_where_it_means_something(now: int, before: int, said: str, is_bold: bool) -> None:
    assert plain(formats.change(now, before)) == said
    assert formats.is_more_than_chance(now, before) is is_bold


@pytest.mark.parametrize(
    ("clock", "moment", "expected"),
    [
        (LISBON, datetime(2026, 11, 19, 11, 42, 10, tzinfo=UTC), "11:42:10"),
        (LISBON, datetime(2026, 11, 18, 0, 52, 3, tzinfo=UTC), "18 Nov 00:52"),
        (LISBON, datetime(2015, 5, 17, 10, 5, tzinfo=UTC), "17 May 2015 11:05"),  # summer time
        (KOLKATA, datetime(2026, 11, 19, 11, 42, 10, tzinfo=UTC), "17:12:10"),
        (KOLKATA, datetime(2026, 11, 18, 19, 0, 0, tzinfo=UTC), "00:30:00"),  # their today
    ],
)
def test_a_time_is_the_readers_and_names_its_day_when_that_is_another(
    clock: Clock, moment: datetime, expected: str
) -> None:
    assert clock.text(moment) == expected
    assert f'data-utc="{moment:%Y-%m-%d %H:%M:%S} UTC"' in clock.mark(moment)


def test_the_zone_is_named_with_its_distance_and_an_unknown_one_is_utc() -> None:
    assert KOLKATA.zone_words == "Asia/Kolkata · UTC+5:30"
    assert zone_named("../../etc/passwd").key == "UTC"
    assert zone_named(None).key == "UTC"
    assert zone_named("America/New_York").key == "America/New_York"


def test_a_span_is_half_open_and_in_the_readers_zone() -> None:
    assert (
        LISBON.span(datetime(2026, 11, 19, 9, tzinfo=UTC), datetime(2026, 11, 19, 10, tzinfo=UTC)) == "09:00 – 10:00"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home", "/home"),
        ("a\u202eb", r"a\u202eb"),
        ("a\x00\x1b[31mb", r"a\x00\x1b[31mb"),
        ("a\tb\n", r"a\tb\n"),
        ("ä", "ä"),
    ],
)
def test_control_and_direction_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert formats.visible(text) == shown


def test_a_long_text_is_cut_in_its_middle() -> None:
    cut = formats.middle_cut("/products/" + "a" * 100 + "/reviews", 30)
    assert len(cut) == 30
    assert cut.startswith("/products/")
    assert cut.endswith("/reviews")


def luminance(value: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(value[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXTS = ("text", "text-second", "text-third", "seen", "forecast", "anomaly", "green", "amber", "red", "unchecked")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_and_marks_have_enough_contrast_in_both_themes(theme: str) -> None:
    page = colour("page", theme)  # type: ignore[arg-type]
    ratios = {role: contrast(colour(role, theme), page) for role in COLOURS}  # type: ignore[arg-type]
    assert {role: ratio for role, ratio in ratios.items() if role in TEXTS and ratio < 4.5} == {}
    assert ratios["control"] >= 3
    for seal in ("green", "amber", "red"):
        assert contrast(colour(seal, theme), colour(f"{seal}-fill", theme)) >= 4.5  # type: ignore[arg-type]


FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_is_taken_for_a_formula(text: str) -> None:
    line = csv_text([{"path": text, "hits": -3}]).splitlines()[1]
    assert line.lstrip('"').startswith("'")
    assert line.endswith("-3")  # a number stays one


def test_files_hold_raw_numbers_and_utc() -> None:
    rows = [{"hour_start": datetime(2026, 11, 19, 9, tzinfo=UTC), "hits": 180977, "p95_ms": None}]
    assert csv_text(rows) == "hour_start,hits,p95_ms\r\n2026-11-19T09:00:00Z,180977,\r\n"
    assert '"hits": 180977' in json_text(rows)
    assert "2026-11-19T09:00:00Z" in json_text(rows)

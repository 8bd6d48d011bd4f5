"""What the stream stores and what the quality checks look for mean the same by an address."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from spark_jobs.canonical import canonical_path
from sql.stored_text import ADDRESS


@given(st.text("0123456789abfx:.%3AE/", max_size=40))
@settings(max_examples=1500)
@example("0:::0")
@example("/a:b::c")
@example("/x/2001%3Adb8%3A%3A1")
@example("/a%2E1.2.3.4")
@example("/1.2.3.4.")
def test_no_path_that_is_stored_turns_a_seal_red(target: str) -> None:
    assert ADDRESS.search(canonical_path("/" + target)) is None

"""What a person writes behind ``make`` reaches the command as it was written."""

from __future__ import annotations

import os
import subprocess

import pytest

from settings import CHECKOUT


def make(*words: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", *words],
        cwd=CHECKOUT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


@pytest.mark.parametrize("name", ["FILE", "SITE", "FORMAT", "Q", "HOUR", "PAGE", "STATUS", "LIMIT"])
@pytest.mark.parametrize("value", ["a$(shell echo x)b", "100%$", 'it\'s "$HOME" `id` $$ #1', ""])
def test_a_value_is_expanded_neither_by_make_nor_by_the_shell(name: str, value: str) -> None:
    show = f'--eval=show: ; @printf "<%s>" "$${name}"'
    assert make(show, "show", f"{name}={value}") == f"<{value}>"
    assert make(show, "show", **{name: value}) == f"<{value}>"


def test_only_yes_1_answers_the_question_of_clean() -> None:
    assert "--yes" in make("--dry-run", "clean", "YES=1")
    for other in ("YES=0", "YES=no", "YES="):
        assert "--yes" not in make("--dry-run", "clean", other)

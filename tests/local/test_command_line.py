"""The command line says what is wrong in words, with exit code 1 and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from local.__main__ import _explained
from local.kafka_topics import KafkaError
from settings import CHECKOUT


def footfall(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *words],
        cwd=CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["status", "clean", "down"])
def test_a_wrong_setting_is_named(command: str) -> None:
    done = footfall(command, FOOTFALL_PORT_BASE="abc")
    assert done.returncode == 1
    assert "FOOTFALL_PORT_BASE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_with_too_long_a_path_is_named(tmp_path: Path) -> None:
    done = footfall("status", FOOTFALL_HOME=str(tmp_path / ("long" * 30)))
    assert done.returncode == 1
    assert "FOOTFALL_HOME" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (KafkaError("no brokers"), "no brokers"),
        (subprocess.TimeoutExpired(["/bin/initdb", "-D"], 120), "initdb did not"),
    ],
)
def test_what_gives_no_answer_is_named(failure: Exception, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, _explained():
        raise failure
    assert ended.value.exit_code == 1
    assert words in capsys.readouterr().err

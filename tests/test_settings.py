"""Settings: where they come from and what they lead to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import CHECKOUT, Settings


def test_a_relative_state_folder_is_below_the_checkout_and_a_tilde_is_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert Settings(home=Path("other")).home == CHECKOUT / "other"
    assert Settings(home=Path("~/stack")).home == Path("/home/someone/stack")


def test_each_role_has_its_own_password_file_and_airflow_its_own_database() -> None:
    settings = Settings(
        home=Path("/state"), postgres_dsn="host=db.example port=5432 dbname=traffic sslmode=verify-full"
    )
    assert settings.dsn("footfall_reader") == (
        "host=db.example port=5432 sslmode=verify-full dbname=traffic user=footfall_reader "
        "passfile='/state/secrets/footfall_reader.pgpass' connect_timeout=5"
    )
    assert " dbname=airflow user=airflow " in settings.dsn("airflow")
    assert " dbname=postgres user=footfall_admin " in settings.dsn("footfall_admin", "postgres")


@pytest.mark.parametrize(("env_file", "topic"), [(None, "from.file"), ("", "web.access")])
def test_the_env_file_can_be_another_one_or_none(tmp_path: Path, env_file: str | None, topic: str) -> None:
    file = tmp_path / "my.env"
    file.write_text("FOOTFALL_TOPIC=from.file\n")
    done = subprocess.run(
        [sys.executable, "-c", "import settings; print(settings.Settings().topic)"],
        env=os.environ | {"FOOTFALL_ENV_FILE": str(file) if env_file is None else env_file},
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == topic

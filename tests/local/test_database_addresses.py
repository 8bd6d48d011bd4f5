"""Every database is reached by the address that its settings give, also below a folder with a space."""

from __future__ import annotations

import shutil
from configparser import ConfigParser
from pathlib import Path

import pytest
from yoyo.connections import parse_uri

from local.airflow import configuration, migrate_airflow
from local.secrets import make_secrets
from settings import Settings
from sql.migrate import yoyo_address


def test_a_home_with_a_space_reaches_both_database_addresses_whole(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "my home", postgres_dsn="host=db.example.org port=5433")  # type: ignore[call-arg]
    make_secrets(settings)
    parser = ConfigParser()
    parser.read_string(configuration(settings))
    url = parser["database"]["sql_alchemy_conn"]
    assert url.startswith("postgresql+psycopg2://airflow@db.example.org:5433/airflow?passfile=")
    assert "my%20home" in url
    found = parse_uri(yoyo_address(settings.dsn("footfall_admin"))).args
    assert found["passfile"] == str(settings.postgres_passfile("footfall_admin"))
    assert (found["host"], found["port"], found["dbname"]) == ("db.example.org", "5433", "footfall")


def test_another_database_is_migrated_though_the_last_one_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(_env_file=None, home=tmp_path)  # type: ignore[call-arg]
    monkeypatch.setattr("local.airflow.AIRFLOW", Path(shutil.which("true") or "true"))
    own = settings.model_copy(update={"postgres_dsn": "host=db.example.org"})
    (settings.home / "airflow").mkdir()
    assert [migrate_airflow(each, {}) for each in (settings, settings, own, own)] == [True, False, True, False]

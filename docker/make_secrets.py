"""First container of the compose stack: writes every password and key into the volumes of those who need it.

Passwords are generated once and stay; only the two that people type come from the environment. Files are for
user 10001; what the Postgres and Kafka images read is opened to group 10001, to which they are added.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import get_args

from local.state_folder import keep_private, prepare, write_private
from settings import KafkaUser, PostgresRole, Settings

ROOM = Path(__file__).resolve().parent
ADMIN: PostgresRole = "footfall_admin"


def make_secrets(settings: Settings, typed: Mapping[str, str], postgres: Path, kafka: Path, spark: Path) -> None:
    """Write what is missing.

    typed: POSTGRES_ADMIN_PASSWORD, used at the first start only, and AIRFLOW_ADMIN_PASSWORD, taken over each time.
    postgres, kafka, spark: folders that the containers of that name mount.
    """
    prepare(settings.home)
    for role in get_args(PostgresRole):
        password = typed["POSTGRES_ADMIN_PASSWORD"] if role == ADMIN else secrets.token_urlsafe(32)
        keep_private(settings.postgres_passfile(role), _pgpass(role, password))
    for user in get_args(KafkaUser):
        keep_private(settings.secrets / f"kafka_{user}.password", f"{secrets.token_urlsafe(32)}\n")
    keep_private(settings.secrets / "airflow_fernet_key", _fernet_key())
    for name in ("airflow_secret_key", "airflow_jwt_secret", "kafka_controller.password", "spark.password"):
        keep_private(settings.secrets / name, secrets.token_urlsafe(32))
    write_private(settings.secrets / "airflow_login.json", json.dumps({"admin": typed["AIRFLOW_ADMIN_PASSWORD"]}))

    _write_for_group(postgres / "admin.password", _password_of(settings, ADMIN))
    passwords = {f"{user}_password": settings.kafka_password(user) for user in get_args(KafkaUser)}
    passwords["controller_password"] = _read(settings, "kafka_controller.password")
    for name in ("kafka.server.properties", "kafka.format.arguments"):
        text = Template((ROOM / name).read_text(encoding="utf-8")).substitute(passwords)
        _write_for_group(kafka / name, text)
    defaults = Template((ROOM / "spark-defaults.conf").read_text(encoding="utf-8"))
    _write_for_group(spark / "spark-defaults.conf", defaults.substitute(secret=_read(settings, "spark.password")))


def _pgpass(role: str, password: str) -> str:
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:{role}:{escaped}\n"


def _password_of(settings: Settings, role: PostgresRole) -> str:
    line = settings.postgres_passfile(role).read_text(encoding="utf-8").splitlines()[0]
    return line.removeprefix(f"*:*:*:{role}:").replace("\\:", ":").replace("\\\\", "\\")


def _read(settings: Settings, name: str) -> str:
    return (settings.secrets / name).read_text(encoding="utf-8").strip()


def _write_for_group(path: Path, text: str) -> None:
    write_private(path, text)
    path.chmod(0o640)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


if __name__ == "__main__":
    mounts = Path("/run/footfall")
    make_secrets(Settings(), os.environ, mounts / "postgres", mounts / "kafka", mounts / "spark")

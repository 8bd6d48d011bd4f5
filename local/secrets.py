"""Passwords and keys of one stack: generated at the first start, each in a file of its own (0600)."""

from __future__ import annotations

import base64
import json
import secrets
from typing import get_args

from local.state_folder import keep_private, private_folder
from settings import KafkaUser, PostgresRole, Settings

CONTROLLER = "kafka_controller.password"
_UNCOUNTABLE = 32  # bytes of randomness


def _password() -> str:
    return secrets.token_urlsafe(_UNCOUNTABLE)


def make_secrets(settings: Settings) -> None:
    """Generate what is missing; what is there stays, so that data and passwords keep fitting together."""
    private_folder(settings.secrets)
    if settings.embedded_postgres:
        for role in get_args(PostgresRole):
            # Any port: the stack may move to another port base.
            keep_private(settings.postgres_passfile(role), lambda role=role: f"127.0.0.1:*:*:{role}:{_password()}\n")
    if settings.embedded_kafka:
        for user in get_args(KafkaUser):
            keep_private(settings.secrets / f"kafka_{user}.password", lambda: f"{_password()}\n")
        keep_private(settings.secrets / CONTROLLER, lambda: f"{_password()}\n")
    keep_private(settings.secrets / "airflow_fernet_key", _fernet_key)
    keep_private(settings.secrets / "airflow_secret_key", _password)
    keep_private(settings.secrets / "airflow_jwt_secret", _password)
    keep_private(settings.secrets / "airflow_login.json", lambda: json.dumps({"admin": _password()}))


def postgres_password(settings: Settings, role: PostgresRole) -> str:
    """Password of a role, from its libpq password file."""
    line = settings.postgres_passfile(role).read_text(encoding="utf-8").splitlines()[0]
    return line.rsplit(":", 1)[1]


def controller_password(settings: Settings) -> str:
    """Password of the embedded broker's controller listener."""
    return (settings.secrets / CONTROLLER).read_text(encoding="utf-8").strip()


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()

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
            keep_private(settings.postgres_passfile(role), f"127.0.0.1:*:*:{role}:{_password()}\n")
    if settings.embedded_kafka:
        for user in get_args(KafkaUser):
            keep_private(settings.secrets / f"kafka_{user}.password", f"{_password()}\n")
        keep_private(settings.secrets / CONTROLLER, f"{_password()}\n")
    keep_private(settings.secrets / "airflow_fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    keep_private(settings.secrets / "airflow_secret_key", _password())
    keep_private(settings.secrets / "airflow_jwt_secret", _password())
    keep_private(settings.secrets / "airflow_login.json", json.dumps({"admin": _password()}))


def new_cluster_id() -> str:
    """A Kafka cluster id: 16 bytes in URL-safe base64, the first one fixed so that it cannot look like an option."""
    return base64.urlsafe_b64encode(b"F" + secrets.token_bytes(15)).decode().rstrip("=")


def postgres_password(settings: Settings, role: PostgresRole) -> str:
    """Password of a role, from its libpq password file."""
    line = settings.postgres_passfile(role).read_text(encoding="utf-8").splitlines()[0]
    return line.rsplit(":", 1)[1]


def controller_password(settings: Settings) -> str:
    """Password of the embedded broker's controller listener."""
    return (settings.secrets / CONTROLLER).read_text(encoding="utf-8").strip()

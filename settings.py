"""Every setting of Footfall, in one frozen object (environment ``FOOTFALL_*`` or the checkout's ``.env``).

Doors (command lines, DAGs, tests) build one ``Settings`` and pass values on as arguments; nothing below a
door reads the environment. ``.env.example`` documents each setting with its default.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parent

PostgresRole = Literal["footfall_admin", "footfall_writer", "footfall_reporter", "footfall_reader", "airflow"]
KafkaUser = Literal["footfall_admin", "footfall_producer", "footfall_stream"]


def _others_can_enter(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in [folder, *folder.parents] if parent.exists())


def default_home() -> Path:
    """The state folder: ``.footfall`` in the checkout, unless root runs us from a folder closed to others.

    Postgres refuses to run as root, so as root its own user must be able to reach the state folder.
    """
    if os.geteuid() == 0 and not _others_can_enter(CHECKOUT):
        return Path("/var/lib/footfall")
    return CHECKOUT / ".footfall"


class Settings(BaseSettings):
    """Where the parts are and how the stream job runs; environment variables win over ``.env``."""

    model_config = SettingsConfigDict(
        env_prefix="FOOTFALL_",
        # Another file, or none when it is set to nothing: tests do not read a developer's own.
        env_file=os.environ.get("FOOTFALL_ENV_FILE", CHECKOUT / ".env") or None,
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(default_factory=default_home, description="State folder: secrets, data, logs, jars.")
    port_base: int = Field(default=18080, ge=1024, le=65000, description="First of the stack's four ports.")

    postgres_dsn: str | None = Field(
        default=None,
        description="libpq settings of your own Postgres (>= 15) without user or password; default: embedded.",
    )
    kafka_bootstrap: str | None = Field(
        default=None, description="host:port[,host:port] of your own Kafka; default: embedded."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "SASL_PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_ca_file: Path | None = Field(default=None, description="PEM file of the broker's authority.")
    topic: str = "web.access"

    spark_master: str = "local[2]"
    spark_driver_memory: str = "1g"
    trigger_seconds: float = Field(default=1.0, ge=0)
    max_offsets_per_trigger: int = Field(default=200_000, ge=1)
    stalled_after_seconds: int = Field(
        default=60, ge=5, description="The stream job ends itself after so long without progress or idling."
    )
    lost_range_policy: Literal["record", "stop"] = Field(
        default="record",
        description="When Kafka no longer holds records that were never counted: record the loss and go on, "
        "or refuse to start.",
    )

    visitor_key_period: Literal["month", "day"] = Field(
        default="month", description="How long one secret key hashes visitors; they are never counted across keys."
    )
    visitor_key_days: int = Field(
        default=35, ge=1, description="A visitor key is deleted so many days after its period ended and it was made."
    )
    max_pages_per_day: int = Field(
        default=5_000, ge=2, description="Pages of a site and day that get a row of their own; the rest is (other)."
    )
    max_values_per_day: int = Field(
        default=1_000, ge=1, description="The same for each value of browser, referrer and the other dimensions."
    )
    buckets_days: int = Field(
        default=62, ge=7, description="10-second detail is kept so many days, then summed up by the hour."
    )
    visits_days: int = Field(default=62, ge=7, description="Visits are kept so many days; their daily reports stay.")
    sketch_days: int = Field(
        default=400, ge=7, description="Visitor sketches are kept so many days; the reports keep theirs."
    )
    rejected_sample_days: int = Field(
        default=7, ge=1, description="Samples of rejected records are kept so many days; their numbers stay."
    )
    restate_days: int = Field(
        default=35, ge=0, description="New rules of agents restate the reports of so many days."
    )
    trend_alpha: float = Field(
        default=0.3, ge=0.05, le=1, description="Weight of the newest bucket in the moving average."
    )
    trend_close_seconds: float = Field(
        default=3.0, ge=0, description="A 10 s bucket is judged so long after its end; what comes later is late."
    )
    trend_days: int = Field(default=31, ge=1, description="Days for which the bands of the buckets are kept.")
    alert_connection: str = Field(
        default="footfall_alerts", description="Airflow connection that alerts go to; without it, the task's log."
    )

    @field_validator("home", "kafka_ca_file", mode="after")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """Relative to the checkout: the stack's programs run in other folders than the command that started them."""
        return path if path is None else CHECKOUT / path.expanduser()

    @cached_property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @cached_property
    def visitor_keys(self) -> Path:
        return self.secrets / "visitor_keys"

    @cached_property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def airflow_port(self) -> int:
        return self.port_base

    @property
    def postgres_port(self) -> int:
        return self.port_base + 1

    @property
    def kafka_port(self) -> int:
        return self.port_base + 2

    @property
    def kafka_controller_port(self) -> int:
        return self.port_base + 3

    @property
    def embedded_postgres(self) -> bool:
        return self.postgres_dsn is None

    @property
    def embedded_kafka(self) -> bool:
        return self.kafka_bootstrap is None

    @property
    def bootstrap_servers(self) -> str:
        return self.kafka_bootstrap or f"127.0.0.1:{self.kafka_port}"

    def postgres_passfile(self, role: PostgresRole) -> Path:
        """A libpq password file (``host:port:database:user:password``, mode 0600) of one role."""
        return self.secrets / f"{role}.pgpass"

    def dsn(self, role: PostgresRole, database: str | None = None) -> str:
        """libpq connection settings of a role; the password stays in the role's password file."""
        words = (self.postgres_dsn or f"host=127.0.0.1 port={self.postgres_port}").split()
        named = [word.removeprefix("dbname=") for word in words if word.startswith("dbname=")]
        if database is None:
            database = "airflow" if role == "airflow" else (named or ["footfall"])[-1]
        server = " ".join(word for word in words if not word.startswith("dbname="))
        passfile = self.postgres_passfile(role)
        return f"{server} dbname={database} user={role} passfile='{passfile}' connect_timeout=5"

    def kafka_password(self, user: KafkaUser) -> str:
        return (self.secrets / f"kafka_{user}.password").read_text(encoding="utf-8").strip()

    def kafka_python_options(self, user: KafkaUser) -> dict[str, Any]:
        """Connection options of kafka-python's clients (never log them: they hold the password)."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.kafka_security_protocol,
        }
        if self.kafka_security_protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": user,
                "sasl_plain_password": self.kafka_password(user),
            }
        if self.kafka_ca_file is not None:
            options["ssl_cafile"] = str(self.kafka_ca_file)
        return options

    def kafka_jvm_options(self, user: KafkaUser) -> dict[str, str]:
        """Connection options of the JVM clients, as Spark's Kafka source takes them (without ``kafka.``)."""
        options = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.kafka_security_protocol,
        }
        if self.kafka_security_protocol.startswith("SASL"):
            module = "scram.ScramLoginModule" if "SCRAM" in self.kafka_sasl_mechanism else "plain.PlainLoginModule"
            password = self.kafka_password(user).replace("\\", "\\\\").replace('"', '\\"')
            options |= {
                "sasl.mechanism": self.kafka_sasl_mechanism,
                "sasl.jaas.config": f"org.apache.kafka.common.security.{module} required "
                f'username="{user}" password="{password}";',
            }
        if self.kafka_ca_file is not None:
            options |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.kafka_ca_file)}
        return options

"""Real services for the tests: one Postgres and one broker per test run, a fresh database or topic per test."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from local.foreground import running_kafka, running_postgres
from local.jars import default_cache
from local.java import find_java
from local.kafka_topics import ensure_topic
from local.ports import free_port_base
from settings import CHECKOUT, Settings
from sql.migrate import apply_migrations
from sql.roles import create_database, drop_database

# A developer's own stack must not leak into the tests.
for _name in [name for name in os.environ if name.startswith("FOOTFALL_") and name != "FOOTFALL_ENV_FILE"]:
    del os.environ[_name]

# How long an example takes is the machine's affair, not the rule's.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# Their tests share a stack, and two stacks at once are too much for two cores.
ON_A_STACK = ("tests/browser/", "tests/pipeline/test_stack.py")


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out tests by file, all that need a stack together. Under pytest 9.2, xdist 3.8 cannot group by marks."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(ON_A_STACK) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling:
    return FileScheduling(config, log)


REAL_LOG = CHECKOUT.parent / "shared" / "data" / "apache_access.log"


@pytest.fixture(scope="session")
def settings_home() -> Iterator[Settings]:
    """Settings of a stack of this test run's own: a new state folder and free ports; nothing runs yet."""
    # Not pytest's tmp_path: as root, Postgres's own user has to be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="footfall-test-"))
    folder.chmod(0o755)
    yield Settings(home=folder / "home", port_base=free_port_base(random.Random()))
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server(settings_home: Settings) -> Iterator[Settings]:
    """The embedded Postgres, running, with roles, passwords and a migrated database ``footfall``."""
    with running_postgres(settings_home):
        yield settings_home


def _settings_of(server: Settings, database: str) -> Settings:
    return server.model_copy(update={"postgres_dsn": f"host=127.0.0.1 port={server.postgres_port} dbname={database}"})


@pytest.fixture(scope="session")
def migrated_template(postgres_server: Settings) -> str:
    """Name of a migrated database that nobody writes to: copying it takes a tenth of migrating another."""
    name = "test_template"
    create_database(postgres_server.dsn("footfall_admin", "postgres"), name, owner=None)
    apply_migrations(_settings_of(postgres_server, name).dsn("footfall_admin"))
    return name


@pytest.fixture
def fresh_database(postgres_server: Settings, migrated_template: str) -> Iterator[Settings]:
    """Settings whose ``dsn(role)`` lead to a new, migrated database of this test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    administrator = postgres_server.dsn("footfall_admin", "postgres")
    create_database(administrator, name, owner=None, template=migrated_template)
    yield _settings_of(postgres_server, name)
    drop_database(administrator, name)


@pytest.fixture(scope="session")
def kafka_broker(settings_home: Settings) -> Iterator[Settings]:
    """The embedded broker, running, with SASL and access rights as in production; no topic yet."""
    with running_kafka(settings_home, find_java(os.environ.get("JAVA_HOME")), default_cache()):
        yield settings_home


@pytest.fixture
def topic(kafka_broker: Settings) -> Settings:
    """Settings with a new topic of four partitions."""
    name = f"test.{uuid.uuid4().hex[:12]}"
    ensure_topic(kafka_broker.kafka_python_options("footfall_admin"), name)
    return kafka_broker.model_copy(update={"topic": name})


@pytest.fixture
def fresh_pipeline(fresh_database: Settings, topic: Settings) -> Settings:
    """Settings with both: a new database and a new topic."""
    return fresh_database.model_copy(update={"topic": topic.topic})


@pytest.fixture(scope="session")
def access_log() -> Path:
    """The real access log (10,000 lines, May 2015)."""
    if not REAL_LOG.exists():
        if os.environ.get("CI"):
            pytest.fail(f"the real access log is not at {REAL_LOG}")
        pytest.skip(f"the real access log is not at {REAL_LOG}")
    return REAL_LOG

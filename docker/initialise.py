"""Once Postgres and Kafka answer: databases, migrations, passwords, jars, the topic and its access rights.

Harmless when all of it is there; Airflow's own tables are made by ``airflow db migrate`` right after.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from local.jars import default_cache, provide_jars
from local.java import find_java
from local.kafka_topics import broker_answers, ensure_topic
from local.postgres import bootstrap_databases
from settings import Settings

PATIENCE_SECONDS = 120.0


def initialise(settings: Settings, say: Callable[[str], None]) -> None:
    """Raises TimeoutError when the broker lets nobody in."""
    applied = bootstrap_databases(settings)
    say(f"Postgres: {len(applied)} migrations applied")
    options = settings.kafka_python_options("footfall_admin")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not broker_answers(options):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Kafka at {settings.bootstrap_servers} lets footfall_admin in nowhere: see its log")
        time.sleep(1)
    say(f"Kafka: topic {settings.topic} {'created' if ensure_topic(options, settings.topic) else 'is there'}")


if __name__ == "__main__":
    initialise(Settings(), lambda words: print(words, file=sys.stderr))  # noqa: T201
    provide_jars(Settings().home, default_cache(), find_java(os.environ.get("JAVA_HOME")))

"""The DAG bag as the dag-processor loads it, with a private Airflow home."""

from __future__ import annotations

import os
import tempfile

# Importing Airflow makes its home; it must not be a developer's own.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="footfall-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

import pytest
from airflow.dag_processing.dagbag import DagBag

from settings import CHECKOUT


@pytest.fixture(scope="session")
def bag() -> DagBag:
    return DagBag(CHECKOUT / "dags")

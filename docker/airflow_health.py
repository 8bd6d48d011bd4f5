"""Health check of one Airflow process, by what the API server says of it: ``airflow_health.py scheduler``."""

from __future__ import annotations

import json
import sys
from urllib.request import urlopen

ADDRESS = "http://airflow-api-server:8080/api/v2/monitor/health"


def is_healthy(answer: bytes, component: str) -> bool:
    """component: metadatabase, scheduler, triggerer or dag_processor."""
    return bool(json.loads(answer)[component]["status"] == "healthy")


if __name__ == "__main__":
    with urlopen(ADDRESS, timeout=10) as response:
        sys.exit(0 if is_healthy(response.read(), sys.argv[1]) else 1)

"""The environment that the stack's processes get from whoever starts it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from settings import Settings

_LOOPBACK = "127.0.0.1,localhost"


def stack_environment(settings: Settings, surroundings: Mapping[str, str]) -> dict[str, str]:
    """A person's environment, without what would bend Airflow, with what leads our processes to this stack."""
    inherited = {name: value for name, value in surroundings.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    return inherited | {
        "PATH": f"{Path(sys.executable).parent}:{surroundings.get('PATH', '/usr/bin:/bin')}",
        "TZ": "UTC",
        "FOOTFALL_HOME": str(settings.home),
        "FOOTFALL_PORT_BASE": str(settings.port_base),
        "AIRFLOW_HOME": str(settings.home / "airflow"),
        "GX_ANALYTICS_ENABLED": "false",
        "NO_PROXY": ",".join(filter(None, [_LOOPBACK, surroundings.get("NO_PROXY")])),
        "no_proxy": ",".join(filter(None, [_LOOPBACK, surroundings.get("no_proxy")])),
        "PYTHONUNBUFFERED": "1",
    }

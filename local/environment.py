"""The environment that the stack's processes get from whoever starts it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from settings import Settings

# libpq's PGPASSWORD and its like would win over our password files.
_LIBPQ = "PG"
_LOOPBACK = "127.0.0.1,localhost"


def stack_environment(settings: Settings, surroundings: Mapping[str, str]) -> dict[str, str]:
    """A person's environment, without what bends Airflow or libpq, with what leads our processes to this stack."""
    foreign = ("AIRFLOW", "PYTHON", _LIBPQ)
    inherited = {name: value for name, value in surroundings.items() if not name.startswith(foreign)}
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


def forget_libpq_settings(environment: MutableMapping[str, str]) -> None:
    """Take PGPASSWORD, PGPASSFILE, PGOPTIONS, … of a person's shell out of an environment."""
    for name in [name for name in environment if name.startswith(_LIBPQ)]:
        del environment[name]

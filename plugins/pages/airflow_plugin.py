"""What Airflow loads (entry point ``airflow.plugins``): the pages' application, their navigation entry, a DAG tab.

Every Airflow process loads this module, and only the api-server asks for the application: so that one is made late.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/footfall"


class FootfallPlugin(AirflowPlugin):
    """Navigation entry **Footfall** and a tab of the same name on every DAG."""

    name = "footfall"

    @cached_property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        from plugins.pages.app import create_app
        from settings import Settings

        return [{"app": create_app(Settings()), "url_prefix": PREFIX, "name": "Footfall"}]

    @cached_property
    def external_views(self) -> list[Any]:  # type: ignore[override]
        from airflow.sdk import conf

        # Airflow may live below a path of its server.
        prefix = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + PREFIX
        return [
            {"name": "Footfall", "href": f"{prefix}/live", "destination": "nav", "url_route": "footfall"},
            {
                "name": "Footfall",
                "href": f"{prefix}/dag/{{DAG_ID}}",
                "destination": "dag",
                "url_route": "footfall_dag",
            },
        ]

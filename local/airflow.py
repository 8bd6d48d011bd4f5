"""Airflow of the embedded stack: one private ``airflow.cfg``, four explicit processes, everything on loopback.

The database password stays in its libpq password file; both drivers take that file by name.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from urllib.parse import quote

from local.state_folder import private_folder, write_private
from settings import CHECKOUT, Settings
from sql.warehouse import dsn_words

AIRFLOW = Path(sys.executable).with_name("airflow")
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "airflow-api": ("api-server", "--workers", "1"),
    "airflow-scheduler": ("scheduler", "--skip-serve-logs"),
    "airflow-dags": ("dag-processor",),
    "airflow-triggerer": ("triggerer", "--skip-serve-logs"),
}


class AirflowFailed(Exception):
    """Airflow's database could not be migrated; the message holds Airflow's last words."""


def airflow_home(settings: Settings) -> Path:
    return settings.home / "airflow"


def airflow_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.airflow_port}"


def login_file(settings: Settings) -> Path:
    """The file with user and password of the Airflow login, as JSON ``{"admin": …}``."""
    return settings.secrets / "airflow_login.json"


def prepare_airflow(settings: Settings) -> None:
    """Write ``airflow.cfg`` and the folders it names."""
    home = private_folder(airflow_home(settings))
    private_folder(home / "plugins")
    private_folder(settings.logs / "airflow")
    write_private(home / "airflow.cfg", configuration(settings))


def configuration(settings: Settings) -> str:
    """Text of ``airflow.cfg``; it holds keys, so the file is 0600."""
    parser = ConfigParser(interpolation=None)
    parser.read_dict(_options(settings))
    text = StringIO()
    text.write("# Written by every start of the stack.\n")
    parser.write(text)
    return text.getvalue().replace("%", "%%")  # Airflow expands %(…)s


def migrate_airflow(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Bring Airflow's database to this Airflow's version; False when it is there already.

    The stamp also names the database: another one may still be empty.
    """
    stamp = airflow_home(settings) / "migrated"
    wanted = f"apache-airflow {version('apache-airflow')}\n{_database_url(settings, 'postgresql')}\n"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    command = [str(AIRFLOW), "db", "migrate"]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise AirflowFailed(f"airflow db migrate failed:\n{last}")
    write_private(stamp, wanted)
    return True


def _options(settings: Settings) -> dict[str, dict[str, str]]:
    url, home, logs = airflow_url(settings), airflow_home(settings), settings.logs / "airflow"
    return {
        "core": {
            "dags_folder": str(CHECKOUT / "dags"),
            "plugins_folder": str(home / "plugins"),
            "executor": "LocalExecutor",
            "parallelism": "8",
            "default_timezone": "utc",
            "load_examples": "False",
            "dags_are_paused_at_creation": "False",
            "auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "simple_auth_manager_users": "admin:admin",
            "simple_auth_manager_all_admins": "False",
            "simple_auth_manager_passwords_file": str(login_file(settings)),
            "fernet_key": _secret(settings, "airflow_fernet_key"),
            "execution_api_server_url": f"{url}/execution/",
            "test_connection": "Disabled",
        },
        "database": {
            "sql_alchemy_conn": _database_url(settings, "postgresql+psycopg2"),
            "sql_alchemy_conn_async": _database_url(settings, "postgresql+asyncpg"),
        },
        "api": {
            "base_url": url,
            "host": "127.0.0.1",
            "port": str(settings.airflow_port),
            "workers": "1",
            "secret_key": _secret(settings, "airflow_secret_key"),
            "expose_config": "False",
            "expose_stacktrace": "False",
            "enable_swagger_ui": "False",
        },
        "api_auth": {
            "jwt_secret": _secret(settings, "airflow_jwt_secret"),
            "jwt_issuer": "footfall",
        },
        "scheduler": {
            "catchup_by_default": "False",
            "enable_health_check": "False",
            "scheduler_health_check_server_host": "127.0.0.1",
        },
        "dag_processor": {
            "dag_bundle_storage_path": str(home / "bundles"),
            "refresh_interval": "5",
            "min_file_process_interval": "60",
            "parsing_processes": "1",
        },
        "logging": {
            "base_log_folder": str(logs),
            "dag_processor_child_process_log_directory": str(logs / "dag_processor"),
            "file_task_handler_new_folder_permissions": "0o700",
            "file_task_handler_new_file_permissions": "0o600",
            "colored_console_log": "False",
        },
    }


def _database_url(settings: Settings, driver: str) -> str:
    words = dsn_words(settings.postgres_dsn or "")
    host, port = words.get("host", "127.0.0.1"), words.get("port", str(settings.postgres_port))
    passfile = quote(str(settings.postgres_passfile("airflow")))
    return f"{driver}://airflow@{host}:{port}/airflow?passfile={passfile}"


def _secret(settings: Settings, name: str) -> str:
    return (settings.secrets / name).read_text(encoding="utf-8").strip()

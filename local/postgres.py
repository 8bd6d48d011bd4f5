"""The embedded Postgres: a data folder, its configuration, and the command that runs it.

Only scram-sha-256 over the loopback interface: no trust rule, no socket file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from local.postgres_binaries import programs
from local.secrets import postgres_password
from local.service_account import ServiceAccount
from local.state_folder import private_folder, write_private
from settings import PostgresRole, Settings
from sql.migrate import apply_migrations
from sql.roles import create_database, set_passwords

ADMIN: PostgresRole = "footfall_admin"
LOGIN_ROLES: tuple[PostgresRole, ...] = ("footfall_writer", "footfall_reporter", "footfall_reader", "airflow")

HBA = """\
# TYPE  DATABASE  USER  ADDRESS       METHOD
host    all       all   127.0.0.1/32  scram-sha-256
"""


class PostgresFailed(Exception):
    """initdb or the server failed; the message holds its own last words."""


def configuration(port: int, log_folder: Path) -> str:
    """Text of the settings we add to initdb's ``postgresql.conf``."""
    return f"""\
# Written by every start of the stack.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 100
password_encryption = 'scram-sha-256'
scram_iterations = 4096

shared_buffers = '256MB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
wal_compression = on
max_wal_size = '2GB'
checkpoint_timeout = '10min'
fsync = on
synchronous_commit = on
jit = off

timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = '{log_folder}'
log_filename = 'postgres-%d.log'
log_file_mode = 0600
log_rotation_age = '1d'
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %a %u@%d '
log_statement = 'none'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
cluster_name = 'footfall'
"""


def prepare_postgres(settings: Settings, account: ServiceAccount | None) -> None:
    """Make the data folder when it is missing, and write the configuration anew."""
    room = private_folder(settings.home / "postgres", account)
    data = room / "data"
    logs = private_folder(room / "logs", account)
    if not data.exists():
        _initdb(settings, room, account)
    write_private(data / "pg_hba.conf", HBA, account)
    write_private(data / "footfall.conf", configuration(settings.postgres_port, logs), account)
    write_private(data / "postgresql.conf", "include = 'footfall.conf'\n", account)


def postgres_command(settings: Settings, account: ServiceAccount | None) -> list[str]:
    """The server as a foreground process; run it as the service account when there is one."""
    return [str(programs(settings.home, account) / "postgres"), "-D", str(settings.home / "postgres" / "data")]


def bootstrap_databases(settings: Settings) -> list[str]:
    """On the running server: databases, migrations, passwords. Returns the migrations that were applied."""
    administrator = settings.dsn(ADMIN, "postgres")
    create_database(administrator, "footfall", owner=None)
    create_database(administrator, "airflow", owner="airflow")
    applied = apply_migrations(settings.dsn(ADMIN))
    set_passwords(administrator, {role: postgres_password(settings, role) for role in LOGIN_ROLES})
    return applied


def _initdb(settings: Settings, room: Path, account: ServiceAccount | None) -> None:
    """initdb into a folder beside, renamed when whole, so that a broken attempt leaves nothing half made."""
    new = room / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    descriptor, password_file = tempfile.mkstemp(dir=room)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(postgres_password(settings, ADMIN) + "\n")
        if account is not None:
            os.chown(password_file, account.uid, account.gid)
        command = [
            str(programs(settings.home, account) / "initdb"),
            f"--pgdata={new}",
            f"--username={ADMIN}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--data-checksums",
            "--no-instructions",
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=room,
            **(account.popen_options() if account else {}),
        )
    finally:
        Path(password_file).unlink()
    if done.returncode != 0:
        raise PostgresFailed(f"initdb failed: {done.stderr.strip()}")
    new.rename(room / "data")

"""The supervisor's configuration: which programs the stack has, in which order, and how each is ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from local.airflow import AIRFLOW
from local.airflow import PROGRAMS as AIRFLOW_PROGRAMS
from local.kafka import kafka_command
from local.postgres import postgres_command
from local.service_account import ServiceAccount
from local.state_folder import StateFolderUnusable
from settings import CHECKOUT, Settings

# sockaddr_un holds 108 bytes, and supervisor adds its process id while it binds.
LONGEST_SOCKET_PATH = 96
# The program that notes how the others are.
WATCH = "process-watch"


@dataclass(frozen=True)
class Program:
    """One supervised process.

    stop_whole_group: whether the stop signal also goes to its children.
    account: as whom it runs (None: as the supervisor).
    """

    name: str
    command: Sequence[str]
    folder: Path
    stop_signal: str = "TERM"
    stop_seconds: int = 30
    stop_whole_group: bool = True
    account: ServiceAccount | None = None


def programs(settings: Settings, account: ServiceAccount | None, java: str) -> list[Program]:
    """The stack's programs, in the order in which they start; they stop in the opposite order."""
    found: list[Program] = []
    if settings.embedded_postgres:
        command = postgres_command(settings, account)
        # INT is Postgres's fast shutdown: it does not wait for clients to leave.
        found.append(Program("postgres", command, settings.home / "postgres", "INT", 60, False, account))
    if settings.embedded_kafka:
        found.append(Program("kafka", kafka_command(settings, java), settings.home / "kafka", "TERM", 60))
    found.append(Program(WATCH, [sys.executable, "-m", "local.process_watch"], CHECKOUT))
    for name, words in AIRFLOW_PROGRAMS.items():
        command = [str(AIRFLOW), *words]
        if name == "airflow-scheduler":
            # Its children run tasks: told alone, it lets them finish. After a kill its idle ones are ended first.
            pid_file = str(settings.home / "run" / "airflow-scheduler.pid")
            command = [sys.executable, "-m", "local.airflow_scheduler", pid_file, *command]
            found.append(Program(name, command, settings.home / "airflow", "TERM", 60, False))
        else:
            found.append(Program(name, command, settings.home / "airflow"))
    return found


def socket_path(home: Path) -> Path:
    """Where the supervisor listens; only its owner can reach it."""
    path = home / "run" / "supervisor.sock"
    if len(str(path)) > LONGEST_SOCKET_PATH:
        raise StateFolderUnusable(
            f"{home} is too long a path for a socket below it: set FOOTFALL_HOME to a shorter one"
        )
    return path


def supervisor_configuration(settings: Settings, found: Sequence[Program]) -> str:
    """Text of ``supervisord.conf``. Programs start when told to, not by themselves, and come back when they die."""
    run, logs = settings.home / "run", settings.logs
    socket = socket_path(settings.home)
    sections: dict[str, dict[str, str]] = {
        "unix_http_server": {"file": str(socket), "chmod": "0700"},
        "supervisord": {
            "logfile": str(logs / "supervisord.log"),
            "logfile_maxbytes": "5MB",
            "logfile_backups": "2",
            "pidfile": str(run / "supervisord.pid"),
            "childlogdir": str(logs),
            "directory": str(settings.home),
            "identifier": "footfall",
            "umask": "077",
            "minfds": "1024",
            "environment": f'FOOTFALL_PORT_BASE="{settings.port_base}"',
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "supervisorctl": {"serverurl": f"unix://{socket}"},
    }
    for priority, program in enumerate(found, start=1):
        sections[f"program:{program.name}"] = {
            "command": " ".join(_quoted(word) for word in program.command),
            "directory": str(program.folder),
            "priority": str(priority),
            "autostart": "false",
            "autorestart": "true",
            "startsecs": "1",
            "startretries": "1000000",
            "stopsignal": program.stop_signal,
            "stopwaitsecs": str(program.stop_seconds),
            "stopasgroup": str(program.stop_whole_group).lower(),
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(logs / f"{program.name}.log"),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "3",
            **({"user": program.account.name} if program.account else {}),
        }
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_dict(sections)
    text = StringIO()
    parser.write(text)
    # supervisor expands %(…)s in every value.
    return text.getvalue().replace("%", "%%")


def _quoted(word: str) -> str:
    return f'"{word}"' if any(letter in word for letter in " ;*'") else word

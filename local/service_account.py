"""The operating-system user that Postgres runs as: Postgres refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

NAME = "footfall"


class ServiceAccountMissing(Exception):
    """The user could not be created; the message says how to do it by hand."""


@dataclass(frozen=True)
class ServiceAccount:
    name: str
    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        """Options for ``subprocess`` that start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def service_account() -> ServiceAccount | None:
    """As root: the system user ``footfall``, created when missing. Otherwise None: we run it ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _create()
        entry = pwd.getpwnam(NAME)
    return ServiceAccount(NAME, entry.pw_uid, entry.pw_gid)


def _create() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    if shutil.which("useradd") is None:
        raise ServiceAccountMissing(f"Postgres cannot run as root: create a system user named {NAME} and try again")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    # Two stacks starting at once may both try; 9 = the name exists.
    if done.returncode not in (0, 9):
        raise ServiceAccountMissing(f"{' '.join(command)} failed: {done.stderr.strip()}")

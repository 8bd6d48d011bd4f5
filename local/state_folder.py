"""The state folder (``FOOTFALL_HOME``): who may enter it, and how a private file gets written.

Everything of one stack lives below it, so that two stacks share nothing. Folders are 0700 and files 0600;
as root the folder itself lets one group pass (0710): that of Postgres's own user.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from local.service_account import ServiceAccount, service_account

MARKER = ".footfall-home"
FOLDERS = ("secrets", "logs", "run", "jars")


class StateFolderUnusable(Exception):
    """The state folder cannot be used; the message names the path and the way out."""


def prepare(home: Path) -> ServiceAccount | None:
    """Create the state folder, or put its modes right; returns the user that Postgres runs as (None: ours)."""
    account = service_account()
    if home.exists() and not (home / MARKER).exists() and any(home.iterdir()):
        raise StateFolderUnusable(f"{home} is not empty and is not Footfall's: set FOOTFALL_HOME to a new folder")
    try:
        home.mkdir(parents=True, exist_ok=True)
        if account is None:
            home.chmod(0o700)
        else:
            os.chown(home, os.geteuid(), account.gid)
            home.chmod(0o710)
        for name in FOLDERS:
            private_folder(home / name)
        (home / MARKER).touch(mode=0o600)
    except PermissionError as error:
        raise StateFolderUnusable(
            f"{error.filename} cannot be written by this user: give it to yourself (chown), "
            "or set FOOTFALL_HOME to a folder of your own"
        ) from error
    if account is not None:
        _refuse_closed_parents(home)
    return account


def private_folder(folder: Path, owner: ServiceAccount | None = None) -> Path:
    """Create a folder that only its owner may enter (0700)."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)
    return folder


def write_private(path: Path, text: str, owner: ServiceAccount | None = None) -> None:
    """Write a file only its owner can read (0600): whole or not at all, never through a symbolic link."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if owner is not None:
                os.chown(descriptor, owner.uid, owner.gid)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep_private(path: Path, text: str) -> str:
    """Content of a private file; written with ``text`` only when it is not there yet."""
    if not path.exists():
        write_private(path, text)
    return path.read_text(encoding="utf-8")


def delete(home: Path) -> None:
    """Delete a state folder; refuses a folder that Footfall did not make."""
    if not (home / MARKER).exists():
        raise StateFolderUnusable(f"{home} is not a state folder of Footfall: nothing was deleted")
    shutil.rmtree(home)


def free_bytes(home: Path) -> int:
    """Free space on the disk that will hold ``home``, in bytes."""
    existing = next(folder for folder in [home, *home.parents] if folder.exists())
    return shutil.disk_usage(existing).free


def _refuse_closed_parents(home: Path) -> None:
    for parent in home.parents:
        if not parent.stat().st_mode & 0o001:
            raise StateFolderUnusable(
                f"{parent} is closed to other users, so Postgres's own user cannot reach {home}: "
                "set FOOTFALL_HOME to a folder such as /var/lib/footfall"
            )

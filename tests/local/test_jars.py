"""Jars are exactly those of the lock, or nothing is used."""

from __future__ import annotations

import hashlib
from pathlib import Path

from local.jars import Jar, differences, ivy_module, locked_jars


def jar(content: bytes = b"good") -> Jar:
    return Jar(hashlib.sha256(content).hexdigest(), "kafka", "org.example", "thing", "1.0")


def test_exactly_the_locked_jars_are_fine(tmp_path: Path) -> None:
    (tmp_path / "thing-1.0.jar").write_bytes(b"good")
    assert differences(tmp_path, [jar()]) == []


def test_a_changed_jar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thing-1.0.jar").write_bytes(b"evil")
    assert differences(tmp_path, [jar()]) == ["thing-1.0.jar has another sha256 than the lock"]


def test_an_extra_jar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thing-1.0.jar").write_bytes(b"good")
    (tmp_path / "guest.jar").write_bytes(b"?")
    assert differences(tmp_path, [jar()]) == ["guest.jar is not in the lock"]


def test_a_missing_jar_is_named(tmp_path: Path) -> None:
    assert differences(tmp_path / "absent", [jar()]) == ["thing-1.0.jar is missing"]


def test_ivy_is_asked_for_the_pinned_versions_only() -> None:
    text = ivy_module([jar()])
    assert text.count("<dependency ") == 1
    assert 'org="org.example" name="thing" rev="1.0" transitive="false"' in text


def test_every_locked_jar_has_a_checksum_and_a_set() -> None:
    jars = locked_jars()
    assert {jar.jar_set for jar in jars} == {"kafka", "spark"}
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert len({(jar.jar_set, jar.name) for jar in jars}) == len(jars)

"""Jars of the broker and of Spark's Kafka connector: exactly those of ``jars.lock``, each checked by sha256.

Ivy, which is inside pyspark, downloads them once a machine; every state folder links them from that cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import quoteattr

import platformdirs

LOCK = Path(__file__).with_name("jars.lock")
JarSet = Literal["kafka", "spark"]
JAR_SETS: tuple[JarSet, ...] = ("kafka", "spark")


class JarsRefused(Exception):
    """Jars could not be fetched, or are not those of the lock."""


@dataclass(frozen=True)
class Jar:
    sha256: str
    jar_set: str
    organisation: str
    name: str
    version: str

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}.jar"


def locked_jars(lock: Path = LOCK) -> list[Jar]:
    """The lines of the lock."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [Jar(*line.split()) for line in lines if line and not line.startswith("#")]


def default_cache() -> Path:
    """Where downloaded jars stay, shared by all stacks of this user."""
    return platformdirs.user_cache_path("footfall") / "jars"


def provide_jars(home: Path, cache: Path, java: str) -> int:
    """Bring ``<home>/jars/{kafka,spark}`` in line with the lock; returns how many jars were downloaded."""
    downloaded = 0
    for jar_set in JAR_SETS:
        jars = [jar for jar in locked_jars() if jar.jar_set == jar_set]
        folder = home / "jars" / jar_set
        if not differences(folder, jars):
            continue
        cached = cache / _fingerprint(jars)
        if differences(cached, jars):
            _download(cached, jars, java)
            downloaded += len(jars)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for jar in jars:
            _link(cached / jar.file_name, folder / jar.file_name)
    return downloaded


def differences(folder: Path, jars: Sequence[Jar]) -> list[str]:
    """In what a folder differs from the lock, in words; empty when it holds exactly these jars."""
    wanted = {jar.file_name: jar.sha256 for jar in jars}
    present = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    return (
        [f"{name} is missing" for name in sorted(wanted.keys() - present.keys())]
        + [f"{name} is not in the lock" for name in sorted(present.keys() - wanted.keys())]
        + [
            f"{name} has another sha256 than the lock"
            for name in sorted(wanted.keys() & present.keys())
            if hashlib.sha256(present[name].read_bytes()).hexdigest() != wanted[name]
        ]
    )


def ivy_module(jars: Sequence[Jar]) -> str:
    """An Ivy file that names exactly these jars, without what they depend on."""
    dependencies = "".join(
        f"<dependency org={quoteattr(jar.organisation)} name={quoteattr(jar.name)} rev={quoteattr(jar.version)} "
        'transitive="false" conf="default->default"/>'
        for jar in jars
    )
    return (
        '<ivy-module version="2.0"><info organisation="footfall" module="jars"/>'
        f'<configurations><conf name="default"/></configurations><dependencies>{dependencies}</dependencies>'
        "</ivy-module>"
    )


def _download(target: Path, jars: Sequence[Jar], java: str) -> None:
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise JarsRefused("pyspark is not installed: run make up")
    ivy = next((Path(spec.origin).parent / "jars").glob("ivy-*.jar"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        work = Path(name)
        (work / "ivy.xml").write_text(ivy_module(jars), encoding="utf-8")
        command = [java, "-cp", str(ivy), "org.apache.ivy.Main", "-cache", str(work / "cache")]
        command += ["-ivy", str(work / "ivy.xml"), "-types", "jar", "bundle"]
        command += ["-retrieve", f"{work}/jars/[artifact]-[revision].[ext]"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        wrong = differences(work / "jars", jars)
        if wrong:
            words = "\n".join([*wrong[:5], *(done.stdout + done.stderr).splitlines()[-5:]])
            raise JarsRefused(f"the jars could not be fetched as locked; is the network there?\n{words}")
        if differences(target, jars):  # none: another process was quicker
            shutil.rmtree(target, ignore_errors=True)
            (work / "jars").rename(target)


def _fingerprint(jars: Sequence[Jar]) -> str:
    return hashlib.sha256("".join(sorted(jar.sha256 for jar in jars)).encode()).hexdigest()[:16]


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)

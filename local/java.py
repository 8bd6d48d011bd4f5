"""The Java that runs the broker: ``JAVA_HOME``'s or the one on the path, 17 or newer."""

from __future__ import annotations

import re
import shutil
import subprocess

OLDEST = 17


class JavaMissing(Exception):
    """No suitable Java; the message names the command that installs it."""


def find_java(java_home: str | None) -> str:
    """Path of a ``java`` program of version 17 or newer."""
    java = shutil.which(f"{java_home}/bin/java") if java_home else shutil.which("java")
    if java is None:
        raise JavaMissing(f"no Java found: {way_out()}")
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r'version "(\d+)', done.stderr)
    if found is None or int(found.group(1)) < OLDEST:
        raise JavaMissing(f"{java} is not Java {OLDEST} or newer: {way_out()}")
    return java


def way_out() -> str:
    """The command that installs Java on this machine."""
    for program, command in (
        ("apt-get", "apt-get install openjdk-17-jre-headless"),
        ("dnf", "dnf install java-17-openjdk-headless"),
        ("brew", "brew install openjdk@17"),
    ):
        if shutil.which(program):
            return f"install it with: {command}"
    return "install a Java runtime, version 17 or newer"

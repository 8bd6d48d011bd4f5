"""Talks to the supervisor of one stack: start it, ask it, tell it. The only supervisor import."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

_ALIVE = ("RUNNING", "STARTING", "BACKOFF", "STOPPING")


class SupervisorFailed(Exception):
    """The supervisor did not start, or refused; the message holds its words."""


@dataclass(frozen=True)
class ProcessState:
    """name: of the program; state: RUNNING, STARTING, BACKOFF, STOPPED …; pid: 0 when it does not run."""

    name: str
    state: str
    pid: int
    description: str


class SupervisorClient:
    """One supervisor, by its socket; nobody has to be there yet."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    @property
    def _server(self) -> Any:
        # A new one a call: supervisor's transport cannot be used again after a refused connection.
        return ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, f"unix://{self._socket}"))

    def is_up(self) -> bool:
        try:
            self._server.supervisor.getState()
        except OSError:
            return False
        return True

    def launch(self, configuration: Path, environment: Mapping[str, str], patience_seconds: float = 15.0) -> None:
        """Start the supervisor as a daemon, and wait until it answers."""
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
        done = subprocess.run(
            command, env=dict(environment), capture_output=True, text=True, check=False, timeout=60, umask=0o077
        )
        if done.returncode != 0:
            raise SupervisorFailed(f"the supervisor did not start: {(done.stderr or done.stdout).strip()}")
        deadline = time.monotonic() + patience_seconds
        while not self.is_up():
            if time.monotonic() > deadline:
                raise SupervisorFailed(f"the supervisor does not answer on {self._socket}")
            time.sleep(0.05)

    def processes(self) -> list[ProcessState]:
        """All programs in the order in which they start."""
        found = sorted(self._server.supervisor.getAllProcessInfo(), key=lambda info: info["start"])
        return [ProcessState(info["name"], info["statename"], info["pid"], info["description"]) for info in found]

    def state(self, name: str) -> ProcessState:
        info = self._server.supervisor.getProcessInfo(name)
        return ProcessState(info["name"], info["statename"], info["pid"], info["description"])

    def start(self, name: str) -> bool:
        """Tell a program to start, without waiting; False when it runs already."""
        if self.state(name).state in ("RUNNING", "STARTING", "BACKOFF"):
            return False
        try:
            self._server.supervisor.startProcess(name, False)
        except Fault as fault:
            raise SupervisorFailed(f"{name} could not be started: {fault.faultString}") from fault
        return True

    def stop(self, names: Sequence[str], patience_seconds: float = 90.0) -> None:
        """Stop programs at the same time, and wait until they are gone."""
        going = [process.name for process in self.processes() if process.name in names and process.state in _ALIVE]
        for name in going:
            self._server.supervisor.stopProcess(name, False)
        deadline = time.monotonic() + patience_seconds
        while left := [name for name in going if self.state(name).state in _ALIVE]:
            if time.monotonic() > deadline:
                raise SupervisorFailed(f"{', '.join(left)} cannot be stopped")
            time.sleep(0.1)

    def shutdown(self, patience_seconds: float = 60.0) -> None:
        """End the supervisor and whatever it still runs."""
        self._server.supervisor.shutdown()
        deadline = time.monotonic() + patience_seconds
        while self._socket.exists() and self.is_up():
            if time.monotonic() > deadline:
                raise SupervisorFailed(f"the supervisor behind {self._socket} does not end")
            time.sleep(0.1)

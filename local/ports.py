"""Ports of the stack: whether they are free, and who is in the way when not."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

import psutil

PORTS_OF_A_STACK = 4


def is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def taken(ports: Iterable[int]) -> dict[int, str]:
    """Ports in use, each with the process that has it, in words ("another user's process" when hidden)."""
    return {port: _holder(port) for port in ports if not is_free(port)}


def free_port_base(chooser: random.Random, lowest: int = 20000, highest: int = 30000) -> int:
    """First of four free ports in a row, below the range that the kernel hands out by itself."""
    for _ in range(200):
        base = chooser.randrange(lowest, highest, PORTS_OF_A_STACK)
        if all(is_free(base + step) for step in range(PORTS_OF_A_STACK)):
            return base
    raise OSError(f"no four free ports in a row between {lowest} and {highest}")


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp4")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            if connection.pid is None:
                break
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.Error:
                break
    return "another process"

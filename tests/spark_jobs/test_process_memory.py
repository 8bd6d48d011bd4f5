"""Memory of a process, with its children, by the system's own numbers."""

from __future__ import annotations

import subprocess
import sys

from spark_jobs.process_memory import MemoryGauge, memory_bytes

MIB = 1024**2
HOLD = "import sys; held = bytearray({mib} * 1024 * 1024); print('ready', flush=True); sys.stdin.read()"


def test_the_memory_of_a_process_is_what_it_holds_with_its_children() -> None:
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {HOLD.format(mib=64)!r}], stdin=sys.stdin)\n"
        "child.wait()"
    )
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"ready\n"
        gauge = MemoryGauge(process.pid)
        assert 64 * MIB < gauge.read(100.0) < 192 * MIB
        process.stdin.close()
        process.wait(timeout=30)
        assert gauge.read(109.9) > 64 * MIB  # not measured anew yet
        assert gauge.read(110.0) == 0
    assert memory_bytes(process.pid) == 0

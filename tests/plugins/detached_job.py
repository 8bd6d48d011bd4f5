"""A detached job small enough to watch: keeps the lease as the stream job does, but counts nothing.

--mode obey: heartbeats until it is wished stopped. silent: takes the lease, then says nothing more.
deaf: heartbeats, ignores wishes and SIGTERM. crash: ends with 1 before it takes the lease.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
from datetime import UTC, datetime

import psutil

from settings import Settings
from spark_jobs.lease import Heartbeat, take_lease
from sql.warehouse import Warehouse


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--launch-id", required=True)
    parser.add_argument("--mode", choices=["obey", "silent", "deaf", "crash"], default="obey")
    options = parser.parse_args()
    say(f"detached job in mode {options.mode}")
    if options.mode == "crash":
        say("last words: out of luck")
        return 1
    if options.mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name = f"footfall-stream-{options.launch_id}"
    warehouse = Warehouse(Settings().dsn("footfall_writer"), name)
    process = psutil.Process()
    warehouse.run(
        "stream/register_process",
        {
            "launch_id": options.launch_id,
            "job": "traffic_stream",
            "host": socket.gethostname(),
            "pid": process.pid,
            "process_started_at": datetime.fromtimestamp(process.create_time(), UTC),
            "log_path": "-",
        },
    )
    epoch = take_lease(warehouse, f"test:{os.getpid()}:{options.launch_id}", name).epoch
    warehouse.run("stream/register_epoch", {"launch_id": options.launch_id, "epoch": epoch})
    heartbeat = Heartbeat(warehouse, epoch)
    heartbeat.beat("idle", "nothing to do")
    while True:
        wished = "running" if options.mode == "silent" else heartbeat.beat("idle", "nothing to do")
        if wished == "fenced":
            return 3
        if wished == "stopped" and options.mode == "obey":
            heartbeat.end("stopped", "stopped as wished")
            warehouse.run("stream/end_launch", {"launch_id": options.launch_id, "end_reason": "stopped as wished"})
            return 0
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())

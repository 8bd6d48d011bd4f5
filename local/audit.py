"""The audit from the command line: runs it as a process, shows its progress, then what it found as a table."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from settings import CHECKOUT, Settings
from sql.audit_reading import AuditReport, read_audit
from sql.warehouse import Warehouse

DEFAULT_HOURS = 48  # as long as Kafka keeps records by default
NO_ROW = (2, 4)  # exit codes after which there may be nothing to show


def default_period(now: datetime, start: str | None, end: str | None) -> tuple[str, str]:
    """The period asked for; by default the last 48 full hours."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return start or (hour - timedelta(hours=DEFAULT_HOURS)).isoformat(), end or hour.isoformat()


def audit_reports(
    settings: Settings, start: str, end: str, label: str, environment: Mapping[str, str], console: Console
) -> int:
    """Audit [start, end); returns the audit's exit code (``spark_jobs.audit``)."""
    command = [sys.executable, "-m", "spark_jobs.audit", "--start", start, "--end", end, "--label", label]
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: list[str] = []
    try:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if "footfall.audit" in line:
                console.print(line.partition("footfall.audit ")[2].strip(), markup=False)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if code in NO_ROW:
        console.print("\n".join(lines[-15:]), markup=False)
        return code
    with Warehouse(settings.dsn("footfall_reader"), "footfall-stack") as warehouse:
        show_audit(read_audit(warehouse, label), console)
    return code


def show_audit(report: AuditReport, console: Console) -> None:
    """The outcome as tables: figures, why hours were not checked, the first differences."""
    table = Table(title=f"Audit {report.audit_id}: {report.status}", show_header=False)
    table.add_row("period", f"{report.audited_from:%Y-%m-%d %H:%M} until {report.audited_until:%Y-%m-%d %H:%M} UTC")
    table.add_row("hours checked", f"{report.hours_checked:,} of {report.hours_checked + report.hours_unchecked:,}")
    table.add_row("records read", f"{report.records_read:,}")
    table.add_row("cells compared", f"{report.cells_compared:,}")
    table.add_row("cells that differ", f"{report.cells_differing:,}")
    if report.visitors_error is not None:
        table.add_row(
            "worst visitor figure", f"off by {report.visitors_error:,}, bound {report.visitors_error_bound:,}"
        )
        table.add_row("estimates beyond 95 % bound", f"{report.estimates_beyond_bound:,} of {report.estimates:,}")
    if report.latency_error is not None:
        table.add_row("worst percentile", f"off by {report.latency_error:.2%}, stated 1 %")
    table.add_row("offsets no longer in Kafka", f"{report.offsets_gone:,}")
    if report.seconds is not None:
        table.add_row("took", f"{report.seconds:.0f} s")
    console.print(table)
    for hours, reason in report.unchecked:
        console.print(f"{hours} hours not checked: {reason}", markup=False)
    for note in filter(None, report.notes.split("; ")):
        console.print(note, markup=False)
    if report.differences:
        found = Table("site", "hour", "report", "key", "figure", "reported", "recomputed", title="Differences")
        for one in report.differences:
            found.add_row(
                *(one.site, f"{one.hour_start:%Y-%m-%d %H:%M}", one.report, one.key, one.figure),
                *(one.reported or "no row", one.recomputed or "no row"),
            )
        console.print(found)


def door_environment(settings: Settings) -> dict[str, str]:
    """This process's environment, in which the audit finds the same settings."""
    return os.environ | {"FOOTFALL_HOME": str(settings.home), "FOOTFALL_PORT_BASE": str(settings.port_base)}

"""What ``maintenance`` does: keeps samples, Airflow's records and logs in bounds."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from airflow.sdk import conf

from plugins.airflow_command import run_airflow
from plugins.job_log import expire_logs, shorten_log
from plugins.watching import watcher
from settings import Settings
from spark_jobs.retention import compact_hours, expire_sketches, expire_visits
from spark_jobs.sketch_compaction import compact_sketches as unite_sketches
from spark_jobs.visitor_keys import delete_expired_keys
from sql.launches import Job, open_launches
from sql.launches import expire_rejected_samples as expire_samples
from sql.warehouse import Warehouse

log = logging.getLogger(__name__)

KEEP_JOB_LOGS = timedelta(days=14)
KEEP_TASK_LOGS = timedelta(days=30)
# Neither triggers (a generator may be watched for longer than any limit) nor DAGs; dependent tables follow.
CLEANED_TABLES = (
    "asset_event,callback,dag_run,dag_version,import_error,job,log,task_instance,task_instance_history,"
    "task_reschedule,xcom"
)
LARGEST_JOB_LOG_BYTES = 64 * 2**20


def expire_rejected_samples(as_of: datetime) -> int:
    """Delete samples of rejected records that have been kept long enough; returns how many."""
    settings = Settings()
    with watcher(settings) as warehouse:
        deleted = expire_samples(warehouse, as_of, settings.rejected_sample_days)
    log.info("%d samples of rejected records deleted", deleted)
    return deleted


def expire_bands(as_of: datetime) -> int:
    """Delete bands, totals and progress by 10 s that are older than the setting says; returns of how many buckets."""
    settings = Settings()
    with watcher(settings) as warehouse:
        deleted = warehouse.run("trends/expire_bands", {"as_of": as_of, "days": settings.trend_days})
        warehouse.run("stream/expire_progress", {"as_of": as_of, "days": settings.trend_days})
    log.info("bands of %d buckets deleted", deleted)
    return deleted


def delete_visitor_keys(as_of: datetime) -> list[str]:
    """Delete the keys of visitor hashes whose time is over; returns their names."""
    settings = Settings()
    with watcher(settings) as warehouse:
        deleted = delete_expired_keys(warehouse, settings.visitor_keys, as_of, settings.visitor_key_days)
    log.info("visitor keys deleted: %s", ", ".join(deleted) or "none")
    return deleted


def compact_sketches(before: datetime) -> int:
    """Unite the minutes' visitor sketches of hours that ended before a moment; returns how many fewer there are."""
    with watcher(Settings()) as warehouse:
        fewer = unite_sketches(warehouse, before)
    log.info("%d visitor sketches fewer", fewer)
    return fewer


def expire_details(as_of: datetime) -> dict[str, int]:
    """Sum up or delete old detail behind the reports; returns how many hours, visits and sketches."""
    settings = Settings()
    dsn = settings.dsn("footfall_writer")
    with Warehouse(dsn, "footfall-airflow-maintenance", statement_timeout_s=300.0) as warehouse:
        done = {
            "hours whose buckets were summed up": compact_hours(warehouse, as_of, settings.buckets_days),
            "visits deleted": expire_visits(warehouse, as_of, settings.visits_days),
            "sketches deleted": expire_sketches(warehouse, as_of, settings.sketch_days),
        }
    for what, number in done.items():
        log.info("%s: %d", what, number)
    return done


def clean_airflow_records(before: datetime) -> None:
    """Delete Airflow's own records from before a time, without an archive.

    Airflow deletes runs that still go on, too, and a deleted run's task counts as stopped by a person: so what is
    younger than the oldest running generator stays.
    """
    with watcher(Settings()) as warehouse:
        ages = [launch.age_seconds for launch in open_launches(warehouse, "log_generator")]
    before = min([before, *(datetime.now(UTC) - timedelta(seconds=age, hours=1) for age in ages)])
    run_airflow(
        *("db", "clean", "--clean-before-timestamp", before.isoformat()),
        *("--tables", CLEANED_TABLES),
        *("--skip-archive", "--yes", "--batch-size", "10000", "--error-on-cleanup-failure"),
        timeout_seconds=3600.0,
    )


def tidy_logs(as_of: datetime) -> None:
    """Delete old output of ended jobs and old task logs, shorten the output of running jobs."""
    settings = Settings()
    jobs = (*get_args(Job), "audit")
    with watcher(settings) as warehouse:
        in_use = [Path(launch.log_path) for job in get_args(Job) for launch in open_launches(warehouse, job)]
    for path in expire_logs(settings.logs, jobs, in_use, as_of - KEEP_JOB_LOGS):
        log.info("Deleted %s", path)
    for path in in_use:
        if shorten_log(path, LARGEST_JOB_LOG_BYTES):
            log.info("Shortened %s", path)
    deleted = expire_task_logs(Path(conf.get("logging", "base_log_folder")), as_of - KEEP_TASK_LOGS)
    log.info("%d task logs deleted", deleted)


def expire_task_logs(folder: Path, before: datetime) -> int:
    """Delete Airflow's log files last written before a time, and the folders left empty; returns the number."""
    deleted = 0
    for path in sorted(folder.rglob("*"), reverse=True):  # what is inside a folder comes before the folder
        if path.is_symlink():
            continue
        if path.is_file() and path.stat().st_mtime < before.timestamp():
            path.unlink()
            deleted += 1
        elif path.is_dir() and path.stat().st_mtime < before.timestamp() and not any(path.iterdir()):
            path.rmdir()
    return deleted

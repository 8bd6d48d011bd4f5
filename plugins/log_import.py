"""What ``log_import`` does in its task: ships logs, and says in the log what was read."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from settings import Settings

log = logging.getLogger(__name__)

_SAY_EVERY_SECONDS = 10.0


def ship_logs(path: str, site: str, log_format: str) -> dict[str, Any]:
    """Ship a file or the files of a folder.

    Returns ``lines`` (source -> number of lines) and, when any hour was touched, its range ``start``, ``end``.
    """
    from producers.delivery import Delivery, DeliveryFailed
    from producers.log_shipper import ship

    logging.getLogger("kafka").setLevel(logging.WARNING)  # its INFO is a line for each connection
    settings = Settings()
    said = time.monotonic()

    def on_progress(progress: Any) -> None:
        nonlocal said
        if time.monotonic() - said > _SAY_EVERY_SECONDS:
            log.info("%s", progress)
            said = time.monotonic()

    options = settings.kafka_python_options("footfall_producer")
    try:
        with Delivery(options, settings.topic, lambda words: log.warning("%s", words)) as delivery:
            report = ship([path], site, log_format, delivery, on_progress)
    except (DeliveryFailed, OSError, ValueError) as error:
        raise AirflowFailException(f"{path} was not shipped: {error}") from error
    for shipped in report.logs:
        log.info(
            "%s: %d lines, %d events, %d hours", *(shipped.path, shipped.lines, shipped.events, len(shipped.hours))
        )
        for reason, unparsed in shipped.unparsed.items():
            log.warning(
                "%s: %d lines unparsed, %s: lines %s", *(shipped.path, unparsed.count, reason, unparsed.line_numbers)
            )
    for words in report.skipped:
        log.info("skipped %s", words)
    hours = sorted(report.hours)
    touched = {"start": hours[0].isoformat(), "end": (hours[-1] + timedelta(hours=1)).isoformat()} if hours else {}
    return {"lines": {source.source: source.lines for source in report.sources}, **touched}

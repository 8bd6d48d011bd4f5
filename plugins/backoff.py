"""How long to wait before the stream job is launched again after it has failed again and again."""

from __future__ import annotations

from sql.launches import Failures

COUNTED_WITHIN_SECONDS = 600.0
FREE_FAILURES = 5
_FIRST_WAIT_SECONDS = 15.0
_LONGEST_WAIT_SECONDS = 300.0


def seconds_to_wait(failures: Failures) -> float:
    """Seconds from now; 0 up to five failures in ten minutes, then 15, 30, 60 … 300 s after the last one."""
    beyond = failures.failures - FREE_FAILURES
    if beyond <= 0:
        return 0.0
    wait = min(_FIRST_WAIT_SECONDS * 2.0 ** (beyond - 1), _LONGEST_WAIT_SECONDS)
    return max(0.0, wait - failures.seconds_since_last)

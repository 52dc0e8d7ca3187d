"""How long a sender has what it took, and how long what failed waits: alarms and messages alike."""

from __future__ import annotations

from datetime import timedelta

FIRST_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=6)
LEASE_DURATION = timedelta(minutes=10)
"""How long one who sends has an alarm or a delivery alone; if it dies, another may try after that."""


def compute_retry_delay(attempts: int) -> timedelta:
    """How long to wait after a try that failed, with so many before it: a minute, then twice as long each time.

    >>> pause(0), pause(3), pause(11)
    (datetime.timedelta(seconds=60), datetime.timedelta(seconds=480), datetime.timedelta(seconds=21600))
    """
    doubled: timedelta = FIRST_RETRY_DELAY * 2**attempts
    return min(doubled, MAX_RETRY_DELAY)

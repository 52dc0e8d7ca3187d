"""Delays between delivery attempts, and how long a process may work on one."""

from __future__ import annotations

from datetime import timedelta

FIRST_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=6)
LEASE_DURATION = timedelta(minutes=10)
"""A process has a claimed delivery alone for this time. If it dies, another one may try after that."""


def compute_retry_delay(attempts: int) -> timedelta:
    """Return the delay after a failed attempt that followed this many: a minute, then twice as long each time.

    >>> compute_retry_delay(0), compute_retry_delay(3), compute_retry_delay(11)
    (datetime.timedelta(seconds=60), datetime.timedelta(seconds=480), datetime.timedelta(seconds=21600))
    """
    # Nine doublings exceed the maximum. Senders that die may count so many attempts that a timedelta would overflow.
    delay: timedelta = FIRST_RETRY_DELAY * 2 ** min(attempts, 9)
    return min(delay, MAX_RETRY_DELAY)

"""CircuitBreaker: which hosts answer in this run, and when to stop requesting those that do not.

Without a network every request would wait for its own timeouts, robots.txt first. So one grace period runs for all
hosts until any host answers. When it ends, every host is given up. After the first answer each other host has a grace
period of its own. A host that is given up stays so for the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MIN_TRY_SECONDS = 0.5
"""A rest of the grace period that is too short for a request."""


class CircuitBreaker:
    """The hosts of one run. A host has `grace_seconds` for its first answer, and for an answer after failures."""

    def __init__(self, grace_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._grace_seconds, self._clock = grace_seconds, clock
        self._first_requested: dict[str, float] = {}
        self._answered: set[str] = set()
        self._failing_since: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self._open: dict[str, str] = {}

    def has_answered(self, host: str) -> bool:
        """Whether the host has answered anything in this run."""
        return host in self._answered

    def record_answer(self, host: str) -> None:
        """Record that the host answered, with any status."""
        self._answered.add(host)
        self._failing_since.pop(host, None)

    def record_failure(self, host: str, reason: str) -> None:
        """Record that the host could not be reached."""
        self._reasons[host] = reason
        self._failing_since.setdefault(host, self._clock())

    def open_circuit(self, host: str) -> None:
        """Give the host up, with the reason of its last failure."""
        self._open[host] = self._reasons[host]

    def is_failing(self, host: str) -> bool:
        """Whether the host has failed, without an answer, for the whole grace period."""
        since = self._failing_since.get(host)
        return since is not None and self._clock() - since >= self._grace_seconds

    def get_seconds_left(self, host: str) -> float | None:
        """Return the rest of the host's grace period, None for a host that has answered. The first call starts it."""
        if host in self._answered:
            return None
        now = self._clock()
        start = self._first_requested.setdefault(host, now)
        if not self._answered:
            start = min(self._first_requested.values())
        return max(0.0, start + self._grace_seconds - now)

    def get_open_reason(self, host: str) -> str | None:
        """Return why the host gets no more requests, None while it may get some."""
        if host in self._open:
            return self._open[host]
        left = self.get_seconds_left(host)
        if left is None or left > MIN_TRY_SECONDS:
            return None
        return self._reasons.get(host) or next(iter(self._reasons.values()), "no host has answered")

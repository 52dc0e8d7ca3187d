"""Reach: which hosts answer in this run, and when to stop asking those that do not.

Without a network every request would wait for its own time-outs, robots.txt first. So as long as no host at all has
answered, one clock runs for all of them; when it runs out, every host is given up. Once one has answered, each other
host has a clock of its own. A host given up stays so for the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MIN_TRY_SECONDS = 0.5
"""Seconds too short to try anything in."""


class CircuitBreaker:
    """What one run knows about its hosts. `patience` is how long, in seconds, a host may stay without any answer."""

    def __init__(self, grace_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = grace_seconds, clock
        self._first_asked: dict[str, float] = {}
        self._answered: set[str] = set()
        self._failing_since: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self._given_up: dict[str, str] = {}

    def has_answered(self, host: str) -> bool:
        """Whether the host has answered anything in this run."""
        return host in self._answered

    def record_answer(self, host: str) -> None:
        """The host answered, with whatever status."""
        self._answered.add(host)
        self._failing_since.pop(host, None)

    def record_failure(self, host: str, reason: str) -> None:
        """The host could not be reached."""
        self._reasons[host] = reason
        self._failing_since.setdefault(host, self._clock())

    def open_circuit(self, host: str) -> None:
        """No request to the host need be tried again."""
        self._given_up[host] = self._reasons[host]

    def is_failing(self, host: str) -> bool:
        """Whether nothing came from the host for as long as patience lasts."""
        since = self._failing_since.get(host)
        return since is not None and self._clock() - since >= self._patience

    def get_seconds_left(self, host: str) -> float | None:
        """How long the host may still be tried; None for one that has answered. The first call starts its clock."""
        if host in self._answered:
            return None
        now = self._clock()
        start = self._first_asked.setdefault(host, now)
        if not self._answered:
            start = min(self._first_asked.values())
        return max(0.0, start + self._patience - now)

    def get_open_reason(self, host: str) -> str | None:
        """Why the host is not asked any more; None while it may be."""
        if host in self._given_up:
            return self._given_up[host]
        left = self.get_seconds_left(host)
        if left is None or left > MIN_TRY_SECONDS:
            return None
        return self._reasons.get(host) or next(iter(self._reasons.values()), "no host has answered")

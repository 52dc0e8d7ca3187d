"""Wait for what another process or thread does. The limit is long: only a test that fails may reach it."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_WAIT_SECONDS = 120.0


def wait_until(happened: Callable[[], object], seconds: float = MAX_WAIT_SECONDS) -> None:
    """Wait until it is true. Raise AssertionError when it never is."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)

"""Add the versions that wait to the full-text index, and show a terminal how far that is."""

from __future__ import annotations

import sys
import time

from crawler.store import Store
from crawler.store.search import VERSIONS_PER_BATCH


def index_waiting_versions(store: Store, max_seconds: float = float("inf")) -> int:
    """Index what waits, for at most so many seconds. Return how many versions still wait."""
    if not store.search.has_waiting():
        return 0
    deadline = time.monotonic() + max_seconds
    is_shown = sys.stderr.isatty()
    total, done = store.search.get_state().waiting, 0

    def report_progress() -> bool:
        nonlocal done
        done = min(total, done + VERSIONS_PER_BATCH)
        if is_shown:
            print(f"\rindexing {done:,} of {total:,} versions", end="", file=sys.stderr, flush=True)
        return time.monotonic() > deadline

    store.search.index_pending(report_progress)
    if is_shown:
        print(file=sys.stderr)
    return store.search.get_state().waiting

"""Show other processes which watch runs a source: a lease per source."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from crawler.store import Lease, Store


class Heartbeat:
    """The leases of one watch. They expire 45 s after the last `send`."""

    def __init__(self, store: Store) -> None:
        self._leases, self._holder = store.leases, uuid.uuid4().hex
        self._sources: set[str] = set()

    def send(self, sources: Iterable[str]) -> None:
        """Renew the leases of these sources, and release others. If several watches run a source, one has its lease."""
        wanted = set(sources)
        for source in wanted:
            self._leases.acquire(_format_lease_name(source), self._holder)
        self._release(self._sources - wanted)
        self._sources = wanted

    def stop(self) -> None:
        """Release all leases, because this watch ends."""
        self._release(self._sources)

    def _release(self, sources: Iterable[str]) -> None:
        for source in sources:
            self._leases.release(_format_lease_name(source), self._holder)


def get_watch_lease(store: Store, source: str) -> Lease | None:
    """Return the lease of the watch that runs a source, or None."""
    lease = store.leases.get(_format_lease_name(source))
    return lease if lease and (lease.is_certainly_alive or store.leases.get_active(lease.source)) else None


def _format_lease_name(source: str) -> str:
    return f"watch:{source}"

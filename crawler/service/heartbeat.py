"""That a watch is there, for commands in other processes: a lease for each source that it runs on schedule."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from crawler.store import Lease, Store


class Heartbeat:
    """What one watch says of itself, at each look; forgotten 45 s after the last."""

    def __init__(self, store: Store) -> None:
        self._leases, self._holder = store.leases, uuid.uuid4().hex
        self._sources: set[str] = set()

    def send(self, sources: Iterable[str]) -> None:
        """This watch runs these sources. Of several watches of one source, one is named."""
        wanted = set(sources)
        for source in wanted:
            self._leases.acquire(_format_lease_name(source), self._holder)
        self._release(self._sources - wanted)
        self._sources = wanted

    def stop(self) -> None:
        """This watch ends."""
        self._release(self._sources)

    def _release(self, sources: Iterable[str]) -> None:
        for source in sources:
            self._leases.release(_format_lease_name(source), self._holder)


def get_watch_lease(store: Store, source: str) -> Lease | None:
    """The watch that runs a source on schedule, None when there is none."""
    found = store.leases.get(_format_lease_name(source))
    return found if found and (found.is_certainly_alive or store.leases.get_active(found.source)) else None


def _format_lease_name(source: str) -> str:
    return f"watch:{source}"

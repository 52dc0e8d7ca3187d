"""That a watch is there, for commands in other processes: a lease for each source that it runs on schedule."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from crawler.store import Lease, Store


class Presence:
    """What one watch says of itself, at each look; forgotten 45 s after the last."""

    def __init__(self, store: Store) -> None:
        self._leases, self._holder = store.leases, uuid.uuid4().hex
        self._said: set[str] = set()

    def say(self, sources: Iterable[str]) -> None:
        """This watch runs these sources. Of several watches of one source, one is named."""
        wanted = set(sources)
        for source in wanted:
            self._leases.take(_name(source), self._holder)
        self._leave(self._said - wanted)
        self._said = wanted

    def leave(self) -> None:
        """This watch ends."""
        self._leave(self._said)

    def _leave(self, sources: Iterable[str]) -> None:
        for source in sources:
            self._leases.release(_name(source), self._holder)


def watching(store: Store, source: str) -> Lease | None:
    """The watch that runs a source on schedule, None when there is none."""
    found = store.leases.of(_name(source))
    return found if found and (found.is_surely_alive or store.leases.in_force(found.source)) else None


def _name(source: str) -> str:
    return f"watch:{source}"

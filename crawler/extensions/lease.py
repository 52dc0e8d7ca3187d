"""One run per source at a time, among all processes and hosts that use the same database."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from datetime import tzinfo
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.context.run_context import RunContext
from crawler.errors import CrawlerError, LeaseLost, SourceLocked
from crawler.store import HEARTBEAT_SECONDS, Lease, Store
from crawler.store.backfills import get_walk_lease
from crawler.store.runs import BACKFILL_MODE
from crawler.text.dates import load_time_zone

MAX_BACKFILL_WAIT = 300.0
"""Seconds to wait for a window of a backfill, which ends with the page of the list that it is reading."""
LEASE_POLL_SECONDS = 2.0
"""Time between two reads of a lease whose holder may be dead."""
BACKFILL_POLL_SECONDS = 0.5
log = logging.getLogger(__name__)


class LeaseExtension:
    """Takes the source's lease before the engine is made, or ends the run. Releases it when the engine has stopped.

    A run that has lost its lease can write nothing, from the moment when another run has it.

    Heartbeats come from a thread, because they must continue while the run clusters articles or waits for a lock. The
    run's limits end a run that hangs, not missing heartbeats.
    """

    def __init__(self, context: RunContext) -> None:
        self._context, self._store = context, context.store
        self._source, self._holder = context.source, uuid.uuid4().hex
        self._has_ended = threading.Event()
        zone, seconds = load_time_zone(context.config.timezone), MAX_BACKFILL_WAIT
        take_lease(self._store, self._source, self._holder, zone, 0.0 if context.backfill_window else seconds)
        self._store.leases.fence_writes(self._source, self._holder)
        self._thread = threading.Thread(target=self._send_heartbeats, name="lease", daemon=True)
        self._thread.start()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension; raise NotConfigured for a replay or a dry run, which may run beside others."""
        context = RunContext.from_source_run(crawler)
        if context.mode.is_replay or not context.can_write:
            raise NotConfigured
        extension = cls(context)
        crawler.signals.connect(extension.engine_stopped, signals.engine_stopped)
        return extension

    def _send_heartbeats(self) -> None:
        """Renew the lease until the run has ended, or another run has the lease."""
        while not self._has_ended.wait(HEARTBEAT_SECONDS):
            try:
                if not self._store.leases.renew(self._source, self._holder):
                    self._handle_lost_lease()
                    return
            except CrawlerError as error:
                # The next heartbeat may succeed. Until then the run can store nothing either.
                log.warning("The run of %s could not renew its lease. %s", self._source, error)

    def _handle_lost_lease(self) -> None:
        """End the run in an orderly way: two runs would disturb each other."""
        from twisted.internet import reactor

        try:
            self._store.leases.raise_if_lost(self._source, self._holder)
        except LeaseLost as error:
            reactor.callFromThread(self._context.give_up, error)

    def engine_stopped(self) -> None:
        """Release the lease. Where that fails, the next run sees that this process has ended."""
        self._has_ended.set()
        self._thread.join()
        try:
            self._store.leases.release(self._source, self._holder)
        except CrawlerError as error:
            log.warning("The run of %s has ended and could not release its lease. %s", self._source, error)


def take_lease(
    store: Store, source: str, holder: str, timezone: tzinfo, backfill_wait: float = MAX_BACKFILL_WAIT
) -> None:
    """Take the lease; raise SourceLocked when another run has it and is alive.

    A window of a backfill gives way: wait for its end for up to `backfill_wait` seconds.

    A holder on another host may be dead: it is watched until it sends a heartbeat, or has been silent for so long that
    it is replaced. So the first start after a host died is late by less than a minute, and not lost.
    """
    first: Lease | None = None
    wait_end = time.monotonic() + backfill_wait
    while True:
        is_worth_waiting = time.monotonic() < wait_end and is_backfill_running(store, source)  # It may end meanwhile.
        lease = store.leases.acquire(source, holder)
        if lease.holder == holder:
            return
        if is_worth_waiting:
            time.sleep(BACKFILL_POLL_SECONDS)
            continue
        first = first or lease
        if lease.is_certainly_alive or (lease.holder, lease.heartbeat_at) != (first.holder, first.heartbeat_at):
            raise SourceLocked(lease.format_conflict(timezone))
        time.sleep(LEASE_POLL_SECONDS)


def is_backfill_running(store: Store, source: str) -> bool:
    """Whether the run of a source that is in progress, or begins next, is a window of a backfill."""
    run = store.runs.get_last(source)
    if run is not None and run.finished_at is None:
        return run.mode == BACKFILL_MODE
    return store.leases.get_active(get_walk_lease(source)) is not None

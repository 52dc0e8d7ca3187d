"""lease: one run a source, whatever processes and hosts there are."""

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

from crawler.errors import CrawlerError, SourceLocked
from crawler.source import SourceSpider, give_up, need_run
from crawler.store import HEARTBEAT_SECONDS, Lease, Store, get_store
from crawler.text.dates import load_time_zone

LEASE_POLL_SECONDS = 2.0
"""Seconds between two looks at a holder of which it is not known whether it lives."""
log = logging.getLogger(__name__)


class LeaseExtension:
    """Takes the source's lease before the engine is made, or ends the run; gives it up when the engine has stopped.

    The heart is a thread: it must beat also while the run judges sameness or waits for a lock. A run that hangs is
    ended by its limits, not for want of a beat.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store = get_store(crawler)
        assert isinstance(crawler.spider, SourceSpider)
        self.source, self.holder = crawler.spider.name, uuid.uuid4().hex
        self.is_over = threading.Event()
        take_lease(self.store, self.source, self.holder, load_time_zone(crawler.settings["CRAWLER_CONFIG"].timezone))
        self.heartbeat_thread = threading.Thread(target=self.send_heartbeats, name="lease", daemon=True)
        self.heartbeat_thread.start()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components; a replay or a dry run needs none, it harms nobody."""
        need_run(crawler)
        if crawler.settings.getbool("CRAWLER_REPLAY") or crawler.settings.getbool("CRAWLER_DRY_RUN"):
            raise NotConfigured
        extension = cls(crawler)
        crawler.signals.connect(extension.engine_stopped, signals.engine_stopped)
        return extension

    def send_heartbeats(self) -> None:
        """Keep the lease alive until the run is over, or until somebody else has it."""
        while not self.is_over.wait(HEARTBEAT_SECONDS):
            try:
                if not self.store.leases.renew(self.source, self.holder):
                    self.handle_lost_lease()
                    return
            except CrawlerError as error:  # the next beat may be heard again; nothing can be stored meanwhile
                log.warning("The run of %s could not say that it lives. %s", self.source, error)

    def handle_lost_lease(self) -> None:
        """End the run in order: two would get into each other's way."""
        from twisted.internet import reactor

        new = self.store.leases.get(self.source)
        who = f"process {new.pid} on host {new.host} has it" if new else "somebody gave it up"
        error = SourceLocked(
            f"The run of {self.source} was silent for too long and lost its lease ({who}); it ends, and what it has "
            "not stored is left to the other. Was the machine asleep, or the database away?"
        )
        reactor.callFromThread(give_up, self.crawler.spider, error)

    def engine_stopped(self) -> None:
        """Give the lease up. Where that fails, the next run sees by itself that this process is gone."""
        self.is_over.set()
        self.heartbeat_thread.join()
        try:
            self.store.leases.release(self.source, self.holder)
        except CrawlerError as error:
            log.warning("The run of %s is over, which could not be written down. %s", self.source, error)


def take_lease(store: Store, source: str, holder: str, timezone: tzinfo) -> None:
    """Take the lease; Held when another run has it and lives.

    A holder that cannot be seen from here may be dead: it is watched until it beats, or has been silent for so long
    that it is replaced. So the start after a host died is late by less than a minute, and not lost.
    """
    first: Lease | None = None
    while True:
        lease = store.leases.acquire(source, holder)
        if lease.holder == holder:
            return
        first = first or lease
        if lease.is_certainly_alive or (lease.holder, lease.heartbeat_at) != (first.holder, first.heartbeat_at):
            raise SourceLocked(lease.format_conflict(timezone))
        time.sleep(LEASE_POLL_SECONDS)

"""During and after a run: index the stored versions that the full-text index does not have yet.

New versions are indexed when they are saved. Others wait after an upgrade from a version without the index, after
`crawler store reindex`, and after a copy from another kind of database.
"""

from __future__ import annotations

import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from twisted.internet.task import LoopingCall

from crawler.context.run_context import SHUTDOWN, RunContext
from crawler.errors import CrawlerError
from crawler.store.stories import make_deadline
from crawler.text.counts import format_count

SECONDS_BETWEEN_BATCHES = 0.5
"""A batch takes a twentieth of a second, so most of the reactor's time is left to the crawl."""
MAX_FINAL_SECONDS = 60.0
"""Longest indexing after the run. The rest waits for idle time, or for the next run."""

log = logging.getLogger(__name__)


class SearchIndexExtension:
    """Indexes a batch of waiting versions now and then while the spider waits for pages, and more after it."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.loop = LoopingCall(self._index_batch)
        self._has_failed = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension for a source's run."""
        extension = cls(RunContext.from_source_run(crawler))
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_opened(self) -> None:
        """Begin, if versions wait. Log how many."""
        if not self._context.can_write or not self._context.store.search.has_waiting():
            return
        waiting = format_count(self._context.store.search.get_state().waiting, "stored version")
        log.info("%s will be added to the full-text index in the background", waiting)
        self.loop.start(SECONDS_BETWEEN_BATCHES, now=False)

    def spider_closed(self, reason: str) -> None:
        """Index what waits, for a limited time, unless a signal ended the run.

        The articles are stored: an error here only delays their indexing.
        """
        if not self.loop.running:
            return
        self.loop.stop()
        if reason == SHUTDOWN or self._context.has_given_up or self._has_failed:
            return
        self._index(MAX_FINAL_SECONDS)
        state = self._context.store.search.get_state()
        log.info("%s in the full-text index, %d wait", format_count(state.indexed, "version"), state.waiting)

    def _index_batch(self) -> None:
        if not self._has_failed:
            self._index(0)

    def _index(self, seconds: float) -> None:
        """Index for so many seconds, at least one batch."""
        try:
            self._context.store.search.index_pending(make_deadline(seconds))
        except CrawlerError as error:
            self._has_failed = True
            # One sentence, no traceback.
            log.error("%s: stored versions could not be indexed. The next run retries. %s", self._context.source, error)  # noqa: TRY400

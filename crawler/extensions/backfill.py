"""Lead a window of a backfill from page to page, and end it when another run of the source is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider, NotConfigured

from crawler.context.run_context import RunContext
from crawler.spiders.base import SourceSpider
from crawler.spiders.listing_coverage import FullTextListingSpider


class BackfillExtension:
    """Requests the next page when the spider is idle: then every article of the last one is stored, or failed."""

    def __init__(self, crawler: Crawler, context: RunContext) -> None:
        self._crawler, self._context = crawler, context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension; raise NotConfigured unless the run is a window of a backfill."""
        context = RunContext.from_source_run(crawler)
        if context.backfill_window is None:
            raise NotConfigured
        extension = cls(crawler, context)
        crawler.signals.connect(extension.spider_idle, signals.spider_idle)
        return extension

    def spider_idle(self, spider: SourceSpider) -> None:
        """Record the page that is read and request the next one. At the end of the window let the spider close."""
        walk, engine = spider.walk, self._crawler.engine
        if walk is None or engine is None:
            return
        with self._context.give_up_without_store():
            walk.should_yield = self._is_start_due()
            requests = walk.advance()
            for request in requests:
                if isinstance(spider, FullTextListingSpider):
                    spider.expect_answer()
                engine.crawl(request)
            if requests:
                raise DontCloseSpider

    def _is_start_due(self) -> bool:
        """Whether a scheduled run of the source is due or waits since this run began."""
        row = self._context.store.schedules.get(self._context.source)
        if row is None or row.paused:
            return False
        begun, now = self._context.started_at, datetime.now(UTC)
        is_waiting = row.last_started_at is not None and row.last_started_at >= begun
        return is_waiting or (row.next_due_at is not None and begun <= row.next_due_at <= now)

"""sameness: after a run, what is new is judged against what is stored: copies, near-copies and stories."""

from __future__ import annotations

import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler

from crawler.config import Config
from crawler.errors import CrawlerError
from crawler.similarity.semantic import load_embedding
from crawler.source import SourceSpider, need_run
from crawler.store import get_store
from crawler.text.dates import load_time_zone

MAX_CLUSTERING_SECONDS = 60.0
"""Longest judging after a run; what is left then waits for the next run, or for `crawler stories`."""

log = logging.getLogger(__name__)


class ClusteringExtension:
    """Settles which articles are one text and which one story, once the spider has closed."""

    def __init__(self, crawler: Crawler) -> None:
        self.store = get_store(crawler)
        config: Config = crawler.settings["CRAWLER_CONFIG"]
        self.zone = load_time_zone(config.timezone)
        self.semantic = config.semantic
        self.dry = crawler.settings.getbool("CRAWLER_DRY_RUN")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        need_run(crawler)
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_closed(self, spider: SourceSpider) -> None:
        """Judge what waits. The run's articles are safe by now: a store that fails here costs only the judging."""
        if self.dry or spider.has_given_up:
            return
        try:
            reads = load_embedding() if self.semantic else None
            done = self.store.stories.clusters__assign_pending(
                self.zone, max_seconds=MAX_CLUSTERING_SECONDS, embedding=reads
            )
        except CrawlerError as error:
            log.error("What %s brought is stored but not judged; the next run tries again. %s", spider.name, error)  # noqa: TRY400 - one sentence, no traceback
            return
        left = self.store.stories.clusters__count_pending()
        log.info("%s: %d articles judged for sameness, %d left for the next run", spider.name, done, left)

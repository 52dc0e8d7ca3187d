"""After a run: find near-duplicates and stories of the articles that an alert may depend on.

All other articles wait: for idle time of the service, or for the first command that needs stories.
"""

from __future__ import annotations

import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler

from crawler.context.run_context import SHUTDOWN, RunContext
from crawler.errors import CrawlerError
from crawler.similarity.semantic import load_embedding
from crawler.store.stories import make_deadline
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone

MAX_CLUSTERING_SECONDS = 60.0
"""Longest clustering after a run. The rest waits for the next run, or for the notifications."""

log = logging.getLogger(__name__)


class ClusteringExtension:
    """Assigns urgent articles to clusters and stories once the spider has closed."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension for a source's run."""
        extension = cls(RunContext.from_source_run(crawler))
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_closed(self, reason: str) -> None:
        """Cluster the urgent articles, unless a signal ended the run.

        They are stored by now: an error here only delays their clustering.
        """
        context = self._context
        if reason == SHUTDOWN or not context.can_write or context.has_given_up:
            return
        clusters = context.store.clusters
        try:
            done = clusters.assign_pending(
                load_time_zone(context.config.timezone),
                only_urgent=True,
                should_stop=make_deadline(MAX_CLUSTERING_SECONDS),
                embedding=load_embedding() if context.config.semantic else None,
                # Documents of the run have no embedding.
                documents=None if context.config.semantic else context.documents,
            )
        except CrawlerError as error:
            # One sentence, no traceback.
            log.error("%s: new articles are stored, not clustered. The next run retries. %s", context.source, error)  # noqa: TRY400
            return
        log.info("%s clustered, %d wait", format_count(done, "article"), clusters.count_pending())

"""Store articles: the last stage, and the only one that writes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cached_property
from typing import Self

from scrapy.crawler import Crawler

from crawler.context.drops import ArticleUnchanged
from crawler.context.run_context import RunContext
from crawler.items import Article, Verdict
from crawler.monitoring.run_counts import RunCount, get_count_name
from crawler.pipelines.alert_policy import AlertPolicy
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.similarity.preparation import prepare_article
from crawler.spiders.base import SourceSpider
from crawler.store import HttpCacheEntry
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone

KNOWN_COUNT = "known"
"""Count of listed articles that were not requested, because they are stored and not due."""
log = logging.getLogger(__name__)


class StorePipeline:
    """Stores every article, matched or not. Of an unchanged one it stores only when it was last seen, and drops it."""

    def __init__(self, context: RunContext, spider: SourceSpider) -> None:
        self._context, self._spider = context, spider
        self._zone = load_time_zone(context.config.timezone)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the stage for a source's run."""
        context = RunContext.from_source_run(crawler)
        assert isinstance(crawler.spider, SourceSpider)
        return cls(context, crawler.spider)

    @cached_property
    def _alert_policy(self) -> AlertPolicy:
        return AlertPolicy(self._context, self._spider)

    def process_item(self, item: Article) -> Article:
        """Return the stored article; raise an ArticleDropped for one that goes no further."""
        context = self._context
        cache_entry = context.article_cache_entries.pop(item.snapshot, None) if item.snapshot else None
        with context.drop_without_store(item):
            if context.can_write:
                self._save_article(item, cache_entry)
        context.increment_stat(get_count_name(item.verdict))
        if item.verdict is Verdict.UNCHANGED and not context.keeps_unchanged:
            raise ArticleUnchanged(f"{item.id} is stored with this text already", is_matched=item.is_matched)
        return item

    def close_spider(self) -> None:
        """Log how many articles `scrapy crawl -O FILE` did not export because the store has them already."""
        context, crawler = self._context, self._context.crawler
        if context.keeps_unchanged or crawler is None or not crawler.settings.getdict("FEEDS"):
            return
        names = (get_count_name(Verdict.UNCHANGED), KNOWN_COUNT, RunCount.NOT_MODIFIED)
        if count := sum(map(context.get_stat, names)):
            were = "was" if count == 1 else "were"
            articles = format_count(count, "unchanged article")
            log.warning("%s %s not exported; -a all=true exports them", articles, were)

    def _save_article(self, item: Article, cache_entry: HttpCacheEntry | None) -> None:
        """Write the article, its fingerprint, its page's cache entry and its event, in one transaction."""
        run = self._context.run
        prepared = None
        if item.verdict is not Verdict.UNCHANGED:
            prepared = prepare_article(item, self._zone)
            if item.matches:  # it is compared at the end of the run
                self._context.documents.add(item.id, item.version or 1, prepared.document)
        self._context.known_articles.forget(item.source, item.native_id)
        self._context.store.articles.save(
            item,
            content_hash=hash_revision(item),
            copy_hash=hash_body(item),
            run_id=run.id if run else None,
            seen_at=item.fetched_at or datetime.now(UTC),
            cache_entry=cache_entry,
            suppressed_because=self._alert_policy.get_suppression_reason(item),
            prepared=prepared,
        )

"""store: the last stage, and the only one that writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from crawler.errors import CrawlerError
from crawler.items import Article, Verdict
from crawler.pipelines.alert_policy import AlertPolicy
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.source import SourceSpider, give_up, need_run
from crawler.store import HttpCacheEntry, get_store


class StorePipeline:
    """Every article is kept, matched or not; an unchanged one is only noted as seen, then dropped from the stream."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store = get_store(crawler)
        self.dry = crawler.settings.getbool("CRAWLER_DRY_RUN")
        self.replay = crawler.settings.getbool("CRAWLER_REPLAY")
        self.newness: AlertPolicy | None = None
        self.keep_unchanged = crawler.settings.getbool("CRAWLER_KEEP_UNCHANGED")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        need_run(crawler)
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """The stored article; DropItem for one that is stored already as it is."""
        spider = self.crawler.spider
        assert isinstance(spider, SourceSpider)
        memory = spider.article_memories.pop(item.snapshot, None) if item.snapshot else None
        if spider.has_given_up:
            raise DropItem(f"{item.id} is left for the next run", log_level="DEBUG")
        if not self.dry:
            try:
                self._save_article(item, spider, memory)
            except CrawlerError as error:  # a full disk, a lock held for half a minute: the next page would fare alike
                give_up(spider, error)
                raise DropItem(f"{item.id} could not be stored", log_level="INFO") from error
        spider.increment_stat(f"articles/{item.verdict}")
        if item.verdict is Verdict.UNCHANGED and not self.keep_unchanged:
            raise DropItem(f"{item.id} is stored already as it is", log_level="DEBUG")
        return item

    def _save_article(self, item: Article, spider: SourceSpider, memory: HttpCacheEntry | None) -> None:
        """Write the article, what to remember of its page, and the news, in one transaction."""
        self.newness = self.newness or AlertPolicy(self.store, spider, replay=self.replay)
        self.store.articles.save(
            item,
            content_hash=hash_revision(item),
            copy_hash=hash_body(item),
            run_id=spider.run.id if spider.run else None,
            seen_at=item.fetched_at or datetime.now(UTC),
            cache_entry=memory,
            suppressed_because=self.newness.get_suppression_reason(item),
        )

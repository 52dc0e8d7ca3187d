"""Store articles: the last stage, and the only one that writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple, Self

from scrapy.crawler import Crawler

from crawler.context.drops import ArticleUnchanged
from crawler.context.run_context import RunContext
from crawler.items import Article, Verdict
from crawler.monitoring.run_counts import RunCount, get_count_name
from crawler.pipelines.alert_policy import AlertPolicy
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.similarity.preparation import PreparedArticle, prepare_article
from crawler.spiders.base import SourceSpider
from crawler.store import HttpCacheEntry
from crawler.text.counts import format_count
from crawler.text.dates import load_time_zone

KNOWN_COUNT = "known"
"""Count of listed articles that were not requested, because they are stored and not due."""
MAX_WRITTEN_TOGETHER = 32
"""Articles written in one transaction. It writes a page of the file once, whichever of them change it: 16 cost an
eighth more each. More would cost as much, and their texts are in memory meanwhile."""
QUIET_TURNS = 6
"""Turns of the event loop that a page takes at most from its last byte to this stage. Idle ones take microseconds."""
log = logging.getLogger(__name__)


class _WaitingArticle(NamedTuple):
    """An article that waits to be written, with what is written beside it. `written` ends with it."""

    article: Article
    prepared: PreparedArticle | None
    cache_entry: HttpCacheEntry | None
    written: asyncio.Future[None]


class StorePipeline:
    """Stores every article, matched or not. Of an unchanged one it stores only when it was last seen, and drops it.

    The articles of pages that arrive together are written in one transaction, for which each of them waits. So none is
    reported before it is stored. If the transaction fails, each is written by itself: a fault of one harms no other.
    """

    def __init__(self, context: RunContext, spider: SourceSpider) -> None:
        self._context, self._spider = context, spider
        self._zone = load_time_zone(context.config.timezone)
        self._waiting: list[_WaitingArticle] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the stage for a source's run."""
        context = RunContext.from_source_run(crawler)
        assert isinstance(crawler.spider, SourceSpider)
        return cls(context, crawler.spider)

    @cached_property
    def _alert_policy(self) -> AlertPolicy:
        return AlertPolicy(self._context, self._spider)

    async def process_item(self, item: Article) -> Article:
        """Return the stored article; raise an ArticleDropped for one that goes no further."""
        loop = asyncio.get_running_loop()
        waiting = _WaitingArticle(item, self._prepare(item), self._take_cache_entry(item), loop.create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            loop.call_soon(self._write_when_complete, 1, 0)
        await waiting.written
        return self._count(item)

    def store_item(self, item: Article) -> Article:
        """Do the same as `process_item` at once, without an event loop."""
        self._save(item, self._prepare(item), self._take_cache_entry(item))
        return self._count(item)

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

    def _take_cache_entry(self, item: Article) -> HttpCacheEntry | None:
        return self._context.article_cache_entries.pop(item.snapshot, None) if item.snapshot else None

    def _prepare(self, item: Article) -> PreparedArticle | None:
        """Return the text prepared for clustering, if it may be a new one."""
        context = self._context
        if item.verdict is Verdict.UNCHANGED or context.has_given_up or not context.can_write:
            return None
        prepared = prepare_article(item, self._zone)
        if item.matches:  # it is compared at the end of the run
            context.documents.add(item.id, item.version or 1, prepared.document)
        return prepared

    def _count(self, item: Article) -> Article:
        context = self._context
        context.increment_stat(get_count_name(item.verdict))
        if item.verdict is Verdict.UNCHANGED and not context.keeps_unchanged:
            raise ArticleUnchanged(f"{item.id} is stored with this text already", is_matched=item.is_matched)
        return item

    def _write_when_complete(self, known: int, quiet_turns: int) -> None:
        """Write what waits, if no page is on its way: nothing came in the last turns of the event loop.

        `known` waited in the turn before this one, and `quiet_turns` brought nothing.
        """
        loop, number = asyncio.get_running_loop(), len(self._waiting)
        quiet_turns = 0 if number > known else quiet_turns + 1
        if quiet_turns < QUIET_TURNS and number < MAX_WRITTEN_TOGETHER:
            loop.call_soon(self._write_when_complete, number, quiet_turns)
            return
        waiting, self._waiting = self._waiting[:MAX_WRITTEN_TOGETHER], self._waiting[MAX_WRITTEN_TOGETHER:]
        errors: Sequence[BaseException | None]
        try:
            errors = self._write(waiting)
        except BaseException as stop:  # noqa: BLE001 - else the articles would wait for ever, and the run with them
            errors = [stop] * len(waiting)
        for each, error in zip(waiting, errors, strict=True):
            if each.written.done():  # the run was stopped
                continue
            if error is None:
                each.written.set_result(None)
            else:
                each.written.set_exception(error)
        if self._waiting:
            loop.call_soon(self._write_when_complete, len(self._waiting), 0)

    def _write(self, waiting: Sequence[_WaitingArticle]) -> list[Exception | None]:
        """Write articles. Return the error of each one that could not be written."""
        if len(waiting) > 1 and self._write_together(waiting):
            return [None] * len(waiting)
        errors: list[Exception | None] = []
        for each in waiting:
            try:
                self._save(each.article, each.prepared, each.cache_entry)
                errors.append(None)
            except Exception as error:  # noqa: BLE001 - raised where the article waits
                errors.append(error)
        return errors

    def _write_together(self, waiting: Sequence[_WaitingArticle]) -> bool:
        """Write all articles, or none and return False."""
        context = self._context
        if not context.can_write or context.has_given_up:
            return False
        try:
            with context.store.transaction():
                for each in sorted(waiting, key=_get_index_place):
                    self._save_article(each.article, each.prepared, each.cache_entry)
        except Exception:  # noqa: BLE001 - whatever it is, the articles are written one by one, and one raises it again
            return False
        return True

    def _save(self, item: Article, prepared: PreparedArticle | None, cache_entry: HttpCacheEntry | None) -> None:
        """Write the article, its fingerprint, its page's cache entry and its event, in one transaction."""
        with self._context.drop_without_store(item):
            if self._context.can_write:
                self._save_article(item, prepared, cache_entry)

    def _save_article(
        self, item: Article, prepared: PreparedArticle | None, cache_entry: HttpCacheEntry | None
    ) -> None:
        run = self._context.run
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


def _get_index_place(waiting: _WaitingArticle) -> tuple[int, datetime]:
    """Return the place in the order in which SQLite's full-text index writes entries together: the oldest first.

    A later version of an article comes after the former ones, whatever its time.
    """
    article = waiting.article
    return article.version or 1, article.published_at or article.fetched_at or datetime.now(UTC)

"""known: what the store knows of an address spares the site a request, or makes it a conditional one.

A known article is asked for when `revisits` says so, with the validators (ETag, Last-Modified) of its last stored
visit, so that a quiet edit is seen and an unchanged page costs 304. When the lists are read, articles due that are on
none of them are asked for too. A response's validators are remembered with its article, in one transaction: never for
a page that was not stored.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.http import Response

from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef
from crawler.middlewares.deletions import DeletionPolicy
from crawler.middlewares.recrawl import CONDITIONAL_HEADERS, RecrawlPolicy
from crawler.source import FullTextListingSpider, SourceSpider, need_run
from crawler.store import HttpCacheEntry, get_store


class ConditionalRequestMiddleware:
    """A downloader middleware near the spider: what it turns away costs nothing further down."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store = get_store(crawler)
        self.replay = crawler.settings.getbool("CRAWLER_REPLAY")
        self.complete: int | None = None
        self.off_list: bool | None = None
        self.listed: DeletionPolicy | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        need_run(crawler)
        middleware = cls(crawler)
        crawler.signals.connect(middleware.spider_opened, signals.spider_opened)
        crawler.signals.connect(middleware.spider_idle, signals.spider_idle)
        return middleware

    def spider_opened(self, spider: SourceSpider) -> None:
        """Give the spider its question "did an earlier whole run store one of these?"."""
        self.complete = self.store.runs.get_last_complete_id(spider.name)
        spider.settled = self.settled
        now = datetime.now(UTC)
        self.revisits = RecrawlPolicy(self.store, spider, now)
        if self.replay:
            return
        spider.gone = self.revisits.make_unpublished
        if isinstance(spider, FullTextListingSpider):
            self.listed = DeletionPolicy(self.store, spider, now)
            spider.read_back_to, spider.missing = self.listed.get_read_back_limit(), self.listed.find_deleted

    def spider_idle(self, spider: SourceSpider) -> None:
        """When everything listed was read: ask for articles due that no list named, then keep what was found.

        Not in a run for one address, a time or a number of articles; nor when a list failed, which says that the site
        is not well. Only now is it known what the lists named, under which address.
        """
        if self.replay or self.off_list is False or spider.has_given_up:
            return
        asked = (
            spider.is_single_url
            or spider.since
            or spider.limit
            or spider.has_failed_listing
            or not spider.has_article_urls
        )
        urls = [] if asked or self.off_list else list(self.revisits.list_unlisted_due())
        engine = self.crawler.engine
        assert engine is not None
        for url in urls:
            spider.increment_stat("revisits")
            engine.crawl(spider.make_request(url, meta={"article": True, "revisit": True}))
        self.off_list = bool(urls)
        if urls:
            raise DontCloseSpider
        for each in (self.revisits, self.listed):
            if each:
                each.save_findings(dry=self.crawler.settings.getbool("CRAWLER_DRY_RUN"))

    def settled(self, native_ids: Collection[str]) -> bool:
        """Whether one of the ids was stored by a run not later than the last that read its lists to the end.

        What a killed run stored does not count: behind it may lie articles that it never reached.
        """
        if self.complete is None:
            return False
        known = self.store.articles.get_states(self.spider.name, native_ids)
        return any(
            article.first_run_id is not None and article.first_run_id <= self.complete
            for articles in known.values()
            for article in articles
        )

    def process_request(self, request: Request) -> None:
        """Turn away an old article; make a known address's request conditional."""
        if request.method != "GET" or self.replay:
            return
        url = self.spider.to_public_url(request.url)
        if request.meta.get("article") and not request.meta.get("revisit") and not self.revisits.is_due(url):
            self.spider.increment_stat("known")
            raise IgnoreRequest("known, and not due to be looked at again")
        memory = self.store.http_cache.get(self.spider.name, url)
        if memory is None or request.meta.get("unconditional") or self.revisits.is_suspected_gone(url):
            return
        request.meta["memory"] = memory
        for name, value in zip(CONDITIONAL_HEADERS, (memory.etag, memory.last_modified), strict=True):
            if value:
                request.headers.setdefault(name, value)

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Note what to remember of the response, should it be stored; an unmodified list is read again as archived."""
        if self.replay:
            return response
        now = request.meta.setdefault("fetched_at", datetime.now(UTC).replace(microsecond=0))
        if request.method != "GET":
            return response
        memory: HttpCacheEntry | None = request.meta.get("memory")
        if response.status in (200, 304) and not request.meta.get("listing"):
            self.revisits.record_answer(self.spider.to_public_url(request.url), now)
        if response.status == 304 and memory is not None:
            self.spider.list_memories.append(replace(memory, checked_at=now))
            return self.restore_unmodified(request, response, memory) if request.meta.get("listing") else response
        if response.status == 200:
            request.meta["next_memory"] = self.make_cache_entry(request, response, now)
        return response

    def restore_unmodified(self, request: Request, response: Response, memory: HttpCacheEntry) -> Response | Request:
        """A list that did not change, as it stands in the archive: the articles on it may have changed all the same.

        Where the archive cannot give it, the list is asked for once more, without conditions.
        """
        root = self.crawler.settings.get("CRAWLER_ARCHIVE_DIR")
        if root and memory.record_file and memory.record_offset is not None:
            ref = SnapshotRef(file=memory.record_file, offset=memory.record_offset, digest=memory.digest or "")
            try:
                stored = read_snapshot_at(Path(root), ref)
            except (ArchiveError, OSError):
                stored = None
            if stored is not None:
                headers = {name: value for name, value in stored.headers.items() if name != "content-encoding"}
                return response.replace(status=200, body=stored.body, headers=headers)
        request = request.replace(dont_filter=True)
        for name in CONDITIONAL_HEADERS:
            request.headers.pop(name, None)
        request.meta["unconditional"] = True
        return request

    def make_cache_entry(self, request: Request, response: Response, fetched_at: datetime) -> HttpCacheEntry:
        """What the next run should know of this response."""
        original = request.meta.get("original")  # the record that holds the bytes, also after a revisit
        return HttpCacheEntry(
            source=self.spider.name,
            url=self.spider.to_public_url(request.url),
            etag=_get_header(response, "ETag"),
            last_modified=_get_header(response, "Last-Modified"),
            digest=original.digest if original else None,
            record_file=original.file if original else None,
            record_offset=original.offset if original else None,
            record_date=original.date if original else None,
            checked_at=fetched_at,
            status=response.status,
        )

    @property
    def spider(self) -> SourceSpider:
        """The run's spider."""
        assert isinstance(self.crawler.spider, SourceSpider)
        return self.crawler.spider


def _get_header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None

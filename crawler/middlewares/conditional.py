"""Skip or make conditional the requests for addresses that the store knows.

A known article is requested when `recrawl` says that it is due, with the validators (ETag, Last-Modified) of its last
stored answer: so a quiet edit is seen, and an unchanged page costs a 304. When the lists are read, articles that are
due and on no list are requested too. A response's validators are stored with its article, in one transaction: never
for a page that was not stored.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.http import Response

from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.archive.spooled_archive import open_archive
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import KnownPagePolicy, ListDeletionPolicy, RunContext
from crawler.errors import ArchiveError
from crawler.items import SnapshotRef
from crawler.middlewares.recrawl import CONDITIONAL_HEADERS
from crawler.spiders.base import SourceSpider
from crawler.store import HttpCacheEntry


class ConditionalRequestMiddleware:
    """A downloader middleware near the spider: what it drops costs nothing further down. A replay drops nothing."""

    def __init__(self, crawler: Crawler, context: RunContext) -> None:
        self._crawler, self._context = crawler, context
        folder: str | None = crawler.settings.get("CRAWLER_ARCHIVE_DIR")
        self._archive = open_archive(Path(folder), context.config.objects) if folder else None
        self._policies: list[KnownPagePolicy | ListDeletionPolicy] = []
        self._requested_unlisted: bool | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware for a source's run."""
        middleware = cls(crawler, RunContext.from_source_run(crawler))
        crawler.signals.connect(middleware.spider_opened, signals.spider_opened)
        crawler.signals.connect(middleware.spider_idle, signals.spider_idle)
        return middleware

    def spider_opened(self) -> None:
        """Make the policies now: they compare with the store as it is when the run begins."""
        with self._context.give_up_without_store():
            self._policies = [each for each in (self._recrawl, self._context.deletion_policy) if each]

    def spider_idle(self, spider: SourceSpider) -> None:
        """When all lists are read: request the articles due that no list named, then store what was found.

        Not in a run for one address, a time or a number of articles; nor when a list failed, because the site is not
        well then. Only now is it known which articles the lists named, and under which address.
        """
        with self._context.give_up_without_store():
            self._finish_lists(spider)

    def _finish_lists(self, spider: SourceSpider) -> None:
        if self._recrawl is None or self._requested_unlisted is False or self._context.has_given_up:
            return
        is_whole_run = not (spider.is_single_url or spider.since or spider.limit or self._context.has_failed_listing)
        is_first_time = self._requested_unlisted is None
        urls = (
            list(self._recrawl.list_unlisted_due())
            if is_whole_run and is_first_time and spider.has_article_urls
            else []
        )
        engine = self._crawler.engine
        assert engine is not None
        for url in urls:
            self._context.increment_stat("revisits")
            engine.crawl(spider.make_request(url, RequestMeta(is_article=True, is_recrawl=True)))
        self._requested_unlisted = bool(urls)
        if urls:
            raise DontCloseSpider
        for policy in self._policies:
            policy.save_findings()

    def process_request(self, request: Request) -> None:
        """Drop the request for an article that is not due; make the request for a known address conditional."""
        if self._context.has_given_up:
            raise IgnoreRequest("The run has given up.")
        if request.method != "GET" or self._recrawl is None:
            return
        meta = RequestMeta.from_request(request)
        if meta.cache_entry is not None:  # of the address that redirected here, or of an earlier try
            _remove_validators(request)
        url = self._spider.to_public_url(request.url)
        if self._context.keeps_unchanged and not meta.is_listing:
            return  # the article itself is wanted, so a known one is requested whole
        if meta.is_article and not meta.is_recrawl and not self._recrawl.claim_if_due(url):
            self._context.increment_stat("known")
            raise IgnoreRequest("The article is known and not due.")
        if self._recrawl.is_new(url):
            return  # no look-up: an article's validators are stored together with it
        entry = self._context.store.http_cache.get(self._context.source, url)
        if entry is None or meta.is_unconditional or self._recrawl.was_gone_last_time(url):
            return
        RequestMeta.update(request, cache_entry=entry)
        for name, value in zip(CONDITIONAL_HEADERS, (entry.etag, entry.last_modified), strict=True):
            if value:
                request.headers.setdefault(name, value)

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Note what to store of the response. An unmodified list is read again from the archive."""
        if self._context.mode.is_replay:
            return response
        meta = RequestMeta.from_request(request)
        fetched_at = meta.fetched_at or datetime.now(UTC).replace(microsecond=0)
        RequestMeta.update(request, fetched_at=fetched_at)
        if request.method != "GET" or self._recrawl is None:
            return response
        if response.status == 304 and meta.cache_entry is not None:
            self._context.listing_cache_entries.append(replace(meta.cache_entry, checked_at=fetched_at))
            return self._restore_unmodified(request, response, meta.cache_entry) if meta.is_listing else response
        if response.status == 200:
            RequestMeta.update(request, next_cache_entry=self._make_cache_entry(request, response, fetched_at))
        return response

    def _restore_unmodified(self, request: Request, response: Response, entry: HttpCacheEntry) -> Response | Request:
        """Return a list that did not change with its archived body: the articles on it may have changed.

        Where the archive does not have it, return the request without conditions.
        """
        if self._archive is not None and entry.record_file and entry.record_offset is not None:
            ref = SnapshotRef(file=entry.record_file, offset=entry.record_offset, digest=entry.digest or "")
            try:
                archived = read_snapshot_at(self._archive, ref)
            except (ArchiveError, OSError):
                archived = None
            if archived is not None:
                headers = {name: value for name, value in archived.headers.items() if name != "content-encoding"}
                return response.replace(status=200, body=archived.body, headers=headers)
        request = request.replace(dont_filter=True)
        RequestMeta.update(request, is_unconditional=True)
        return request

    def _make_cache_entry(self, request: Request, response: Response, fetched_at: datetime) -> HttpCacheEntry:
        """Return what the next run should know of this response."""
        original = RequestMeta.from_request(
            request
        ).original  # the record that holds the payload, also after a revisit record
        return HttpCacheEntry(
            source=self._context.source,
            url=self._spider.to_public_url(request.url),
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
    def _spider(self) -> SourceSpider:
        assert isinstance(self._crawler.spider, SourceSpider)
        return self._crawler.spider

    @property
    def _recrawl(self) -> KnownPagePolicy | None:
        return self._context.recrawl_policy


def _remove_validators(request: Request) -> None:
    for name in CONDITIONAL_HEADERS:
        request.headers.pop(name, None)
    RequestMeta.update(request, cache_entry=None)


def _get_header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None

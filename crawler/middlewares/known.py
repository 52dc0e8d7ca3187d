"""known: what the store knows of an address spares the site a request, or makes it a conditional one.

An article first seen longer ago than `recheck_days` is not asked for again; a younger one is, with the validators
(ETag, Last-Modified) of its last stored visit, so that a quiet edit is seen and an unchanged page costs 304. A
response's validators are remembered with its article, in one transaction: never for a page that was not stored.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.source import SourceSpider
from crawler.store import Memory, session


class KnownMiddleware:
    """A downloader middleware near the spider: what it turns away costs nothing further down."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store = session(crawler)
        self.complete: int | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.spider_opened, signals.spider_opened)
        return middleware

    def spider_opened(self, spider: SourceSpider) -> None:
        """Give the spider its question "did an earlier whole run store one of these?"."""
        self.complete = self.store.runs.last_complete_id(spider.name)
        spider.settled = self.settled

    def settled(self, native_ids: Collection[str]) -> bool:
        """Whether one of the ids was stored by a run not later than the last that read its lists to the end.

        What a killed run stored does not count: behind it may lie articles that it never reached.
        """
        if self.complete is None:
            return False
        known = self.store.articles.known(self.spider.name, native_ids)
        return any(
            article.first_run_id is not None and article.first_run_id <= self.complete
            for articles in known.values()
            for article in articles
        )

    def process_request(self, request: Request) -> None:
        """Turn away an old article; make a known address's request conditional."""
        if request.method != "GET" or self.crawler.settings.getbool("CRAWLER_REPLAY"):
            return
        url = self.spider.inward(request.url)
        if request.meta.get("article") and not self.due(url):
            self.spider.count("known")
            raise IgnoreRequest("known for longer than recheck_days")
        memory = self.store.memory.get(self.spider.name, url)
        if memory is None:
            return
        request.meta["memory"] = memory
        if memory.etag:
            request.headers.setdefault("If-None-Match", memory.etag)
        if memory.last_modified:
            request.headers.setdefault("If-Modified-Since", memory.last_modified)

    def due(self, url: str) -> bool:
        """Whether an article's address is new, or young enough to be looked at again."""
        address = self.spider.site.identify(url)
        stored = self.store.articles.known(self.spider.name, [address.native_id]) if address else {}
        seen = [article.first_seen_at for articles in stored.values() for article in articles]
        days = self.spider.options.recheck_days
        return not seen or min(seen) > datetime.now(UTC) - timedelta(days=days)

    def process_response(self, request: Request, response: Response) -> Response:
        """Note what to remember of the response, should it be stored."""
        if request.method != "GET" or self.crawler.settings.getbool("CRAWLER_REPLAY"):
            return response
        now = request.meta.get("fetched_at") or datetime.now(UTC)
        memory: Memory | None = request.meta.get("memory")
        if response.status == 304 and memory is not None:
            self.spider.list_memories.append(replace(memory, checked_at=now))
        elif response.status == 200:
            request.meta["next_memory"] = self.fresh(request, response, now)
        return response

    def fresh(self, request: Request, response: Response, now: datetime) -> Memory:
        """What the next run should know of this response."""
        record = request.meta.get("record")
        return Memory(
            source=self.spider.name,
            url=self.spider.inward(request.url),
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
            digest=record.digest if record else None,
            record_file=record.file if record else None,
            record_offset=record.offset if record else None,
            record_date=now if record else None,
            checked_at=now,
            status=response.status,
        )

    @property
    def spider(self) -> SourceSpider:
        """The run's spider."""
        assert isinstance(self.crawler.spider, SourceSpider)
        return self.crawler.spider


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None

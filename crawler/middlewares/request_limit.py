"""Count the requests of a backfill, and drop those beyond the limit of the day."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured

from crawler.context.run_context import RunContext
from crawler.spiders.base import SourceSpider


class RequestLimitMiddleware:
    """Counts each request in the store before it is sent, retries too, so that no kill hides it from the limit."""

    def __init__(self, context: RunContext, spider: SourceSpider) -> None:
        self._context, self._spider = context, spider
        assert context.backfill_window is not None
        self._requests_left = context.backfill_window.max_requests

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raise NotConfigured unless the run is a window of a backfill."""
        context = RunContext.from_source_run(crawler)
        if context.backfill_window is None:
            raise NotConfigured
        assert isinstance(crawler.spider, SourceSpider)
        return cls(context, crawler.spider)

    def process_request(self, request: Request) -> None:
        """Count the request. Raise IgnoreRequest at the limit: the page of the walk is read again when it is over."""
        if self._requests_left is not None:
            if self._requests_left <= 0:
                if self._spider.walk:
                    self._spider.walk.is_cut_off = True
                raise IgnoreRequest("The limit of requests of the day is reached.")
            self._requests_left -= 1
        with self._context.give_up_without_store():
            day = datetime.now(self._spider.zone).date().isoformat()
            self._context.store.backfills.count_request(self._context.source, day)

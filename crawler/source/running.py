"""Whether a source is run at all (Scrapy builds the same parts for `scrapy shell`, `fetch`, `view`), or run on."""

from __future__ import annotations

import asyncio

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.errors import CrawlerError
from crawler.spiders.base import SourceSpider

GAVE_UP = "gave_up"
"""Scrapy's finish reason of a run that `give_up` ended; the problem it was given says why."""
_closing: set[asyncio.Task[None]] = set()


def need_run(crawler: Crawler) -> None:
    """NotConfigured where a person only looks at a page: then no part may store or keep anything."""
    if not isinstance(crawler.spider, SourceSpider):
        raise NotConfigured


def give_up(spider: SourceSpider, error: CrawlerError) -> None:
    """End the run for a reason that no further page can mend, such as a store that cannot be written."""
    if spider.has_given_up:
        return
    spider.has_given_up = True
    spider.report_problem(error)
    engine = spider.crawler.engine
    if engine is not None and engine.running:
        task = asyncio.get_event_loop().create_task(engine.close_spider_async(reason=GAVE_UP))
        _closing.add(task)  # a loop holds its tasks weakly
        task.add_done_callback(_closing.discard)

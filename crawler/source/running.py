"""Whether a source is run at all: Scrapy builds the same parts for `scrapy shell`, `fetch` and `view`."""

from __future__ import annotations

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.source.spider import SourceSpider


def need_run(crawler: Crawler) -> None:
    """NotConfigured where a person only looks at a page: then no part may store or keep anything."""
    if not isinstance(crawler.spider, SourceSpider):
        raise NotConfigured

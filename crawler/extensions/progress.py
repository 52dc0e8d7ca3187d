"""Report what happens in a run as plain events, live. The terminal's display and `--json` are made from them.

Events are dicts of plain JSON values: `page` (url, status), `article` (the whole article), `dropped` (id, verdict,
matched, reason), `problem` (kind, message, url, exit_code).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.context.drops import ArticleDropped
from crawler.context.run_context import problem_found
from crawler.items import Article, Problem
from crawler.spiders.base import SourceSpider
from crawler.spiders.url_mapping import is_robots_txt

Emit = Callable[[dict[str, Any]], None]


class ProgressReporter:
    """Turns Scrapy's signals into events."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def connect_signals(self, crawler: Crawler) -> None:
        """Listen to a crawl. It is no extension: Scrapy deep-copies settings, so they cannot hold a callable."""
        connect = crawler.signals.connect
        connect(self.response_received, signals.response_received)
        connect(self.item_scraped, signals.item_scraped)
        connect(self.item_dropped, signals.item_dropped)
        connect(self.problem_found, problem_found)

    def response_received(self, response: Response, spider: SourceSpider) -> None:
        """Report a page. robots.txt is none."""
        if not is_robots_txt(response.url):
            url = spider.context.get_page_name(spider.to_public_url(response.url))
            self._emit({"type": "page", "url": url, "status": response.status})

    def item_scraped(self, item: Any) -> None:
        """Report an article that passed all pipelines."""
        if isinstance(item, Article):
            self._emit({"type": "article", **item.to_dict()})

    def item_dropped(self, item: Any, exception: Exception) -> None:
        """Report an article that a pipeline dropped. Its verdict is None unless the store already has the text."""
        if isinstance(item, Article):
            verdict, is_matched = None, False
            if isinstance(exception, ArticleDropped):
                verdict, is_matched = exception.verdict, exception.is_matched
            values = {"id": item.id, "verdict": verdict, "matched": is_matched, "reason": str(exception)}
            self._emit({"type": "dropped", **values})

    def problem_found(self, problem: Problem) -> None:
        """Report a problem of the run."""
        self._emit({"type": "problem", **asdict(problem)})

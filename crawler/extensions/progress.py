"""progress: what happens in a run, as plain events, live. The terminal's display and `--json` are made from them.

Events are dicts of plain JSON values: `page` (url, status), `article` (the whole article), `dropped` (id, reason),
`problem` (kind, message, url, exit_code).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.items import Article, Problem, Verdict
from crawler.source import SourceSpider, is_robots_txt, problem_found

Emit = Callable[[dict[str, Any]], None]


class ProgressReporter:
    """Turns Scrapy's signals into events."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit

    def connect_signals(self, crawler: Crawler) -> None:
        """Listen to a crawl. Scrapy copies its settings deeply, so a callable cannot come to an extension by them."""
        connect = crawler.signals.connect
        connect(self.response_received, signals.response_received)
        connect(self.item_scraped, signals.item_scraped)
        connect(self.item_dropped, signals.item_dropped)
        connect(self.problem_found, problem_found)

    def response_received(self, response: Response, spider: SourceSpider) -> None:
        """A page was read; robots.txt is none."""
        if not is_robots_txt(response.url):
            self.emit({"type": "page", "url": spider.to_public_url(response.url), "status": response.status})

    def item_scraped(self, item: Any) -> None:
        """An article went down the whole stream."""
        if isinstance(item, Article):
            self.emit({"type": "article", **item.to_dict()})

    def item_dropped(self, item: Any, exception: Exception) -> None:
        """An article was dropped: stored already, or impossible."""
        if isinstance(item, Article):
            verdict = item.verdict or Verdict.UNCHANGED if "as it is" in str(exception) else None
            self.emit({"type": "dropped", "id": item.id, "verdict": verdict, "reason": str(exception)})

    def problem_found(self, problem: Problem) -> None:
        """Something deliberate went wrong."""
        self.emit({"type": "problem", **asdict(problem)})

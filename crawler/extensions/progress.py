"""progress: what happens in a run, as plain events, live. The terminal's display and `--json` are made from them.

Events are dicts of plain JSON values: `page` (url, status), `article` (the whole article), `dropped` (id, reason),
`problem` (kind, message, url, exit_code) and `finished` (the run). They go to the callable in setting CRAWLER_EMIT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response

from crawler.items import Article, Problem, Verdict
from crawler.source import SourceSpider, problem_found

Emit = Callable[[dict[str, Any]], None]


class ProgressExtension:
    """Turns Scrapy's signals into events; without a CRAWLER_EMIT it is not there."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        emit = crawler.settings.get("CRAWLER_EMIT")
        if emit is None:
            raise NotConfigured
        extension = cls(emit)
        connect = crawler.signals.connect
        connect(extension.response_received, signals.response_received)
        connect(extension.item_scraped, signals.item_scraped)
        connect(extension.item_dropped, signals.item_dropped)
        connect(extension.problem_found, problem_found)
        return extension

    def response_received(self, response: Response, spider: SourceSpider) -> None:
        """A page was read."""
        self.emit({"type": "page", "url": spider.inward(response.url), "status": response.status})

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

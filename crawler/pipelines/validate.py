"""Drop what cannot be an article, and report why as a problem of the run. Count the flags of all others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple, Self

from scrapy.crawler import Crawler

from crawler.context.drops import ArticleInvalid
from crawler.context.run_context import RunContext
from crawler.errors import PageChanged
from crawler.items import Article, Verdict
from crawler.monitoring.run_counts import get_flag_count_name
from crawler.pages.boilerplate import is_boilerplate
from crawler.pages.doubts import flag_doubts


class Flaw(NamedTuple):
    """Why an article is impossible: the field, what it must be, and what was found."""

    field: str
    expected: str
    found: str


class ValidatePipeline:
    """First stage."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the stage."""
        return cls(RunContext.from_crawler(crawler))

    def process_item(self, item: Article) -> Article:
        """Return the article with its flags, or raise ArticleInvalid."""
        if item.verdict is Verdict.UNPUBLISHED:
            return item  # an older stored text, whatever the rules were then
        flaw = find_flaw(item)
        if flaw is None:
            if item.fetched_at is None:  # the page of such an article does not know what is in the future
                item = flag_doubts(item, datetime.now(UTC))
            for flag in item.flags:
                self._context.increment_stat(get_flag_count_name(flag))
            return item
        self._context.report_problem(PageChanged(flaw.field, flaw.expected, flaw.found, item.url))
        self._context.increment_stat("dropped")
        raise ArticleInvalid(f"{item.id}: {flaw.field}: {flaw.found}")


def find_flaw(article: Article) -> Flaw | None:
    """Return what makes the article impossible, None for a possible article."""
    if not article.body.strip():
        return Flaw("body", "a text", "nothing")
    if article.title and is_boilerplate(article.title):
        return Flaw("title", "the article's own title", repr(article.title))
    return None

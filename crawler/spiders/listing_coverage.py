"""Sources whose lists have the whole articles: how far back each list was read, which shows what was removed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response

from crawler.context.request_meta import RequestMeta
from crawler.errors import CrawlerError
from crawler.items import Article
from crawler.monitoring.run_counts import RunCount
from crawler.pages.site import Reading
from crawler.spiders.base import SourceSpider


@dataclass(frozen=True, slots=True)
class CoveredPage:
    """One page of a list: when its oldest entry was published, and its response."""

    oldest: datetime
    response: Response


@dataclass(slots=True)
class ListingCoverage:
    """A list, newest first, as far as it was read without a gap: the native ids on it, and its pages."""

    ids: set[str] = field(default_factory=set)
    pages: list[CoveredPage] = field(default_factory=list)

    @property
    def oldest(self) -> datetime:
        """When the last entry that was read was published. A newer article of the list is before it."""
        return min(page.oldest for page in self.pages)

    def add_page(self, number: int, reading: Reading, response: Response) -> None:
        """Add a page by its number, from 1. Skip a page behind a gap, without dates, or out of order.

        An entry pinned to the top would make the list seem to reach back to its day.
        """
        is_in_order = all(later >= earlier for later, earlier in pairwise(reading.published_times))
        if number == len(self.pages) + 1 and reading.published_times and is_in_order:
            self.ids |= set(reading.native_ids)
            self.pages.append(CoveredPage(min(reading.published_times), response))

    def find_page(self, published: datetime) -> CoveredPage | None:
        """Return the page that must show an article of that time, or None.

        None also where two pages meet at that time: a site may show one such entry twice and another not at all.
        """
        if any(page.oldest == published for page in self.pages):
            return None
        return next((page for page in self.pages if page.oldest < published), None)


class FullTextListingSpider(SourceSpider):
    """The base of a source whose articles come with its lists, not from addresses of their own."""

    has_article_urls: ClassVar[bool] = False
    max_read_back_pages: ClassVar[int] = 50
    """Most pages of one list that a run reads for articles that are stored already."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.coverage: dict[str, ListingCoverage] = {}
        self.read_article_ids: set[str] = set()

    def get_listing_names(self) -> Collection[str]:
        """Return the lists (languages) that a run reads."""
        raise NotImplementedError

    def can_be_listed(self, native_id: str) -> bool:
        """Whether the source's lists show an article with this id at all."""
        return True

    def record_page(self, name: str, number: int, response: Response, reading: Reading) -> None:
        """Record that a page of the list `name` was read."""
        self.coverage.setdefault(name, ListingCoverage()).add_page(number, reading, response)
        self.read_article_ids |= {article.id for article in reading.articles}

    def can_read_back(self, number: int, reading: Reading) -> bool:
        """Whether a list is read further than a page of known articles, to see edits and removals of older ones."""
        policy = self.context.deletion_policy
        if policy is None or policy.read_back_until is None or number >= self.max_read_back_pages:
            return False
        return bool(reading.published_times) and reading.published_times[-1] > policy.read_back_until

    def handle_reading(self, response: Response, reading: Reading) -> Iterator[Article | Request]:
        """Yield as the base class does. Articles older than the last known one are not news.

        No earlier run has read that far back.
        """
        if RequestMeta.from_request(response).is_read_back:
            oldest_first = reversed(reading.native_ids)
            self.context.backfilled_ids |= set(
                takewhile(lambda each: not self.context.has_settled([each]), oldest_first)
            )
        yield from super().handle_reading(response, reading)

    def handle_error(self, request: Request | None, error: CrawlerError) -> Iterator[Request]:
        """Stop to read back after an error: the new articles were read before it."""
        if request is None or not RequestMeta.from_request(request).is_read_back:
            yield from super().handle_error(request, error)
            return
        self.context.increment_stat(RunCount.READ_BACK_FAILED)
        self.logger.warning("%s The list is not read further back in this run.", error)

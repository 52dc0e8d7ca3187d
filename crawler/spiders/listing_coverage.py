"""Sources whose lists have the whole articles: how far back each list was read, which shows what was removed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Any, ClassVar, NamedTuple

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

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


class ListPage(NamedTuple):
    """Which page of which list a response is."""

    name: str
    """The list's name, one of `get_listing_names`."""
    number: int
    """From 1, the newest articles first."""
    is_last: bool


class FullTextListingSpider(SourceSpider):
    """The base of a source whose articles come with its lists, not from addresses of their own.

    A subclass defines `get_listing_names`, `make_page_request` and `identify_page`. This class pages through the lists,
    reads them back once a day, and yields what was deleted after the last answer.
    """

    has_article_urls: ClassVar[bool] = False
    max_pages: ClassVar[int] = 10
    """Most pages of one list that a run without `since` reads for new articles, unless `pages` is configured."""
    max_read_back_pages: ClassVar[int] = 50
    """Most pages of one list that a run reads for articles that are stored already."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.coverage: dict[str, ListingCoverage] = {}
        self.read_article_ids: set[str] = set()
        self.unanswered_requests = 0

    def get_listing_names(self) -> Collection[str]:
        """Return the lists that a run reads, each named by the language of its articles."""
        raise NotImplementedError

    def make_page_request(self, name: str, number: int, *, is_read_back: bool = False) -> Request:
        """Return a request for a page of the list `name`: a listing request, with `is_read_back` in its RequestMeta."""
        raise NotImplementedError

    def identify_page(self, response: Response, reading: Reading) -> ListPage | None:
        """Return which page of which list a response is, or None where it is none."""
        raise NotImplementedError

    def can_be_listed(self, native_id: str) -> bool:
        """Whether the source's lists show an article with this id at all."""
        return True

    # --- requests

    async def start(self) -> AsyncIterator[Request]:
        """Yield the run's first requests and count them."""
        requests = [request async for request in super().start()]
        self.unanswered_requests = len(requests)
        for request in requests:
            yield request

    def make_first_requests(self) -> Iterator[Request]:
        """Yield a request for the first page of each list."""
        for name in self.get_listing_names():
            yield self.make_page_request(name, 1)

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Yield a request for the next page of a list, until a page is the last one or too old.

        Without --since a run stops at the first page with an article that an earlier complete run stored.
        """
        page = self.identify_page(response, reading)
        if page is None:
            return
        self.coverage.setdefault(page.name, ListingCoverage()).add_page(page.number, reading, response)
        self.read_article_ids |= {article.id for article in reading.articles}
        if page.is_last:
            return
        is_known = not self.since and self.context.has_settled(reading.native_ids)
        if is_known and self.can_read_back(page.number, reading):
            yield self.make_page_request(page.name, page.number + 1, is_read_back=True)
        if is_known or RequestMeta.from_request(response).is_read_back:
            return
        if self.since and any(date < self.since for date in reading.published_times):
            return
        if not self.since and page.number >= (self.options.pages or self.max_pages):
            self.logger.warning("%s: stopped after %d pages; read further back with --since", self.name, page.number)
            self.context.increment_stat(RunCount.STOPPED_EARLY)
            return
        yield self.make_page_request(page.name, page.number + 1)

    def can_read_back(self, number: int, reading: Reading) -> bool:
        """Whether a list is read further than a page of known articles, to see edits and removals of older ones."""
        policy = self.context.deletion_policy
        if policy is None or policy.read_back_until is None or number >= self.max_read_back_pages:
            return False
        return bool(reading.published_times) and reading.published_times[-1] > policy.read_back_until

    # --- responses

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Article | Request]:
        """Read a response. After the last one yield what waited for it."""
        yield from self.track_answers(super().parse(response, **kwargs))

    def handle_failure(self, failure: Failure) -> Iterator[Any]:
        """Handle a failed request. After the last one yield what waited for it."""
        yield from self.track_answers(super().handle_failure(failure))

    def track_answers(self, results: Iterator[Article | Request]) -> Iterator[Article | Request]:
        """Yield the results of one answer and count the requests without an answer. After the last, yield the rest."""
        for result in results:
            self.unanswered_requests += isinstance(result, Request)
            yield result
        self.unanswered_requests -= 1
        # Below 0 in a replay, which requests stored pages beside the spider's own requests.
        if self.unanswered_requests <= 0:
            yield from self.handle_last_answer()

    def expect_answer(self) -> None:
        """Count a request that the spider did not make itself, so that its answer is not taken for the last one."""
        self.unanswered_requests += 1

    def handle_last_answer(self) -> Iterator[Article]:
        """Yield the versions of articles that the lists no longer show. Called when all lists are read."""
        if self.context.deletion_policy:
            yield from self.context.deletion_policy.find_deleted(self.coverage)

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

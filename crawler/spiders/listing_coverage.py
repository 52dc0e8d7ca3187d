"""Sources whose lists hold the whole articles: how far back each list was read, and so what is missing on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response

from crawler.errors import CrawlerError
from crawler.items import Article
from crawler.pages.site import Reading
from crawler.spiders.base import SourceSpider


@dataclass(frozen=True, slots=True)
class CoveredPage:
    """One page of a list: when its oldest entry was published, and the answer that held it."""

    oldest: datetime
    response: Response


@dataclass(slots=True)
class ListingCoverage:
    """A list, newest first, as far as it was read without a gap: the native ids on it, and its pages."""

    ids: set[str] = field(default_factory=set)
    pages: list[CoveredPage] = field(default_factory=list)

    @property
    def oldest(self) -> datetime:
        """When the last entry that was read was published; what is younger must stand before it."""
        return min(page.oldest for page in self.pages)

    def add_page(self, number: int, reading: Reading, response: Response) -> None:
        """Take in a page by its number, from 1; one behind a gap, without a date or out of order says nothing, for an
        entry kept on top would have the list seem to reach back to its day."""
        in_order = all(later >= earlier for later, earlier in pairwise(reading.published_times))
        if number == len(self.pages) + 1 and reading.published_times and in_order:
            self.ids |= set(reading.native_ids)
            self.pages.append(CoveredPage(min(reading.published_times), response))

    def find_page(self, published: datetime) -> CoveredPage | None:
        """The page on which an article of that time must stand; None where two pages meet at its time, for then a site
        may show one entry twice and another not at all."""
        if any(page.oldest == published for page in self.pages):
            return None
        return next((page for page in self.pages if page.oldest < published), None)


class FullTextListingSpider(SourceSpider):
    """The base of a source whose articles come with its lists, not from addresses of their own."""

    has_article_urls: ClassVar[bool] = False
    max_read_back_pages: ClassVar[int] = 50
    """Pages of one list at most that are read for what is stored already."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.coverage: dict[str, ListingCoverage] = {}
        self.read_article_ids: set[str] = set()
        self.unknown_before: set[str] = set()
        # The middleware `known` answers these.
        self.read_back_to: datetime | None = None
        self.missing: Callable[[Mapping[str, ListingCoverage]], Iterable[Article]] = lambda _: ()

    def get_listing_names(self) -> Collection[str]:
        """The lists (languages) that a run reads."""
        raise NotImplementedError

    def can_be_listed(self, native_id: str) -> bool:
        """Whether an article of this source stands on its lists at all."""
        return True

    def record_page(self, name: str, number: int, response: Response, reading: Reading) -> None:
        """Take in a page of the list `name`."""
        self.coverage.setdefault(name, ListingCoverage()).add_page(number, reading, response)
        self.read_article_ids |= {article.id for article in reading.articles}

    def can_read_back(self, number: int, reading: Reading) -> bool:
        """Whether a list is read behind a page of known articles, to see what became of older ones."""
        until = self.read_back_to
        return (
            until is not None
            and number < self.max_read_back_pages
            and bool(reading.published_times)
            and reading.published_times[-1] > until
        )

    def handle_reading(self, response: Response, reading: Reading) -> Iterator[Article | Request]:
        """Of a look back, what stands behind the last known article is no news: no run has read so far before."""
        if response.meta.get("back"):
            self.unknown_before |= set(takewhile(lambda each: not self.settled([each]), reversed(reading.native_ids)))
        yield from super().handle_reading(response, reading)

    def handle_error(self, request: Request | None, error: CrawlerError) -> Iterator[Request]:
        """A look back that fails ends there: what is new was read before it."""
        if request is None or not request.meta.get("back"):
            yield from super().handle_error(request, error)
            return
        self.increment_stat("read_back_failed")
        self.logger.warning("%s The list is not read further back today.", error)

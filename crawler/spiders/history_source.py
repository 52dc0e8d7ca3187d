"""HistorySource: the part of a spider that a backfill uses, its lists and how their pages are requested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, cast

from scrapy import Request
from scrapy.http import Response

from crawler.config import Config
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext
from crawler.errors import CrawlerError, PageChanged
from crawler.pages.site import Reading
from crawler.spiders.history_lists import HistoryList, make_history_lists
from crawler.spiders.history_walk import HistoryWalk

if TYPE_CHECKING:
    from crawler.spiders.base import SourceSpider


class HistorySource:
    """The part of a spider that knows its lists. Sources whose lists have further pages replace its methods."""

    name: str
    context: RunContext
    listing_urls: ClassVar[tuple[str, ...]]
    make_request: Callable[..., Request]

    @classmethod
    def list_history(cls, config: Config) -> Sequence[HistoryList]:
        """Return the lists that a backfill walks. A source that knows no further pages has what its lists show now."""
        return make_history_lists(cls.listing_urls)

    def make_history_requests(self, listing: HistoryList, number: int) -> Iterable[Request]:
        """Return the requests for a page of one of these lists, all with `is_listing` in their RequestMeta."""
        return [self.make_request(listing.name, RequestMeta(is_listing=True))]

    def find_older_page(self, listing: HistoryList, number: int, response: Response, reading: Reading) -> int | None:
        """Return the page of a list that has older articles than a page that was read, or None after the last one."""
        return None

    def is_list_end(self, error: CrawlerError) -> bool:
        """Whether a further page that fails in this way is behind the end of its list."""
        return isinstance(error, PageChanged)

    @cached_property
    def walk(self) -> HistoryWalk | None:
        """The window of the source's history that the run reads; None in all other runs."""
        window = self.context.backfill_window
        backfill = self.context.store.backfills.get(self.name) if window else None
        return (
            HistoryWalk(cast("SourceSpider", self), self.context.store, backfill, window)
            if window and backfill
            else None
        )

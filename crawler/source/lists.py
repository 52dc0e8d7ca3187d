"""Sources whose lists hold the whole articles: how far back each list was read, and so what is missing on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, ClassVar

from scrapy.http import Response

from crawler.extract.site import Reading
from crawler.items import Article
from crawler.source.spider import SourceSpider


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list: when its oldest entry was published, and the answer that held it."""

    oldest: datetime
    response: Response


@dataclass(slots=True)
class ListRead:
    """A list, newest first, as far as it was read without a gap: the native ids on it, and its pages."""

    ids: set[str] = field(default_factory=set)
    pages: list[ListPage] = field(default_factory=list)

    @property
    def oldest(self) -> datetime:
        """When the last entry that was read was published; what is younger must stand before it."""
        return min(page.oldest for page in self.pages)

    def add(self, number: int, ids: Sequence[str], dates: Sequence[datetime], response: Response) -> None:
        """Take in a page by its number, from 1; one behind a gap, without a date or out of order says nothing, for an
        entry kept on top would have the list seem to reach back to its day."""
        in_order = all(later >= earlier for later, earlier in pairwise(dates))
        if number == len(self.pages) + 1 and dates and in_order:
            self.ids |= set(ids)
            self.pages.append(ListPage(min(dates), response))

    def page_for(self, published: datetime) -> ListPage:
        """The page on which an article of that time must stand."""
        return next((page for page in self.pages if page.oldest <= published), self.pages[-1])


class WholeListSpider(SourceSpider):
    """The base of a source whose articles come with its lists, not from addresses of their own."""

    by_address: ClassVar[bool] = False
    furthest_back: ClassVar[int] = 50
    """Pages of one list at most that are read for what is stored already."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lists: dict[str, ListRead] = {}
        # The middleware `known` answers these.
        self.read_back_to: datetime | None = None
        self.missing: Callable[[Mapping[str, ListRead]], Iterable[Article]] = lambda _: ()

    def note_page(self, name: str, number: int, response: Response, reading: Reading) -> None:
        """Take in a page of the list `name` (its language)."""
        self.lists.setdefault(name, ListRead()).add(number, reading.ids, reading.dates, response)

    def reads_on(self, number: int, reading: Reading) -> bool:
        """Whether a list all of whose new articles are known is read further, to see what became of older ones."""
        until = self.read_back_to
        return until is not None and number < self.furthest_back and bool(reading.dates) and min(reading.dates) > until

    def is_listed(self, native_id: str) -> bool:
        """Whether an article of this source stands on its lists at all."""
        return True

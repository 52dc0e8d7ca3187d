"""DefinedSpider: the base of sources that `sources/NAME.toml` describes. SiteSpider: a web site among them.

Each source has a class of its own. A platform derives one from DefinedSpider, in a module of this package that
`SHARED_MODULES` names, and adds it to `PLATFORM_SPIDERS`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar, cast

from scrapy import Request
from scrapy.http import Response

from crawler.config import Config
from crawler.config.source_definition import (
    AUTO_CRON,
    DEFAULT_CRON,
    SiteDefinition,
    SourceDefinition,
    StartList,
    get_host,
)
from crawler.config.source_folder import get_memory_path
from crawler.context.modes import RunMode
from crawler.context.request_meta import RequestMeta
from crawler.errors import CrawlerError, PageChanged, UsageError
from crawler.generic.extractors import raise_if_not_installed
from crawler.generic.memory_folder import load_memory_file, save_memory_file
from crawler.generic.pdf_release import PdfRelease
from crawler.generic.site_memory import LEARNING_PAGES, SiteMemory
from crawler.generic.source_pages import DefinedArticle, DefinedList
from crawler.items import Article, Rights
from crawler.pages.base import Page
from crawler.pages.feed import Feed
from crawler.pages.feed_articles import FeedArticles
from crawler.pages.site import ArticleAddress, Reading, Site
from crawler.pages.sitemap import SitemapPage, WholeSitemapPage
from crawler.spiders.base import HealthExpectation, SourceSpider
from crawler.spiders.history_lists import HistoryList, make_history_lists
from crawler.text.dates import load_time_zone

PLATFORM_SPIDERS = {
    "site": "crawler.spiders.defined:SiteSpider",
    "telegram": "crawler.spiders.platforms:TelegramSpider",
    "wordpress": "crawler.spiders.platforms:WordPressSpider",
    "govkz": "crawler.spiders.platforms:MinistrySpider",
}
"""The spider class of each platform."""


class DefinedSpider(SourceSpider):
    """A source without code. `make_spider_class` makes the class of one definition."""

    definition: ClassVar[SourceDefinition]
    has_safety_net: ClassVar[bool] = False
    """The generic reader reads a site's pages anyway, but for the fields with a selector."""

    @classmethod
    def make_attributes(cls, definition: SourceDefinition) -> dict[str, Any]:
        """Return the class attributes that a definition sets. A platform adds its own."""
        expect = definition.expect
        return {
            "definition": definition,
            "title": definition.title,
            "titles": dict(definition.titles),
            "cron": DEFAULT_CRON if definition.cron == AUTO_CRON else definition.cron,
            "jitter_seconds": definition.jitter,
            "politeness_group": definition.politeness_group,
            "expectation": HealthExpectation(
                min_links=expect.min_links, required_fields=expect.required, max_silence=expect.max_silence
            ),
            "rights": Rights(**definition.rights.model_dump()),
            **cls.make_platform_attributes(definition),
        }

    @classmethod
    def make_platform_attributes(cls, definition: SourceDefinition) -> dict[str, Any]:
        """Return the class attributes that depend on the platform: `origins`, `listing_urls` and `method`."""
        raise NotImplementedError

    @classmethod
    def make_site(cls, config: Config) -> Site:
        """Return what the page objects need, with the definition."""
        site = super().make_site(config)
        zone = load_time_zone(cls.definition.timezone) if cls.definition.timezone else site.time_zone
        return replace(site, definition=cls.definition, time_zone=zone)


class SiteSpider(DefinedSpider):
    """A web site: lists that lead to articles. It learns where the site's pages have their text."""

    page_classes: ClassVar[tuple[type[Page], ...]] = (SitemapPage, Feed, PdfRelease, DefinedArticle, DefinedList)

    @classmethod
    def make_platform_attributes(cls, definition: SourceDefinition) -> dict[str, Any]:
        """Return the addresses of the lists, and how articles are read."""
        assert isinstance(definition, SiteDefinition)
        attributes: dict[str, Any] = {
            "origins": definition.origins,
            "listing_urls": tuple(start.url for start in definition.starts),
            "method": "lists and pages as its file in sources/ describes them",
        }
        if definition.articles == "feed":
            attributes |= {
                "page_classes": (FeedArticles,),
                "has_article_urls": False,
                "method": "feeds with whole articles",
            }
        return attributes

    @classmethod
    def make_site(cls, config: Config) -> Site:
        """Return what the page objects need, with what was learned of the pages."""
        return replace(super().make_site(config), memory=cls.load_memory())

    @classmethod
    def load_memory(cls) -> SiteMemory:
        """Return what was learned of the source's pages. It learns nothing until a live run lets it."""
        try:
            memory = load_memory_file(get_memory_path(cls.name), cls.name)
        except UsageError as error:
            logging.getLogger(cls.name).warning("%s", error)
            memory = SiteMemory(cls.name)
        memory.max_pages, memory.is_frozen = LEARNING_PAGES, True
        return memory

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if DefinedArticle in self.page_classes:
            raise_if_not_installed()
        self.memory: SiteMemory = self.site.memory
        self._loaded_memory = self.memory.to_dict()
        if self.context.mode is RunMode.BACKFILL:
            whole = tuple(WholeSitemapPage if each is SitemapPage else each for each in self.site.page_classes)
            self.site = replace(self.site, page_classes=whole)
        # Old pages of a history have old layouts, which must not replace what is known of today's.
        self.memory.is_frozen = self.context.mode is not RunMode.LIVE

    def handle_reading(self, response: Response, reading: Reading) -> Iterator[Article | Request]:
        """Yield what any source does. Learn the site again when its last pages had another layout."""
        yield from super().handle_reading(response, reading)
        if self.memory.has_lost_layout and not self.memory.is_frozen:
            self.logger.warning("%s: the layout of its pages changed, so the site is learned again.", self.name)
            self.memory.begin_again(datetime.now(self.zone).date())

    def list_layout_notes(self) -> list[str]:
        """Return what the memory of the site says about its layout."""
        return self.memory.describe_layout(datetime.now(self.zone).date())

    def closed(self, reason: str) -> None:
        """Keep what a live run learned of the site's pages."""
        if self.context.can_write and not self.memory.is_frozen and self.memory.to_dict() != self._loaded_memory:
            try:
                save_memory_file(get_memory_path(self.name), self.memory)
            except UsageError as error:
                self.logger.warning("%s What was learned in this run is lost.", error)

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify an article by the definition's address patterns and its identity rule."""
        definition = cls._get_site_definition()
        hosts = {get_host(origin) for origin in definition.origins}
        if get_host(url) not in hosts or any(pattern.match(url) for pattern in definition.exclude):
            return None
        for pattern in definition.addresses:
            if found := pattern.match(url):
                identity = found.make_identity(definition.identity)
                return ArticleAddress(identity, cls.origins[0] + found.target, found.language)
        return None

    @classmethod
    def _get_site_definition(cls) -> SiteDefinition:
        return cast(SiteDefinition, cls.definition)

    @classmethod
    def list_history(cls, config: Config) -> Sequence[HistoryList]:
        """Return the lists of the definition, and those that replace one that fails."""
        starts = cls._get_site_definition().starts
        lists = [HistoryList(start.url, start.first_page, start.next_page is not None) for start in starts]
        known = {start.url for start in starts}
        return (*lists, *make_history_lists(url for start in starts for url in start.fallbacks if url not in known))

    def make_history_requests(self, listing: HistoryList, number: int) -> Iterable[Request]:
        """Return the request for a page of a list."""
        start = self._find_start(listing)
        url = start.make_page_url(number) if start and number != start.first_page else None
        if url is None:
            return super().make_history_requests(listing, number)
        return [self.make_request(url, RequestMeta(is_listing=True))]

    def find_older_page(self, listing: HistoryList, number: int, response: Response, reading: Reading) -> int | None:
        """Return the next number, if the definition knows further pages."""
        return number + 1 if listing.has_pages and reading.links else None

    def _find_start(self, listing: HistoryList) -> StartList | None:
        return next((start for start in self._get_site_definition().starts if start.url == listing.name), None)

    def make_first_requests(self) -> Iterator[Request]:
        """Yield a request for the first page of each list."""
        for number, start in enumerate(self._get_site_definition().starts):
            meta = RequestMeta(is_listing=True, list_page=(number, start.first_page), fallback_urls=start.fallbacks)
            yield self.make_request(start.url, meta)

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Yield a request for the next page of a list, as long as its pages show articles that are new.

        A list without end shows the same entries again, so a page without an unseen entry is the last one.
        """
        place = RequestMeta.from_request(response).list_page
        if place is None:
            return
        number, page = place
        start = self._get_site_definition().starts[number]
        seen = self._listed_urls.setdefault(number, set())
        is_news = not seen.issuperset(reading.links)
        seen.update(reading.links)
        url = start.make_page_url(page + 1)
        if url is None or not is_news:
            return
        if self.since is None and (self._knows_any(reading) or page - start.first_page + 1 >= self._max_pages(number)):
            return
        yield self.make_request(url, RequestMeta(is_listing=True, list_page=(number, page + 1)))

    def handle_error(self, request: Request | None, error: CrawlerError) -> Iterator[Request]:
        """Take a further page without articles as the end of its list. Handle all others as any source does."""
        place = RequestMeta.from_request(request).list_page if request else None
        if (
            place
            and isinstance(error, PageChanged)
            and place[1] > self._get_site_definition().starts[place[0]].first_page
        ):
            self.logger.info("%s: the list ends before page %d", self.name, place[1])
            return
        yield from super().handle_error(request, error)

    @cached_property
    def _listed_urls(self) -> dict[int, set[str]]:
        return {}

    def _max_pages(self, number: int) -> int:
        return self.options.pages or self._get_site_definition().starts[number].pages

    def _knows_any(self, reading: Reading) -> bool:
        """Return whether an earlier complete run stored one of the listed articles."""
        addresses = (self.site.identify(url) for url in reading.links)
        return self.context.has_settled([address.native_id for address in addresses if address])


_classes: dict[str, type[DefinedSpider]] = {}


def make_spider_class(name: str, definition: SourceDefinition) -> type[DefinedSpider]:
    """Return the spider class of a definition: the same one until the definition changes."""
    found = _classes.get(name)
    if found is None or found.definition is not definition:
        module, _, attribute = PLATFORM_SPIDERS[definition.platform].partition(":")
        base: type[DefinedSpider] = getattr(import_module(module), attribute)
        attributes = {"name": name, "__module__": base.__module__, **base.make_attributes(definition)}
        found = _classes[name] = cast(type[DefinedSpider], type(f"{base.__name__}_{name}", (base,), attributes))
    return found

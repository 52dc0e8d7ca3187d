"""Spiders of platforms: sources in `sources/NAME.toml` whose lists and addresses follow from the platform."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response

from crawler.config import Config
from crawler.config.source_definition import (
    TELEGRAM_HOSTS,
    GovkzDefinition,
    SourceDefinition,
    TelegramDefinition,
    WordPressDefinition,
    get_host,
)
from crawler.context.request_meta import RequestMeta
from crawler.errors import CrawlerError, PageChanged
from crawler.pages.base import Page
from crawler.pages.feed_articles import FeedArticles
from crawler.pages.govkz import NewsAnswer, RenderedList
from crawler.pages.govkz_rendered import RenderedArticle
from crawler.pages.site import ArticleAddress, Reading
from crawler.pages.telegram import TelegramChannel
from crawler.pages.wordpress import WordPressPosts
from crawler.spiders.defined import DefinedSpider
from crawler.spiders.govkz import GovkzSpider
from crawler.spiders.history_lists import HistoryList, make_history_lists
from crawler.text.urls import split_url

POSTS_PER_REQUEST = 20
INTERFACE_PATH = "/wp-json/wp/v2/posts"
NO_POST_PATH = re.compile(r"/(?:wp-[\w-]+|feed|tag|category|author|page)(?:/.*)?|/.*/feed/?|/")
"""Paths of a WordPress site that are no post."""


class PlatformSpider(DefinedSpider):
    """A source whose list has whole articles, in pages from the newest to older ones."""

    has_article_urls: ClassVar[bool] = False

    def make_first_requests(self) -> Iterator[Request]:
        """Yield a request for the first page of the list. The other lists are requested when it fails."""
        first, *others = self.listing_urls
        meta = RequestMeta(is_listing=True, list_page=(0, 1), fallback_urls=tuple(others))
        yield self.make_request(first, meta)

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Yield a request for older articles, as long as no earlier run stored those of this page."""
        place = RequestMeta.from_request(response).list_page
        url = self.make_older_url(place[1] + 1, reading) if place else None
        is_repeated = self._listed_ids.issuperset(reading.native_ids)  # a site may answer each page with the first one
        self._listed_ids.update(reading.native_ids)
        if place is None or url is None or is_repeated or self.context.has_settled(reading.native_ids):
            return
        times = reading.published_times
        is_enough = place[1] >= self.get_max_pages() if self.since is None else bool(times) and min(times) < self.since
        if not is_enough:
            yield self.make_request(url, RequestMeta(is_listing=True, list_page=(0, place[1] + 1)))

    @cached_property
    def _listed_ids(self) -> set[str]:
        return set()

    def make_older_url(self, number: int, reading: Reading) -> str | None:
        """Return the address of a further page, or None after the last one."""
        raise NotImplementedError

    def make_page_url(self, list_url: str, number: int) -> str:
        """Return the address of a page of a list."""
        raise NotImplementedError

    def make_history_requests(self, listing: HistoryList, number: int) -> Iterable[Request]:
        """Return the request for a page of a list."""
        return [self.make_request(self.make_page_url(listing.name, number), RequestMeta(is_listing=True))]

    def get_max_pages(self) -> int:
        """Return how many pages a run without --since reads."""
        pages = self.definition.pages if isinstance(self.definition, TelegramDefinition | WordPressDefinition) else 1
        return self.options.pages or pages


class TelegramSpider(PlatformSpider):
    """A public channel by its preview. The number of a post is its identity."""

    page_classes: ClassVar[tuple[type[Page], ...]] = (TelegramChannel,)

    @classmethod
    def make_platform_attributes(cls, definition: SourceDefinition) -> dict[str, Any]:
        """Return the addresses of the channel."""
        channel = cast(TelegramDefinition, definition).channel
        return {
            "origins": ("https://t.me",),
            "listing_urls": (f"https://t.me/s/{channel}",),
            "method": "the public preview of a Telegram channel",
        }

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify a post by its number, in the preview's address too."""
        host, path, _ = split_url(url)
        channel = cast(TelegramDefinition, cls.definition).channel
        found = re.fullmatch(rf"/(?:s/)?{re.escape(channel)}/([0-9]{{1,12}})/?", path, re.IGNORECASE)
        if host in TELEGRAM_HOSTS and found:
            return ArticleAddress(found[1], f"{cls.origins[0]}/{channel}/{found[1]}")
        return None

    @classmethod
    def list_history(cls, config: Config) -> Sequence[HistoryList]:
        """Return the preview. Its pages are named by the post before which they end."""
        return (HistoryList(cls.listing_urls[0], first_page=0, has_pages=True, is_numbered=False),)

    def make_page_url(self, list_url: str, number: int) -> str:
        """Return the preview of the posts before a number; 0: of the newest ones."""
        return f"{list_url}?before={number}" if number else list_url

    def find_older_page(self, listing: HistoryList, number: int, response: Response, reading: Reading) -> int | None:
        """Return the number of the oldest post."""
        oldest = get_oldest_number(reading)
        return oldest if oldest != number else None

    def make_older_url(self, number: int, reading: Reading) -> str | None:
        """Return the preview of the posts before the oldest one."""
        oldest = get_oldest_number(reading)
        return self.make_page_url(self.listing_urls[0], oldest) if oldest else None


def get_oldest_number(reading: Reading) -> int | None:
    """Return the number of the oldest post of a preview. None if no post is older."""
    oldest = min(map(int, reading.native_ids), default=0)
    return oldest if oldest > 1 else None


class WordPressSpider(PlatformSpider):
    """A WordPress site by its interface, or by its feed. The path of a post identifies it."""

    page_classes: ClassVar[tuple[type[Page], ...]] = (WordPressPosts, FeedArticles)

    @classmethod
    def make_platform_attributes(cls, definition: SourceDefinition) -> dict[str, Any]:
        """Return the addresses of the interface and the feed."""
        site = cast(WordPressDefinition, definition)
        base, chosen = f"{site.origin}{site.folder}", f"&categories={site.category}" if site.category else ""
        feed = f"{base}/feed/" + (f"?cat={site.category}" if site.category else "")
        return {
            "origins": (site.origin,),
            "listing_urls": (f"{base}{INTERFACE_PATH}?per_page={POSTS_PER_REQUEST}{chosen}", feed),
            "method": "the interface of WordPress, the feed as fallback",
        }

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify a post by its path, or by its number in an address such as `/?p=12`."""
        host, path, query = split_url(url)
        if host.removeprefix("www.") != get_host(cls.origins[0]):
            return None
        if numbered := re.fullmatch(r"p=([0-9]{1,12})", query):
            return ArticleAddress(f"p{numbered[1]}", f"{cls.origins[0]}{path}?{query}")
        if NO_POST_PATH.fullmatch(path):
            return None
        return ArticleAddress(path.strip("/"), f"{cls.origins[0]}{urlsplit(url).path}")

    @classmethod
    def list_history(cls, config: Config) -> Sequence[HistoryList]:
        """Return the interface, which has all posts, and the feed, which has the newest."""
        interface, *feeds = cls.listing_urls
        return (HistoryList(interface, has_pages=True), *make_history_lists(feeds))

    def make_page_url(self, list_url: str, number: int) -> str:
        """Return a page of posts, from 1."""
        return list_url if number == 1 else f"{list_url}&page={number}"

    def find_older_page(self, listing: HistoryList, number: int, response: Response, reading: Reading) -> int | None:
        """Return the next number, if the page has as many posts as it may have."""
        return number + 1 if listing.has_pages and self.is_full(reading) else None

    def is_list_end(self, error: CrawlerError) -> bool:
        """Whether the error may be the refusal of a page behind the last one, which has HTTP 400."""
        return isinstance(error, PageChanged)

    def make_older_url(self, number: int, reading: Reading) -> str | None:
        """Return the next page of the interface. The feed has one page here."""
        is_interface = reading.page_class == WordPressPosts.__name__
        return self.make_page_url(self.listing_urls[0], number) if is_interface and self.is_full(reading) else None

    def is_full(self, reading: Reading) -> bool:
        """Return whether a page has as many posts as it may have, so that another one follows."""
        return reading.entry_count >= POSTS_PER_REQUEST

    def handle_error(self, request: Request | None, error: CrawlerError) -> Iterator[Request]:
        """Take the refusal of a page behind the last one as the end: WordPress answers it with HTTP 400."""
        place = RequestMeta.from_request(request).list_page if request else None
        if place and place[1] > 1 and self.is_list_end(error):
            self.logger.info("%s: the list ends before page %d", self.name, place[1])
            return
        yield from super().handle_error(request, error)


class MinistrySpider(GovkzSpider, DefinedSpider):
    """A project of gov.kz that `sources/NAME.toml` names."""

    page_classes: ClassVar[tuple[type[Page], ...]] = (NewsAnswer, RenderedList, RenderedArticle)

    @classmethod
    def make_platform_attributes(cls, definition: SourceDefinition) -> dict[str, Any]:
        """Return the project and its languages."""
        assert isinstance(definition, GovkzDefinition)
        return {"project": definition.project, "languages": definition.languages}

"""GovkzSpider: a ministry on gov.kz, in ru, kk and en, through GraphQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qs

from scrapy import Request
from scrapy.http import Response

from crawler.config import Config
from crawler.config.source_definition import GOVKZ_HOSTS
from crawler.context.request_meta import RequestMeta
from crawler.items import Article
from crawler.pages.base import Page
from crawler.pages.govkz import DETAILS_PATTERN, NewsAnswer, RenderedList
from crawler.pages.govkz_rendered import ReleaseText, RenderedArticle
from crawler.pages.site import ArticleAddress, Reading, Site
from crawler.spiders.history_lists import HistoryList
from crawler.spiders.listing_coverage import FullTextListingSpider, ListPage
from crawler.text.urls import split_url

# The fields that the portal's own pages request. It worked without token or cookie in May-June 2026.
QUERY = (
    "query News($projects: String, $lang: String, $page: Int, $size: Int, $sort: String) { "
    "news(projects: $projects, _lang: $lang, _page: $page, _size: $size, _sort: $sort) { "
    "id title slug created_date short_description body heropic alt_image hint projects directions { id title } } }"
)
MAX_SEARCH_PAGES = 200
"""Most pages that a run reads to find one article: about 4,000 articles, several years of the ministry."""
URL_LANGUAGES = {"ru": "ru", "kk": "kk", "kz": "kk", "en": "en"}
"""Values of `lang` in an address. kz is a common slip for kk."""


class GovkzSpider(FullTextListingSpider):
    """A project of gov.kz. One page of one language is one POST. The texts come with the list.

    A record in another language than requested (an untranslated one) waits until all lists are read. It is an article
    only where no record has the text in that language as its own.
    """

    project: ClassVar[str]
    """The portal's name of the ministry, as in its addresses."""
    origins = ("https://www.gov.kz", "https://gov.kz")
    method = "GraphQL of gov.kz in ru, kk, en"
    page_classes: ClassVar[tuple[type[Page], ...]] = (NewsAnswer, RenderedList, RenderedArticle, ReleaseText)
    languages: ClassVar[tuple[str, ...]] = ("ru", "kk", "en")
    page_size: ClassVar[int] = 20

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted_id: str | None = None
        """Native id of the one article that the run looks for in the lists."""
        self.own_language_ids: set[str] = set()
        self.untranslated_articles: dict[str, list[Article]] = {}

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify an article by the portal's id."""
        host, path, query = split_url(url)
        if host in GOVKZ_HOSTS and (found := DETAILS_PATTERN.match(path)) and found["project"] == cls.project:
            language = URL_LANGUAGES.get(parse_qs(query).get("lang", [""])[0].lower())
            spoken = f"?lang={language}" if language else ""
            return ArticleAddress(found["id"], f"{cls.origins[0]}{found[0]}{spoken}", language)
        return None

    @classmethod
    def make_site(cls, config: Config) -> Site:
        """Return what the page objects need, with the name of the project."""
        return replace(super().make_site(config), project=cls.project)

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first page of each language. A run for one article (`url`) looks for it there too.

        The article's own page is a JavaScript shell; only stored pages are read at their own address.
        """
        address = self.site.identify(self.url) if self.url else None
        if address and DETAILS_PATTERN.search(address.url) and not self.context.mode.is_replay:
            self.is_single_url, self.wanted_id = False, address.native_id
        async for request in super().start():
            yield request

    def get_listing_names(self) -> Collection[str]:
        """Return the languages, each once."""
        return tuple(dict.fromkeys(self.options.languages or self.languages))

    @classmethod
    def list_history(cls, config: Config) -> Sequence[HistoryList]:
        """Return all languages as one list: an untranslated record is judged by the other languages' pages."""
        languages = dict.fromkeys(config.get_source(cls.name).languages or cls.languages)
        return (HistoryList(", ".join(languages), has_pages=True),)

    def make_history_requests(self, listing: HistoryList, number: int) -> Iterable[Request]:
        """Return the requests for a page in each language."""
        return [self.make_page_request(name, number) for name in self.get_listing_names()]

    def find_older_page(self, listing: HistoryList, number: int, response: Response, reading: Reading) -> int | None:
        """Return the next number, as long as the page is full in one of the languages."""
        page = self.identify_page(response, reading)
        return number + 1 if page is not None and not page.is_last else None

    def make_page_request(self, name: str, number: int, *, is_read_back: bool = False) -> Request:
        """Return a request for one page of the list in the language `name`, newest first, texts included."""
        size = self.options.page_size or self.page_size
        variables = {
            "projects": f"eq:{self.project}",
            "lang": name,
            "page": number,
            "size": size,
            "sort": "created_date:DESC",
        }
        return self.make_request(
            f"{self.origins[0]}/graphql",
            RequestMeta(is_listing=True, is_read_back=is_read_back),
            method="POST",
            body=json.dumps({"query": QUERY, "variables": variables}),
            headers={"Content-Type": "application/json", "Accept": "application/json", "Accept-Language": name},
        )

    def identify_page(self, response: Response, reading: Reading) -> ListPage | None:
        """Return the language and the page number that a response was requested for."""
        query = json.loads(response.request.body)["variables"] if response.request and response.request.body else None
        return ListPage(query["lang"], query["page"], reading.entry_count < query["size"]) if query else None

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Yield a request for the next page. A run for one article looks for it on up to `MAX_SEARCH_PAGES` pages."""
        if self.wanted_id is None:
            yield from super().make_next_requests(response, reading)
            return
        page = self.identify_page(response, reading)
        if page is None or page.is_last or page.number >= MAX_SEARCH_PAGES:
            return
        # Ids come from one counter: the article cannot be behind a page with a smaller id.
        if all(int(native_id) > int(self.wanted_id) for native_id in reading.native_ids):
            yield self.make_page_request(page.name, page.number + 1)

    def handle_last_answer(self) -> Iterator[Article]:
        """Yield the untranslated records that waited for the other lists, then what was deleted."""
        yield from self.pick_untranslated()
        yield from super().handle_last_answer()

    def is_in_scope(self, article: Article) -> bool:
        """Whether the article is within the run's limits. An untranslated one waits for the other lists."""
        if self.wanted_id is not None and article.native_id != self.wanted_id:
            return False
        if article.requested_language:
            self.untranslated_articles.setdefault(article.id, []).append(article)
            return False
        self.own_language_ids.add(article.id)
        return super().is_in_scope(article)

    def pick_untranslated(self) -> Iterator[Article]:
        """Yield the untranslated records whose text no record has as its own: of each article the first language."""
        waiting, self.untranslated_articles = self.untranslated_articles, {}
        for article_id, records in waiting.items():
            first = min(records, key=lambda record: ("ru", "kk", "en").index(record.requested_language or "en"))
            dropped = len(records) if article_id in self.own_language_ids else len(records) - 1
            self.context.increment_stat("untranslated", dropped)
            if article_id not in self.own_language_ids and super().is_in_scope(first):
                self.article_count += 1
                yield first

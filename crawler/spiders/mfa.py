"""The Ministry of Foreign Affairs of Kazakhstan on gov.kz (project `mfa`), in ru, kk and en, through GraphQL."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.items import Article, Rights
from crawler.pages.base import get_missing_translation
from crawler.pages.govkz import DETAILS_PATTERN, NewsAnswer, RenderedList
from crawler.pages.govkz_rendered import ReleaseText, RenderedArticle
from crawler.pages.site import ArticleAddress, Reading, split_url
from crawler.source import FullTextListingSpider, HealthExpectation

# The fields the portal's own pages ask for; worked without token or cookie in May-June 2026.
QUERY = (
    "query News($projects: String, $lang: String, $page: Int, $size: Int, $sort: String) { "
    "news(projects: $projects, _lang: $lang, _page: $page, _size: $size, _sort: $sort) { "
    "id title slug created_date short_description body heropic alt_image hint projects directions { id title } } }"
)
MAX_SEARCH_PAGES = 200
"""Pages gone through for one article: some 4,000 articles, several years of the ministry's."""
HOSTS = ("www.gov.kz", "gov.kz")
URL_LANGUAGES = {"ru": "ru", "kk": "kk", "kz": "kk", "en": "en"}
"""What an address may say of its language; kz is a common slip."""
KT_HOSTS = ("www.kt.kz", "kt.kz")
KT = re.compile(r"/.*_-?(?P<id>\d{10})\.html")


class MfaSpider(FullTextListingSpider):
    """gov.kz, project mfa. One page of one language is one POST; the text comes with the list.

    A record in another language than asked for (an untranslated one) waits until all lists are read: it is given only
    where no record has the article in that language as its own.
    """

    name = "mfa"
    title = "Ministry of Foreign Affairs of Kazakhstan"
    titles: ClassVar[dict[str, str]] = {
        "ru": "Министерство иностранных дел Казахстана",
        "kk": "Қазақстан Сыртқы істер министрлігі",
    }
    origins = ("https://www.gov.kz", "https://gov.kz")
    method = "GraphQL of gov.kz in ru, kk, en"
    cron = "*/15 * * * *"
    page_classes = (NewsAnswer, RenderedList, RenderedArticle, ReleaseText)
    expectation = HealthExpectation(min_links=1, max_silence=timedelta(days=7))
    rights = Rights(excerpt_share=0.3, link_required=True, wording=None, source=None)
    languages: ClassVar[tuple[str, ...]] = ("ru", "kk", "en")
    page_size: ClassVar[int] = 20
    max_pages: ClassVar[int] = 10
    wanted_id: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unanswered_requests = 0
        self.own_language_ids: set[str] = set()
        self.untranslated_articles: dict[str, list[Article]] = {}

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """By the portal's id; a release kept from kt.kz by that site's page id."""
        host, path, query = split_url(url)
        if host in HOSTS and (found := DETAILS_PATTERN.match(path)) and found["project"] == "mfa":
            language = URL_LANGUAGES.get(parse_qs(query).get("lang", [""])[0].lower())
            spoken = f"?lang={language}" if language else ""
            return ArticleAddress(found["id"], f"{cls.origins[0]}{found[0]}{spoken}", language)
        if host in KT_HOSTS and (found := KT.fullmatch(path)):
            return ArticleAddress(f"kt-{found['id']}", f"https://www.kt.kz{path}")
        return None

    async def start(self) -> AsyncIterator[Request]:
        """The first page of each language; one article (`url`) is looked for there too, its page being a shell."""
        address = self.site.identify(self.url) if self.url else None
        pages = self.crawler.settings.getbool("CRAWLER_REPLAY")  # they hold it at its address
        if address and DETAILS_PATTERN.search(address.url) and not pages:
            self.alone, self.wanted_id = False, address.native_id
        requests = [request async for request in super().start()] if self.alone else list(self.make_first_requests())
        self.unanswered_requests = len(requests)
        for request in requests:
            yield request

    def make_first_requests(self) -> Iterator[Request]:
        """The first page of each language."""
        for language in self.get_listing_names():
            yield self.make_page_request(language, 1)

    def get_listing_names(self) -> Collection[str]:
        """The languages, each once."""
        return tuple(dict.fromkeys(self.options.languages or self.languages))

    def make_page_request(self, language: str, page_number: int, *, is_read_back: bool = False) -> Request:
        """One page of the list in one language, newest first, texts included; `back` where nothing new is awaited."""
        size = self.options.page_size or self.page_size
        variables = {
            "projects": "eq:mfa",
            "lang": language,
            "page": page_number,
            "size": size,
            "sort": "created_date:DESC",
        }
        return self.make_request(
            f"{self.origins[0]}/graphql",
            listing=True,
            meta={"back": is_read_back},
            method="POST",
            body=json.dumps({"query": QUERY, "variables": variables}),
            headers={"Content-Type": "application/json", "Accept": "application/json", "Accept-Language": language},
        )

    def parse(self, response: Response, **given: Any) -> Iterator[Article | Request]:
        """What a response gives; after the last one, what waited for it."""
        yield from self.track_answers(super().parse(response, **given))

    def handle_failure(self, failure: Failure) -> Iterator[Any]:
        """What a failure gives; after the last one, what waited for it."""
        yield from self.track_answers(super().handle_failure(failure))

    def track_answers(self, given: Iterator[Article | Request]) -> Iterator[Article | Request]:
        """What an answer gives, with count of the requests that have no answer yet."""
        for each in given:
            self.unanswered_requests += isinstance(each, Request)
            yield each
        self.unanswered_requests -= 1
        if self.unanswered_requests <= 0:  # below: a replay asks for stored pages beside the spider's own requests
            yield from self.pick_untranslated()
            yield from self.missing(self.coverage)

    def is_in_scope(self, article: Article) -> bool:
        """Of a run for one article, that one in each language; an untranslated one waits."""
        if self.wanted_id is not None and article.native_id != self.wanted_id:
            return False
        if get_missing_translation(article):
            self.untranslated_articles.setdefault(article.id, []).append(article)
            return False
        self.own_language_ids.add(article.id)
        return super().is_in_scope(article)

    def pick_untranslated(self) -> Iterator[Article]:
        """Of the untranslated records those whose text no record has as its own: of each article the first language."""
        waiting, self.untranslated_articles = self.untranslated_articles, {}
        for article_id, records in waiting.items():
            first = min(records, key=lambda record: ("ru", "kk", "en").index(get_missing_translation(record) or "en"))
            left_out = len(records) if article_id in self.own_language_ids else len(records) - 1
            self.increment_stat("untranslated", left_out)
            if article_id not in self.own_language_ids and super().is_in_scope(first):
                self.articles_seen += 1
                yield first

    def can_be_listed(self, native_id: str) -> bool:
        """A release kept from kt.kz is on none of the portal's lists."""
        return native_id.isdecimal()

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """The next page, until one is short or too old; without --since, until it holds an article of a whole run."""
        asked = json.loads(response.request.body)["variables"] if response.request and response.request.body else None
        if not asked:
            return
        self.record_page(asked["lang"], asked["page"], response, reading)
        if reading.entry_count < asked["size"]:
            return
        if self.wanted_id is not None:
            # Ids are one counter: behind a page with a smaller one the article cannot stand.
            if asked["page"] < MAX_SEARCH_PAGES and all(
                int(native_id) > int(self.wanted_id) for native_id in reading.native_ids
            ):
                yield self.make_page_request(asked["lang"], asked["page"] + 1)
            return
        is_known = not self.since and self.settled(reading.native_ids)
        if is_known and self.can_read_back(asked["page"], reading):
            yield self.make_page_request(asked["lang"], asked["page"] + 1, is_read_back=True)
        if is_known or response.meta.get("back"):
            return
        if self.since and any(date < self.since for date in reading.published_times):
            return
        if not self.since and asked["page"] >= (self.options.pages or self.max_pages):
            self.logger.warning("%s: stopped after %d pages; read further back with --since", self.name, asked["page"])
            self.increment_stat("stopped_early")
            return
        yield self.make_page_request(asked["lang"], asked["page"] + 1)

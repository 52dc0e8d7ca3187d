"""The Ministry of Foreign Affairs of Kazakhstan on gov.kz (project `mfa`), in ru, kk and en, through GraphQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.context.request_meta import RequestMeta
from crawler.items import Article, Rights
from crawler.monitoring.run_counts import RunCount
from crawler.pages.govkz import DETAILS_PATTERN, NewsAnswer, RenderedList
from crawler.pages.govkz_rendered import ReleaseText, RenderedArticle
from crawler.pages.ktkz import parse_ktkz_url
from crawler.pages.site import ArticleAddress, Reading, split_url
from crawler.spiders.base import HealthExpectation
from crawler.spiders.listing_coverage import FullTextListingSpider

# The fields that the portal's own pages request. It worked without token or cookie in May-June 2026.
QUERY = (
    "query News($projects: String, $lang: String, $page: Int, $size: Int, $sort: String) { "
    "news(projects: $projects, _lang: $lang, _page: $page, _size: $size, _sort: $sort) { "
    "id title slug created_date short_description body heropic alt_image hint projects directions { id title } } }"
)
MAX_SEARCH_PAGES = 200
"""Most pages that a run reads to find one article: about 4,000 articles, several years of the ministry."""
HOSTS = ("www.gov.kz", "gov.kz")
URL_LANGUAGES = {"ru": "ru", "kk": "kk", "kz": "kk", "en": "en"}
"""Values of `lang` in an address. kz is a common slip for kk."""


class MfaSpider(FullTextListingSpider):
    """gov.kz, project mfa. One page of one language is one POST. The texts come with the list.

    A record in another language than requested (an untranslated one) waits until all lists are read. It is an article
    only where no record has the text in that language as its own.
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted_id: str | None = None
        """Native id of the one article that the run looks for in the lists."""
        self.unanswered_requests = 0
        self.own_language_ids: set[str] = set()
        self.untranslated_articles: dict[str, list[Article]] = {}

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify an article by the portal's id, a release stored from kt.kz by that site's page id."""
        host, path, query = split_url(url)
        if host in HOSTS and (found := DETAILS_PATTERN.match(path)) and found["project"] == "mfa":
            language = URL_LANGUAGES.get(parse_qs(query).get("lang", [""])[0].lower())
            spoken = f"?lang={language}" if language else ""
            return ArticleAddress(found["id"], f"{cls.origins[0]}{found[0]}{spoken}", language)
        if copy := parse_ktkz_url(url):
            return ArticleAddress(f"kt-{copy.native_id}", f"https://www.kt.kz{copy.path}")
        return None

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first page of each language. A run for one article (`url`) looks for it there too.

        The article's own page is a JavaScript shell; only stored pages are read at their own address.
        """
        address = self.site.identify(self.url) if self.url else None
        if address and DETAILS_PATTERN.search(address.url) and not self.context.mode.is_replay:
            self.is_single_url, self.wanted_id = False, address.native_id
        if self.is_single_url:
            requests = [request async for request in super().start()]
        else:
            requests = list(self.make_first_requests())
        self.unanswered_requests = len(requests)
        for request in requests:
            yield request

    def make_first_requests(self) -> Iterator[Request]:
        """Yield a request for the first page of each language."""
        for language in self.get_listing_names():
            yield self.make_page_request(language, 1)

    def get_listing_names(self) -> Collection[str]:
        """Return the languages, each once."""
        return tuple(dict.fromkeys(self.options.languages or self.languages))

    def make_page_request(self, language: str, page_number: int, *, is_read_back: bool = False) -> Request:
        """Return a request for one page of the list in one language, newest first, texts included."""
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
            RequestMeta(is_listing=True, is_read_back=is_read_back),
            method="POST",
            body=json.dumps({"query": QUERY, "variables": variables}),
            headers={"Content-Type": "application/json", "Accept": "application/json", "Accept-Language": language},
        )

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
            yield from self.pick_untranslated()
            if self.context.deletion_policy:
                yield from self.context.deletion_policy.find_deleted(self.coverage)

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

    def can_be_listed(self, native_id: str) -> bool:
        """Whether the portal's lists show the article: a release stored from kt.kz is on none of them."""
        return native_id.isdecimal()

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Yield a request for the next page, until a page is short or too old.

        Without --since a run stops at the first page with an article that an earlier complete run stored.
        """
        query = json.loads(response.request.body)["variables"] if response.request and response.request.body else None
        if not query:
            return
        language, number = query["lang"], query["page"]
        self.record_page(language, number, response, reading)
        if reading.entry_count < query["size"]:
            return
        if self.wanted_id is not None:
            # Ids come from one counter: the article cannot be behind a page with a smaller id.
            is_before = all(int(native_id) > int(self.wanted_id) for native_id in reading.native_ids)
            if number < MAX_SEARCH_PAGES and is_before:
                yield self.make_page_request(language, number + 1)
            return
        is_known = not self.since and self.context.has_settled(reading.native_ids)
        if is_known and self.can_read_back(number, reading):
            yield self.make_page_request(language, number + 1, is_read_back=True)
        if is_known or RequestMeta.from_request(response).is_read_back:
            return
        if self.since and any(date < self.since for date in reading.published_times):
            return
        if not self.since and number >= (self.options.pages or self.max_pages):
            self.logger.warning("%s: stopped after %d pages; read further back with --since", self.name, number)
            self.context.increment_stat(RunCount.STOPPED_EARLY)
            return
        yield self.make_page_request(language, number + 1)

"""SourceSpider: the base of every source.

Live runs and replays share one path: a response becomes a Snapshot, `pages.base.read_snapshot` reads it, articles enter
the pipelines, listed addresses are requested. Every deliberate error becomes a Problem of the run, not a traceback.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest, NotSupported, UnsupportedURLSchemeError
from scrapy.http import Response
from scrapy.utils.misc import load_object
from twisted.python.failure import Failure

from crawler.config import Config, SourceConfig
from crawler.context.backoff import make_retry_request
from crawler.context.exceptions import RequestFailed, RobotsForbidden, TooManyRedirects
from crawler.context.modes import RunMode, Storage
from crawler.context.request_meta import META_KEY, RequestMeta, get_requested_url
from crawler.context.response_snapshots import make_snapshot
from crawler.context.run_context import RunContext
from crawler.errors import (
    Blocked,
    CrawlerError,
    NotAnArticle,
    PageChanged,
    SourceError,
    StoreError,
    Unreachable,
    UsageError,
)
from crawler.items import Article, ArticleFlag, Rights
from crawler.monitoring.run_counts import RunCount
from crawler.pages.base import Page, read_snapshot
from crawler.pages.site import ArticleAddress, Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.spiders.arguments import parse_flag, parse_limit, parse_start_date, raise_if_unknown_argument
from crawler.spiders.history_source import HistorySource
from crawler.spiders.url_mapping import UrlMapping, parse_url_argument
from crawler.text import dates
from crawler.text.counts import format_count

GONE_STATUSES = (404, 410)
LASTING_DOWNLOAD_ERRORS = (DownloadCancelledError, NotSupported, UnsupportedURLSchemeError)
"""What Scrapy's downloader raises beside RETRY_EXCEPTIONS."""
PERMANENT_REDIRECTS = frozenset({301, 308})
MAX_REMEMBERED_ADDRESSES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthExpectation:
    """What a healthy run of a source yields. An empty run is not healthy."""

    min_links: int
    """Fewest entries that the source's lists show together."""
    required_fields: tuple[str, ...] = ("title", "published_at")
    """Fields that every article has."""
    max_silence: timedelta | None = None
    """Longest believable time without a new article; None for a source that may be asleep."""


class SourceSpider(HistorySource, scrapy.Spider):
    """The base of every source: subclasses name its addresses, its page objects and what a healthy run is.

    `crawler crawl NAME` and `scrapy crawl NAME` run it alike.
    """

    allowed_domains: ClassVar[list[str]]
    title: ClassVar[str]
    """The source's name for people."""
    origins: ClassVar[tuple[str, ...]]
    """Public origins (`https://host`), the canonical one first."""
    method: ClassVar[str]
    """How the source is watched, in a few words for people."""
    listing_urls: ClassVar[tuple[str, ...]] = ()
    """The list that a run starts with, then the lists to request when it fails."""
    page_classes: ClassVar[tuple[type[Page], ...]]
    expectation: ClassVar[HealthExpectation]
    rights: ClassVar[Rights]
    cron: ClassVar[str] = "*/30 * * * *"
    jitter_seconds: ClassVar[int] = 60
    politeness_group: ClassVar[str | None] = None
    """Sources of one group never run at the same time on several workers. None: those of one host."""
    non_article_pattern: ClassVar[re.Pattern[str] | None] = None
    """Addresses that rightly have no article, such as `/terms`."""
    has_article_urls: ClassVar[bool] = True
    """Whether an article can be requested at its own address. Without, only lists show edits and removals."""
    has_safety_net: ClassVar[bool] = True
    """Whether the generic reader reads articles' pages of a new shape."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Set `allowed_domains`, by which `scrapy parse URL` and `scrapy shell URL` find the spider."""
        super().__init_subclass__(**options)
        if origins := getattr(cls, "origins", ()):
            cls.allowed_domains = list(dict.fromkeys(urlsplit(origin).hostname or "" for origin in origins))

    def __init__(
        self,
        name: str | None = None,
        *,
        context: RunContext | None = None,
        config: Config | None = None,
        url: str | None = None,
        since: str | datetime | None = None,
        limit: str | int | None = None,
        **kwargs: Any,
    ) -> None:
        """Set the scope of the run: `-a since=2026-01-31 -a limit=5 -a url=…`, or the options of `crawler crawl`.

        `-a all=true` (in `kwargs`) exports unchanged articles too. Raise UsageError for a value that cannot be used.
        """
        if "all" in kwargs:
            context = context or RunContext(source=self.name, config=config or Config())
            context.keeps_unchanged = parse_flag("all", kwargs.pop("all"))
        super().__init__(name, **kwargs)
        self.context = context or RunContext(source=self.name, config=config or Config())
        self.config = self.context.config
        self.options: SourceConfig = self.config.get_source(self.name)
        self.zone = dates.load_time_zone(self.config.timezone)
        self.url = parse_url_argument(url) if url is not None else None
        self.has_usage_error = False
        self.is_single_url = url is not None
        """Whether the run reads one address and nothing that it leads to."""
        self.since = parse_start_date(since, self.zone) if isinstance(since, str) else since
        self.limit = parse_limit(limit) if isinstance(limit, str) else limit
        self.site, self.url_mapping = self.make_site(self.config), self.make_url_mapping(self.config)
        self.article_count = 0

    @classmethod
    def from_crawler(cls, crawler: scrapy.crawler.Crawler, *args: Any, **kwargs: Any) -> SourceSpider:
        """Make the spider with the crawl's context.

        An argument that cannot be used is logged in one sentence, and the run requests and stores nothing. (Scrapy logs
        an exception of this method as a traceback.)
        """
        context = RunContext.from_crawler(crawler)
        try:
            raise_if_unknown_argument(kwargs)
            return super().from_crawler(crawler, *args, context=context, **kwargs)
        except UsageError as error:
            logging.getLogger(cls.name).error("%s", error)  # noqa: TRY400
            context.storage = Storage.NONE
            spider = super().from_crawler(crawler, context=context)
            spider.has_usage_error = True
            return spider

    @classmethod
    def update_settings(cls, settings: scrapy.settings.BaseSettings) -> None:
        """Set CRAWLER_SOURCE, from which `crawler.settings` finds the owner's settings for this source."""
        super().update_settings(settings)
        settings.set("CRAWLER_SOURCE", cls.name, priority="spider")

    @classmethod
    def list_missing_attributes(cls) -> list[str]:
        """Return what a source's class must define and this one does not."""
        missing = [
            name for name in SourceSpider.__annotations__ if name != "allowed_domains" and not hasattr(cls, name)
        ]
        is_abstract = cls.identify.__func__ is SourceSpider.identify.__func__  # type: ignore[attr-defined]
        return [*missing, "identify"] if is_abstract else missing

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Return the article that an address names, in any of its forms; None if it is no article of this source."""
        raise NotImplementedError

    @classmethod
    def get_rights(cls, config: Config) -> Rights:
        """Return the source's rights, with the owner's own excerpt share where a permission allows one."""
        options = config.get_source(cls.name)
        if options.excerpt_share is None:
            return cls.rights
        return replace(cls.rights, excerpt_share=options.excerpt_share, source=options.permission or "owner's setting")

    @classmethod
    def make_url_mapping(cls, config: Config) -> UrlMapping:
        """Return the mapping between public addresses and those of a configured copy of the site."""
        base = config.get_source(cls.name).base_url
        return UrlMapping(cls.origins, base.rstrip("/") if base else None)

    @classmethod
    def make_site(cls, config: Config) -> Site:
        """Return what the source's page objects need. Addresses on a copy (`base_url`) count as the public ones."""
        mapping = cls.make_url_mapping(config)
        return Site(
            name=cls.name,
            origin=cls.origins[0],
            rights=cls.get_rights(config),
            time_zone=dates.load_time_zone(config.timezone),
            page_classes=cls.page_classes,
            # A page's own address is identified half a dozen times on the way from its list to the store.
            identify=lru_cache(MAX_REMEMBERED_ADDRESSES)(lambda url: cls.identify(mapping.to_public_url(url))),
            required_fields=cls.expectation.required_fields,
            created_date=config.get_source(cls.name).created_date,
            non_article_pattern=cls.non_article_pattern,
        )

    # --- requests

    async def start(self) -> AsyncIterator[Request]:
        """Yield the run's first requests: its one address, or the source's lists."""
        if self.has_usage_error:
            return
        if self.context.mode is RunMode.BACKFILL:
            for request in self.walk.make_first_requests() if self.walk else ():
                yield request
            return
        for request in [self.make_request(self.url)] if self.url and self.is_single_url else self.make_first_requests():
            yield request

    def make_first_requests(self) -> Iterable[Request]:
        """Return a request for the source's first list. The other lists are requested when it fails."""
        first, *others = self.listing_urls
        return [self.make_request(first, RequestMeta(is_listing=True, fallback_urls=tuple(others)))]

    def make_request(self, url: str, meta: RequestMeta | None = None, **options: Any) -> Request:
        """Return a request for a public address, to be sent to the configured copy of the site where there is one.

        `options` are the arguments of Scrapy's Request.
        """
        target = self.url_mapping.to_fetch_url(url)
        notes = {META_KEY: meta or RequestMeta()}
        return Request(target, callback=self.parse, errback=self.handle_failure, meta=notes, **options)

    def to_public_url(self, url: str) -> str:
        """Return the public address of a request's address."""
        return self.url_mapping.to_public_url(url)

    def list_layout_notes(self) -> list[str]:
        """Return sentences about a layout that changed and did no harm yet. Page classes of code have none."""
        return []

    # --- responses

    def parse(self, response: Response, **_: Any) -> Iterator[Article | Request]:
        """Read one response: yield its articles, then requests for what it lists."""
        with self.context.give_up_without_store():
            yield from self.read_response(response)

    def read_response(self, response: Response) -> Iterator[Article | Request]:
        """Yield what `parse` does. Raise StoreError if the store is lost."""
        meta = RequestMeta.from_request(response)
        if response.status == 304:
            self.context.increment_stat("revisits_unmodified" if meta.is_recrawl else RunCount.NOT_MODIFIED)
            self.record_seen(response)
            return
        snapshot = make_snapshot(response, self.to_public_url(response.url))
        try:
            reading = read_snapshot(snapshot, self.site)
        except NotAnArticle as reason:
            yield from self.handle_no_article(response, reason)
        except Unreachable as error:
            yield from self.retry_transient(response, error)
        except PageChanged as error:
            if self.is_redirected_away(response):
                yield from self.handle_redirect_away(response)
            else:
                yield from self.handle_changed_page(response, snapshot, error)
        except SourceError as error:
            yield from self.fail_request(response.request, error)
        else:
            if retry := self.make_damage_retry(snapshot, reading, response.request):
                yield retry
            elif not reading.articles and self.is_redirected_away(response):
                yield from self.handle_redirect_away(response)
            else:
                yield from self.handle_reading(response, reading)

    def make_damage_retry(self, snapshot: Snapshot, reading: Reading, request: Request | None) -> Request | None:
        """Return another try of a page that is cut off, or once of one in a wrong encoding. None for a sound page.

        When the retries are used up, the page is read as it is, and its validators are not kept: the next run must get
        the page itself.
        """
        misread = sum(ArticleFlag.WRONG_ENCODING in article.flags for article in reading.articles)
        is_misread = misread > len(reading.articles) / 2
        if request is None or not (snapshot.is_cut_off or is_misread):
            return None
        RequestMeta.update(request, next_cache_entry=None)
        if snapshot.is_cut_off:
            retry = make_retry_request(request, "cut off", self)
            if retry is None and RequestMeta.from_request(request).is_listing:
                self.context.increment_stat(RunCount.LISTS_CUT_OFF)
            return retry
        return make_retry_request(request, "decoded wrongly", self, max_retries=1)

    def handle_no_article(self, response: Response, reason: NotAnArticle) -> Iterator[Article | Request]:
        """Handle a page that rightly has no article, or that is gone. A list that is gone is an error."""
        if RequestMeta.from_request(response).is_listing:
            url = self.to_public_url(response.url)
            changed = PageChanged("links", "the source's list", f"HTTP {response.status}", url)
            yield from self.fail_request(response.request, changed)
            return
        self.context.increment_stat(RunCount.NO_ARTICLE)
        self.logger.info("%s", reason)
        requested = get_requested_url(response)
        is_redirected_away = self.is_redirected_away(response)
        is_moved = is_redirected_away and PERMANENT_REDIRECTS.issuperset(response.meta["redirect_reasons"])
        is_gone = is_moved or response.status in GONE_STATUSES
        if self.walk:
            self.walk.add_no_article(requested, reason, is_gone=is_gone)
        if is_gone and self.context.recrawl_policy:
            yield from self.context.recrawl_policy.handle_gone_page(response)
        elif not is_gone and not is_redirected_away:
            self.record_seen(response)
            self.context.unaccounted_urls.pop(self.to_public_url(requested), None)

    def is_redirected_away(self, response: Response) -> bool:
        """Return whether the address of an article leads to a list or a page above it, such as the front page."""
        requested, url = self.to_public_url(get_requested_url(response)), self.to_public_url(response.url)
        if self.site.identify(requested) is None or self.site.identify(url) is not None:
            return False
        folder = f"{urlsplit(url).path.rstrip('/')}/"
        return url in self.listing_urls or urlsplit(requested).path.startswith(folder)

    def handle_redirect_away(self, response: Response) -> Iterator[Article | Request]:
        """Handle an article's address that leads to a page above it: permanently, it is gone; else nothing is known."""
        requested, url = self.to_public_url(get_requested_url(response)), self.to_public_url(response.url)
        yield from self.handle_no_article(response, NotAnArticle(f"{requested} redirects to {url}, no article."))

    def handle_changed_page(
        self, response: Response, snapshot: Snapshot, error: PageChanged
    ) -> Iterator[Article | Request]:
        """Handle a page of a new shape: the generic reader reads its article if it is sure of it.

        The run is degraded then. The page's validators are not kept: the mended page class must get the page itself.
        """
        meta = RequestMeta.from_request(response)
        is_expected = meta.is_listing or bool(meta.expected_error)
        if is_expected or not self.has_safety_net or self.site.identify(snapshot.url) is None:
            yield from self.fail_request(response.request, error)
            return
        from crawler.generic.safety_net import read_changed_page  # most runs never need the reader of any site

        try:
            reading = read_changed_page(snapshot, self.site, error)
        except PageChanged as failure:
            yield from self.fail_request(response.request, failure)
            return
        self.logger.warning("%s The generic reader reads it.", error)
        self.context.increment_stat(RunCount.READ_GENERICALLY)
        self.context.page_changes.append(str(error))
        if response.request:
            RequestMeta.update(response.request, next_cache_entry=None)
        yield from self.handle_reading(response, reading)

    def retry_transient(self, response: Response, error: Unreachable) -> Iterator[Request]:
        """Retry a response that came with HTTP 200 and is a passing fault of the server."""
        request = None
        if response.request and response.status == 200:
            request = make_retry_request(response.request, error, self)
        if request is None:
            yield from self.fail_request(response.request, error)
        else:
            yield request

    def handle_reading(self, response: Response, reading: Reading) -> Iterator[Article | Request]:
        """Yield the articles of a reading, then requests for what it lists."""
        is_listing = RequestMeta.from_request(response).is_listing
        name = self.context.get_page_name(self.to_public_url(response.url))
        entries = format_count(reading.entry_count, "entry", "entries")
        self.logger.info("%s: %s, %s", name, reading.page_class, entries)
        self.context.increment_stat(RunCount.ENTRIES if is_listing else "article_pages", reading.entry_count)
        for finding in reading.findings:
            self.logger.log(finding.level, "%s", finding.message)
        for reason in reading.skipped:
            self.context.increment_stat(RunCount.SKIPPED)
            self.logger.info("%s", reason)
        for problem in reading.problems:
            self.context.report_problem(problem)
        self.context.run_stats.add_structure(reading)
        if not any(article.is_damaged for article in reading.articles):
            self.record_seen(response)
        self.remember_validators(response, reading)
        for article in reading.articles:
            if self.is_in_scope(article):
                self.article_count += 1
                yield article
        if self.context.mode is RunMode.BACKFILL:
            yield from self.walk.add_reading(response, reading) if self.walk and is_listing else ()
            return
        if self.is_single_url:
            return
        yield from self.make_article_requests(reading)
        if is_listing and not self.is_limit_reached():
            yield from self.make_next_requests(response, reading)

    def record_seen(self, response: Response) -> None:
        """Record that a page exists: after it was read, because a challenge page comes with HTTP 200 too."""
        meta, policy = RequestMeta.from_request(response), self.context.recrawl_policy
        if policy and meta.fetched_at and not meta.is_listing and response.request and response.request.method == "GET":
            policy.record_seen(self.to_public_url(response.request.url), meta.fetched_at)

    def remember_validators(self, response: Response, reading: Reading) -> None:
        """Keep the response's validators: an article's until it is stored, a list's until the run ends well."""
        entry = RequestMeta.from_request(response).next_cache_entry
        if entry is None or reading.problems:
            return
        if len(reading.articles) == 1 and reading.articles[0].snapshot:
            self.context.article_cache_entries[reading.articles[0].snapshot] = entry
        elif not reading.articles:
            self.context.listing_cache_entries.append(entry)

    def make_article_requests(self, reading: Reading) -> Iterator[Request]:
        """Yield requests for the articles that a page lists. `middlewares.conditional` drops those that are not due."""
        links = reading.links[: self.limit]
        if self.context.recrawl_policy:
            self.context.recrawl_policy.load_known(links)
        for link in links:
            self.context.unaccounted_urls.setdefault(self.to_public_url(link))
            yield self.make_request(link, RequestMeta(is_article=True))

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Yield requests for further pages of a list. Most sources have one page."""
        return iter(())

    def is_in_scope(self, article: Article) -> bool:
        """Whether the article is within the run's limits of age and number. Counts those that are not."""
        if self.walk:
            return self.walk.accept(article)
        is_old = bool(self.since and article.published_at and article.published_at < self.since)
        if self.is_limit_reached() or is_old:
            self.context.increment_stat("over_limit" if self.is_limit_reached() else RunCount.TOO_OLD)
            return False
        return True

    def is_limit_reached(self) -> bool:
        """Whether the run has as many articles as its limit."""
        return self.limit is not None and self.article_count >= self.limit

    # --- errors

    def handle_failure(self, failure: Failure) -> Iterator[Request]:
        """Handle a request that got no response: find the error that says why."""
        error: BaseException = failure.value  # type: ignore[assignment]
        request: Request = failure.request  # type: ignore[attr-defined]
        if isinstance(error, StoreError):
            self.context.give_up(error)
        elif isinstance(error, IgnoreRequest) and not isinstance(
            error, RequestFailed | RobotsForbidden | TooManyRedirects
        ):
            self.logger.debug("%s: %s", self.to_public_url(request.url), error)
        else:
            yield from self.fail_request(request, self.explain_failure(error, request.url))

    def explain_failure(self, error: BaseException, requested: str) -> CrawlerError:
        """Return the deliberate error that says why a request got no response. Raise a fault of the code again."""
        url = self.to_public_url(requested)
        if isinstance(error, RequestFailed):
            return error.error
        if isinstance(error, CrawlerError):
            return error
        if isinstance(error, RobotsForbidden):
            return Blocked(f"{url}: the site's robots.txt forbids it, and the crawler obeys.", url=url)
        if isinstance(error, TooManyRedirects):
            return Unreachable(f"{url} redirects without end. Check the address.", url=url)
        transient_errors = map(load_object, self.crawler.settings.getlist("RETRY_EXCEPTIONS"))
        if not isinstance(error, (*transient_errors, *LASTING_DOWNLOAD_ERRORS)):
            raise error
        why = f"no answer from {urlsplit(requested).netloc} ({error})"
        return Unreachable(f"{url}: {why}. Check the network, or try again later.", url=url)

    def fail_request(self, request: Request | None, error: CrawlerError) -> Iterator[Request]:
        """Handle the error of a request. A backfill decides itself what a list that fails means."""
        if self.walk and request and RequestMeta.from_request(request).is_listing:
            self.walk.add_list_error(error)
            return
        yield from self.handle_error(request, error)

    def handle_error(self, request: Request | None, error: CrawlerError) -> Iterator[Request]:
        """Replace a list that failed by its next fallback. Anything else becomes a problem of the run."""
        meta = RequestMeta.from_request(request) if request else RequestMeta()
        if meta.expected_error == error.kind:
            self.context.increment_stat(RunCount.EXPECTED_ERRORS)
            self.logger.info("As expected: %s", error)
        elif meta.fallback_urls:
            fallback, *others = meta.fallback_urls
            self.logger.warning("%s Requesting %s instead.", error, fallback)
            self.context.increment_stat(RunCount.LISTS_REPLACED)
            yield self.make_request(fallback, RequestMeta(is_listing=True, fallback_urls=tuple(others)))
        else:
            self.context.has_failed_listing |= meta.is_listing
            self.context.report_problem(error, self.to_public_url(request.url) if request else None)

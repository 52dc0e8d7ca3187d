"""SourceSpider: what every source shares. A source says where it stands, how its pages are read, what is healthy.

Live and replay take the same way: a response becomes a Snapshot, `extract.page.read` reads it, articles go down the
pipelines, listed addresses are asked for, and every deliberate error becomes a Problem of the run instead of a
traceback.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.config import Config, SourceConfig
from crawler.errors import Blocked, CrawlerError, NotAnArticle, PageChanged, SourceError, Unreachable
from crawler.items import Article, Problem, Rights, Run, SnapshotRef
from crawler.pages.base import Page, read_snapshot
from crawler.pages.site import ArticleAddress, Reading, Site
from crawler.source.expect import HealthExpectation
from crawler.source.response import make_snapshot
from crawler.spiders.url_mapping import UrlMapping
from crawler.text import dates

GONE_STATUSES = (404, 410)
problem_found = object()
"""Signal: a deliberate error became a Problem of the run; sent with `problem` and `spider`."""


class SourceSpider(scrapy.Spider):
    """The base of every source. `scrapy crawl NAME` and `crawler crawl NAME` run it alike."""

    title: ClassVar[str]
    """The source's name for people."""
    origins: ClassVar[tuple[str, ...]]
    """Public origins (`https://host`), the canonical one first."""
    method: ClassVar[str]
    """How it is watched, in a few words for people."""
    listing_urls: ClassVar[tuple[str, ...]] = ()
    """The list that a run begins with, then those asked when it fails."""
    page_classes: ClassVar[tuple[type[Page], ...]]
    expectation: ClassVar[HealthExpectation]
    rights: ClassVar[Rights]
    cron: ClassVar[str] = "*/30 * * * *"
    jitter_seconds: ClassVar[int] = 60
    non_article_pattern: ClassVar[re.Pattern[str] | None] = None
    has_article_urls: ClassVar[bool] = True
    """Whether an article can be asked for at its own address; where not, only lists show what became of it."""

    def __init__(
        self,
        name: str | None = None,
        *,
        config: Config | None = None,
        url: str | None = None,
        since: str | datetime | None = None,
        limit: str | int | None = None,
        **kwargs: Any,
    ) -> None:
        """`scrapy crawl NAME -a since=2026-01-31 -a limit=5 -a url=…` sets what `crawler crawl` sets by options."""
        super().__init__(name, **kwargs)
        self.config = config or Config()
        self.options: SourceConfig = self.config.get_source(self.name)
        self.zone = dates.load_time_zone(self.config.timezone)
        self.url = url
        self.is_single_url = url is not None  # read that one address, and nothing it leads to
        self.since = (
            dates.convert_to_zone(datetime.fromisoformat(since), self.zone) if isinstance(since, str) else since
        )
        self.limit = int(limit) if limit is not None else None
        self.site, self.url_mapping = self.make_site(self.config), self.make_url_mapping(self.config)
        self.problems: list[Problem] = []
        self.article_count = 0
        # Middlewares answer these, `patience` and `known`.
        self.again: Callable[[Request, str], Request | None] = lambda *_: None
        self.settled: Callable[[Collection[str]], bool] = lambda _: False
        self.gone: Callable[[Response], Iterable[Article]] = lambda _: ()
        self.measured: Callable[[Reading], None] = lambda _: None  # this one `extensions.health`
        self.unaccounted_urls: dict[str, None] = {}  # listed addresses of which it is not known what became
        self.has_failed_listing = self.has_given_up = False
        self.run: Run | None = None
        # What the next run must remember of a response: kept until its article is stored or its list is read whole.
        self.article_memories: dict[SnapshotRef, Any] = {}
        self.list_memories: list[Any] = []

    @classmethod
    def from_crawler(cls, crawler: scrapy.crawler.Crawler, *args: Any, **kwargs: Any) -> SourceSpider:
        """Take the configuration from the settings, where `crawler.settings` put it."""
        kwargs.setdefault("config", crawler.settings.get("CRAWLER_CONFIG"))
        return super().from_crawler(crawler, *args, **kwargs)

    @classmethod
    def update_settings(cls, settings: scrapy.settings.BaseSettings) -> None:
        """Tell the settings which source this is: what an owner set for it is applied from there."""
        super().update_settings(settings)
        settings.set("CRAWLER_SOURCE", cls.name, priority="spider")

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """The article that an address names, in whatever clothes; None for what is no article of this source."""
        raise NotImplementedError

    @classmethod
    def get_rights(cls, config: Config) -> Rights:
        """The source's rights, with an owner's own share where a permission allows it."""
        options = config.get_source(cls.name)
        if options.excerpt_share is None:
            return cls.rights
        return replace(cls.rights, excerpt_share=options.excerpt_share, source=options.permission or "owner's setting")

    @classmethod
    def make_url_mapping(cls, config: Config) -> UrlMapping:
        """Where the source's addresses lead under a configuration."""
        base = config.get_source(cls.name).base_url
        return UrlMapping(cls.origins, base.rstrip("/") if base else None)

    @classmethod
    def make_site(cls, config: Config) -> Site:
        """The source as its page classes see it. Addresses on a copy (`base_url`) count as the public ones."""
        mirror = cls.make_url_mapping(config)
        return Site(
            name=cls.name,
            origin=cls.origins[0],
            rights=cls.get_rights(config),
            time_zone=dates.load_time_zone(config.timezone),
            page_classes=cls.page_classes,
            identify=lambda url: cls.identify(mirror.to_public_url(url)),
            required_fields=cls.expectation.required_fields,
            created_date=config.get_source(cls.name).created_date,
            non_article_pattern=cls.non_article_pattern,
        )

    # --- requests

    async def start(self) -> AsyncIterator[Request]:
        """The run's first requests: one address when the run was given one, else the source's lists."""
        for request in [self.make_request(self.url)] if self.url else self.make_first_requests():
            yield request

    def make_first_requests(self) -> Iterable[Request]:
        """The source's first list; the others are asked when it fails."""
        return [self.make_request(self.listing_urls[0], listing=True, meta={"instead": self.listing_urls[1:]})]

    def make_request(
        self, url: str, *, listing: bool = False, meta: dict[str, Any] | None = None, **given: Any
    ) -> Request:
        """A request for a public address, sent to the configured copy of the site where there is one."""
        told = {"listing": listing, **(meta or {})}
        return Request(
            self.url_mapping.to_fetch_url(url), callback=self.parse, errback=self.handle_failure, meta=told, **given
        )

    def to_public_url(self, url: str) -> str:
        """The public address of what was asked."""
        return self.url_mapping.to_public_url(url)

    # --- answers

    def parse(self, response: Response, **_: Any) -> Iterator[Article | Request]:
        """Read one response: its articles, then requests for what it lists."""
        if response.status == 304:
            self.increment_stat("revisits_unmodified" if response.meta.get("revisit") else "not_modified")
            return
        try:
            reading = read_snapshot(make_snapshot(response, self.to_public_url(response.url)), self.site)
        except NotAnArticle as reason:
            yield from self.handle_no_article(response, reason)
        except Unreachable as error:
            yield from self.retry_transient(response, error)
        except SourceError as error:
            yield from self.handle_error(response.request, error)
        else:
            yield from self.handle_reading(response, reading)

    def handle_no_article(self, response: Response, reason: NotAnArticle) -> Iterator[Article | Request]:
        """A page that rightly yields nothing, or is gone for good; a list that is gone is no such page."""
        if response.meta.get("listing"):
            changed = PageChanged(
                "links", "the source's list", f"HTTP {response.status}", self.to_public_url(response.url)
            )
            yield from self.handle_error(response.request, changed)
        else:
            self.increment_stat("no_article")
            self.logger.info("%s", reason)
            if response.status in GONE_STATUSES:
                yield from self.gone(response)
            elif response.request:
                self.unaccounted_urls.pop(self.to_public_url(response.request.url), None)

    def retry_transient(self, response: Response, error: Unreachable) -> Iterator[Request]:
        """Ask again for an answer that came with HTTP 200 but was a passing fault; the waits grow."""
        request = self.again(response.request, str(error)) if response.request and response.status == 200 else None
        if request is None:
            yield from self.handle_error(response.request, error)
        else:
            yield request

    def handle_reading(self, response: Response, reading: Reading) -> Iterator[Article | Request]:
        """What a reading gives to the run."""
        self.logger.info(
            "%s: %s, %d entries", self.to_public_url(response.url), reading.page_class, reading.entry_count
        )
        self.increment_stat("entries" if response.meta.get("listing") else "article_pages", reading.entry_count)
        for finding in reading.findings:
            self.logger.warning("%s", finding) if " but " in finding else self.logger.info("%s", finding)
        for reason in reading.skipped:
            self.increment_stat("skipped")
            self.logger.info("%s", reason)
        for problem in reading.problems:
            self.report_problem(problem)
        self.measured(reading)
        self.remember_validators(response, reading)
        for article in reading.articles:
            if self.is_in_scope(article):
                self.article_count += 1
                yield article
        if not self.is_single_url:
            yield from self.make_article_requests(reading)
            if response.meta.get("listing") and not self.is_limit_reached():
                yield from self.make_next_requests(response, reading)

    def remember_validators(self, response: Response, reading: Reading) -> None:
        """Keep the response's validators: an article's until it is stored, a list's until the run ends well."""
        memory = response.meta.get("next_memory")
        if memory is None or reading.problems:
            return
        if reading.articles and len(reading.articles) == 1 and reading.articles[0].snapshot:
            self.article_memories[reading.articles[0].snapshot] = memory
        elif not reading.articles:
            self.list_memories.append(memory)

    def make_article_requests(self, reading: Reading) -> Iterator[Request]:
        """Requests for the articles a page lists; `middlewares.known` leaves out what need not be asked again."""
        for link in reading.links[: self.limit]:
            self.unaccounted_urls.setdefault(self.to_public_url(link))
            yield self.make_request(link, meta={"article": True})

    def make_next_requests(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Requests for further list pages; most sources have one page."""
        return iter(())

    def is_in_scope(self, article: Article) -> bool:
        """Whether the run was asked for this article, by age and number."""
        old = bool(self.since and article.published_at and article.published_at < self.since)
        if self.is_limit_reached() or old:
            self.increment_stat("over_limit" if self.is_limit_reached() else "too_old")
            return False
        return True

    def is_limit_reached(self) -> bool:
        """Whether the run has as many articles as it was asked for."""
        return self.limit is not None and self.article_count >= self.limit

    # --- what goes wrong

    def handle_failure(self, failure: Failure) -> Iterator[Request]:
        """A request that never became a response: name why, in one sentence."""
        error = failure.value
        request: Request = failure.request  # type: ignore[attr-defined]
        url = self.to_public_url(request.url)
        if isinstance(error, IgnoreRequest) and "robots.txt" in str(error):
            error = Blocked(f"{url} is forbidden by the site's robots.txt; it is respected.", url=url)
        elif isinstance(error, IgnoreRequest) and str(error) == "max redirections reached":
            error = Unreachable(f"{url} redirects on and on, without an end. Look at the address.", url=url)
        elif isinstance(error, IgnoreRequest) and not isinstance(error, CrawlerError):
            self.logger.debug("%s: %s", url, error)
            return
        elif not isinstance(error, CrawlerError):
            why = f"no answer from {urlsplit(request.url).netloc} ({failure.getErrorMessage()})"
            error = Unreachable(f"{url}: {why}. Check the network, or try again later.", url=url)
        yield from self.handle_error(request, error)

    def handle_error(self, request: Request | None, error: CrawlerError) -> Iterator[Request]:
        """A list that failed is replaced by the next one; anything else is a problem of the run."""
        instead = request.meta.get("instead") if request else None
        if request and request.meta.get("expects") == type(error).__name__:
            self.increment_stat("expected_errors")
            self.logger.info("As expected: %s", error)
        elif instead:
            self.logger.warning("%s Asking %s instead.", error, instead[0])
            self.increment_stat("lists_replaced")
            yield self.make_request(instead[0], listing=True, meta={"instead": instead[1:]})
        else:
            self.has_failed_listing |= bool(request and request.meta.get("listing"))
            self.report_problem(error, self.to_public_url(request.url) if request else None)

    def report_problem(self, error: CrawlerError, url: str | None = None) -> None:
        """Keep a deliberate error as a problem of the run; it is told at the end and sets the exit code."""
        where = url or getattr(error, "url", None)
        kind, code = type(error).__name__, error.exit_code
        problem = Problem(kind=kind, message=str(error), exit_code=code, url=where)
        if problem not in self.problems:
            self.problems.append(problem)
            self.logger.error("%s", error)
            self.crawler.signals.send_catch_log(problem_found, problem=problem, spider=self)
        self.increment_stat(f"problems/{kind}")

    def increment_stat(self, name: str, number: int = 1) -> None:
        """Count something in Scrapy's stats under `crawler/`."""
        if self.crawler.stats:
            self.crawler.stats.inc_value(f"crawler/{name}", number)

"""Make one past run of a source again from its archived responses.

The spider, the policies and the pipelines are those of live runs; only Scrapy's engine is missing. This module does in
its place what depends on the network: it hands each response to the request that it answers, and skips what a live run
retried. What the run requested and the archive does not have was refused, failed, or never sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from urllib.parse import urljoin

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector
from twisted.python.failure import Failure

from crawler.archive.snapshot_reader import ArchivedResponse
from crawler.config import Config
from crawler.context.drops import ArticleDropped
from crawler.context.exceptions import RequestFailed
from crawler.context.modes import RunMode
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext
from crawler.errors import CrawlerError, UsageError
from crawler.extensions.monitoring import get_counts, is_partial_run
from crawler.items import Article, Problem, Run
from crawler.keywords import Matcher, RuleSet
from crawler.middlewares.conditional import ConditionalRequestMiddleware
from crawler.middlewares.replay import make_request_key, make_response
from crawler.middlewares.retry import BackoffRetryMiddleware
from crawler.monitoring.run_health import ENDED_EARLY_KIND, RunFacts, judge_run
from crawler.pages.snapshot import Snapshot
from crawler.pipelines.dedupe import DedupePipeline
from crawler.pipelines.keywords import KeywordsPipeline
from crawler.pipelines.store import StorePipeline
from crawler.pipelines.validate import ValidatePipeline
from crawler.settings import derive_settings
from crawler.spiders.base import SourceSpider
from crawler.spiders.listing_coverage import FullTextListingSpider
from crawler.spiders.url_mapping import is_robots_txt, parse_url_argument
from crawler.store import Store
from crawler.text.counts import format_count

REDIRECT_STATUSES = (301, 302, 303, 307, 308)
RequestKey = tuple[str, str, str]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunScope:
    """What the archive says about a run: when it began (aware), and its limits."""

    started_at: datetime
    since: datetime | None = None
    limit: int | None = None
    url: str | None = None
    mode: RunMode = RunMode.LIVE


def parse_run_tag(tag: str | None, first_response: datetime) -> RunScope:
    """Return the scope of a run from the tag of its records. Without a tag it began with its first response."""
    try:
        values = json.loads(tag or "")
        since, limit, url = (values.get(name) for name in ("since", "limit", "url"))
        scope = RunScope(
            started_at=datetime.fromisoformat(values["started"]),
            since=datetime.fromisoformat(since) if since else None,
            limit=limit if isinstance(limit, int) else None,
            url=parse_url_argument(url) if url else None,
            mode=RunMode.BACKFILL if values.get("mode") == RunMode.BACKFILL else RunMode.LIVE,
        )
    except (ValueError, KeyError, TypeError, AttributeError, UsageError):
        return RunScope(started_at=first_response)
    is_valid = all(time is None or time.tzinfo for time in (scope.started_at, scope.since))
    return scope if is_valid else RunScope(started_at=first_response)


class SharedSettings(Settings):
    """Scrapy's settings of all rebuilt runs of a source. No run changes them."""

    def copy(self) -> Self:
        """Return the settings themselves: Scrapy's copy takes longer than the rest of a run without news."""
        return self


class RunTemplate:
    """What all rebuilt runs of one source share: the spider class, Scrapy's settings, the rules, the store."""

    def __init__(
        self, spider_class: type[SourceSpider], config: Config, store: Store, rules: RuleSet, matcher: Matcher
    ):
        self.spider_class, self.store, self.rules, self.matcher = spider_class, store, rules, matcher
        self.settings = SharedSettings()
        self.settings.setmodule("crawler.settings", priority="project")
        values = {**derive_settings(config, spider_class.name), "CRAWLER_CONFIG": config, "ADDONS": {}}
        for key, value in values.items():
            self.settings.set(key, value, priority="cmdline")


class RebuiltRun:
    """One run: `add_response` for each response in order, then `finish`. Its record is in the store from the start.

    Both raise CrawlerError if the store cannot be written.
    """

    def __init__(self, template: RunTemplate, scope: RunScope) -> None:
        self._crawler = Crawler(template.spider_class, template.settings)
        self._crawler.stats = MemoryStatsCollector(self._crawler)
        self._context = RunContext.from_crawler(self._crawler)
        self._context.store = template.store
        self._context.mode = scope.mode
        self._spider = template.spider_class.from_crawler(
            self._crawler, since=scope.since, limit=scope.limit, url=scope.url
        )
        self._crawler.spider = self._spider
        run = Run(source=self._spider.name, mode=scope.mode.stored_name, started_at=scope.started_at)
        self._context.run = template.store.runs.record_start(run)
        self._conditional = ConditionalRequestMiddleware.from_crawler(self._crawler)
        self._conditional.spider_opened()
        self._pipelines = (
            ValidatePipeline(self._context),
            DedupePipeline(template.store, self._context.known_articles, self._context.increment_stat),
            KeywordsPipeline(self._context, template.rules, template.matcher),
        )
        self._store_pipeline = StorePipeline(self._context, self._spider)
        self._retry = BackoffRetryMiddleware.from_crawler(self._crawler)
        self._waiting: dict[RequestKey, Request] = {}
        self._answered: set[RequestKey] = set()
        self._last_time = scope.started_at
        for request in asyncio.run(_list_first_requests(self._spider)):
            self._add_request(request)

    @property
    def problems(self) -> list[Problem]:
        """What was wrong with the run's pages."""
        return self._context.problems

    def add_response(self, archived: ArchivedResponse) -> None:
        """Read one response. One that cannot be read leaves its request without an answer."""
        self._last_time = max(self._last_time, archived.time)
        snapshot = archived.snapshot
        if snapshot is None or is_robots_txt(snapshot.url):
            return
        self._context.increment_stat("pages")
        key, request = self._find_request(snapshot)
        self._waiting.pop(key, None)
        self._answered.add(key)
        if redirected := _make_redirected_request(request, snapshot):
            self._add_request(redirected)
            return
        RequestMeta.update(request, record=snapshot.ref, fetched_at=archived.time, original=archived.original)
        response = make_response(snapshot, request)
        try:
            results = self._pass_middlewares(request, response)
        except RequestFailed as error:
            failure = Failure(error)  # type: ignore[no-untyped-call]
            failure.request = request  # type: ignore[attr-defined]
            results = self._spider.handle_failure(failure)
        self._handle_results(results, response.url)

    def finish(self) -> Run:
        """Store what the run found out about known pages, and its record. Return the record."""
        context, spider = self._context, self._spider
        missing = [RequestMeta.from_request(request) for request in self._waiting.values()]
        if missing:
            context.has_failed_listing |= any(meta.is_listing for meta in missing)
            requests = format_count(len(missing), "request")
            message = f"The archive has no answer to {requests} of this run: it was ended, or the site did not answer."
            context.add_problem(Problem(kind=ENDED_EARLY_KIND, message=message, exit_code=1))
        for policy in (context.recrawl_policy, context.deletion_policy):
            if policy is not None:
                policy.save_findings()
        assert context.run is not None
        counts = get_counts(self._crawler.stats.get_stats())
        # How often the source publishes, and what it was compared with, is not known any more.
        facts = RunFacts(
            title=spider.title,
            min_links=spider.expectation.min_links,
            max_silence=None,
            problems=tuple(context.problems),
            counts=counts,
            now=self._last_time,
            is_single_page=bool(spider.url),
        )
        health, reason, code = judge_run(facts)
        is_complete = not (missing or context.has_failed_listing or is_partial_run(spider))
        run = replace(
            context.run,
            finished_at=self._last_time,
            health=health,
            reason=reason,
            exit_code=code,
            complete=is_complete,
            counts=counts,
            problems=facts.problems,
        )
        context.store.runs.record_end(run, context.listing_cache_entries if code == 0 else ())
        return run

    def _add_request(self, request: Request) -> None:
        """Expect an answer to a request, unless a live run would not have sent it."""
        key = self._make_key(request.method, request.url, request.body)
        if key in self._answered and not request.dont_filter:
            return
        try:
            self._conditional.process_request(request)
        except IgnoreRequest:
            return
        self._waiting[key] = request

    def _find_request(self, snapshot: Snapshot) -> tuple[RequestKey, Request]:
        """Return the request that a response answers, with its key.

        One that the spider did not make was for a known article that no list named, or for a fallback list.
        """
        key = self._make_key(snapshot.method, snapshot.url, snapshot.payload)
        if key in self._waiting:
            return key, self._waiting[key]
        url = self._spider.to_public_url(snapshot.url)
        meta = self._find_fallback(url)
        if meta is None:
            is_article = self._spider.site.identify(url) is not None
            meta = RequestMeta(is_article=is_article, is_listing=not is_article, is_recrawl=is_article)
        request = self._spider.make_request(url, meta, method=snapshot.method, body=snapshot.payload or b"")
        if isinstance(self._spider, FullTextListingSpider):
            self._spider.expect_answer()
        self._conditional.process_request(request)
        return key, request

    def _find_fallback(self, url: str) -> RequestMeta | None:
        """Return the notes on a list that was requested in place of one that failed. That one needs no answer."""
        for key, request in self._waiting.items():
            meta = RequestMeta.from_request(request)
            if url in meta.fallback_urls:
                del self._waiting[key]
                self._context.increment_stat("lists_replaced")
                rest = meta.fallback_urls[meta.fallback_urls.index(url) + 1 :]
                return RequestMeta(is_listing=True, fallback_urls=rest)
        return None

    def _pass_middlewares(self, request: Request, response: Response) -> Iterable[Any]:
        """Return what the spider makes of a response, or the request that a live run sent instead."""
        retry = self._retry.process_response(request, response)
        if isinstance(retry, Request):
            return [retry]
        result = self._conditional.process_response(request, response)
        return [result] if isinstance(result, Request) else self._spider.parse(result)

    def _handle_results(self, results: Iterable[Any], url: str) -> None:
        """Store the articles and expect answers to the requests that a response led to."""
        try:
            for result in results:
                if isinstance(result, Request):
                    self._add_request(result)
                elif isinstance(result, Article):
                    self._store_article(result)
        except CrawlerError:
            raise
        except Exception as error:
            log.debug("%s cannot be read", url, exc_info=True)
            message = f"{type(error).__name__} at {url}: {error}."
            self._context.add_problem(Problem(kind=type(error).__name__, message=message, exit_code=1, url=url))

    def _store_article(self, article: Article) -> None:
        try:
            for pipeline in self._pipelines:
                article = pipeline.process_item(article)
            self._store_pipeline.store_item(article)
        except ArticleDropped:
            if self._context.has_given_up:
                raise CrawlerError(self._context.problems[-1].message) from None

    def _make_key(self, method: str, url: str, payload: bytes | None) -> RequestKey:
        return make_request_key(method, self._spider.to_public_url(url), payload)


async def _list_first_requests(spider: SourceSpider) -> list[Request]:
    return [request async for request in spider.start()]


def _make_redirected_request(request: Request, snapshot: Snapshot) -> Request | None:
    """Return the request that a redirect leads to, None where the response is none."""
    location = snapshot.headers.get("location")
    if snapshot.status not in REDIRECT_STATUSES or not location:
        return None
    redirected = request.replace(url=urljoin(snapshot.url, location), dont_filter=True)
    redirected.meta["redirect_urls"] = [*request.meta.get("redirect_urls", []), request.url]
    return redirected

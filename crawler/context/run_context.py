"""RunContext: the state of one run that its components share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.utils.misc import build_from_crawler, load_object

from crawler.archive.snapshot_folder import StoredPage, load_stored_pages
from crawler.config import Config, load_config
from crawler.context.configured_store import open_configured_store
from crawler.context.drops import ArticleDeferred, ArticleNotStored
from crawler.context.known_articles import KnownArticles
from crawler.context.modes import BackfillWindow, RunMode, Storage
from crawler.errors import ArchiveError, CrawlerError, StoreError, Unreachable
from crawler.items import Article, Problem, Run, SnapshotRef
from crawler.monitoring.run_stats import RunStats
from crawler.pages.base import STORED_URL_PREFIX, name_stored_file
from crawler.similarity.documents import DocumentCache
from crawler.store import HttpCacheEntry, Store, open_store, store_exists
from crawler.text.cleaning import clean_line

GAVE_UP = "gave_up"
"""Scrapy's finish reason of a run that `give_up` ended."""
SHUTDOWN = "shutdown"
"""Scrapy's finish reason of a run that a signal ended: its process has only seconds left."""
PARSE_COMMAND_MODULE = "scrapy.commands.parse"
problem_found = object()
"""Signal: the run has a new Problem. Sent with `problem` and `spider`."""

_contexts: WeakKeyDictionary[Crawler, RunContext] = WeakKeyDictionary()


class KnownPagePolicy(Protocol):
    """Decides which known pages are requested again, and what 404 or 410 means (setting CRAWLER_RECRAWL_POLICY)."""

    def load_known(self, urls: Iterable[str]) -> None:
        """Read what the store has of these addresses, in one query instead of one at each request."""

    def is_new(self, url: str) -> bool:
        """Whether the address names an article that the store does not have."""

    def claim_if_due(self, url: str) -> bool:
        """Return whether a listed address is to be requested. A recrawl counts against the run's budget."""

    def was_gone_last_time(self, url: str) -> bool:
        """Whether the page was gone at its last request: then it is requested without conditions."""

    def list_unlisted_due(self) -> Iterable[str]:
        """Return the addresses to request that no list of the run named."""

    def record_seen(self, url: str, at: datetime) -> None:
        """Record that the page exists."""

    def handle_gone_page(self, response: Response) -> Iterable[Article]:
        """Return the versions to store for a page that answers 404 or 410."""

    def save_findings(self) -> None:
        """Store what the run found out about known pages."""


class ListDeletionPolicy(Protocol):
    """Finds articles that their lists no longer show (setting CRAWLER_DELETION_POLICY)."""

    read_back_until: datetime | None
    """Lists are read on past the newest known article, back to this time; None: stop there."""

    def find_deleted(self, coverage: Mapping[str, Any]) -> Iterator[Article]:
        """Yield the versions to store, once all lists (by name) are read."""

    def save_findings(self) -> None:
        """Store which articles the lists no longer showed."""


@dataclass(eq=False, kw_only=True)
class RunContext:
    """How one run works, what it may use, and what it has found so far. A run has one; components read it.

    A component gets it in `from_crawler` by `RunContext.from_crawler(crawler)`.
    """

    source: str = ""
    """The source's name; empty in `scrapy shell`, which is no run of a source."""
    config: Config = field(default_factory=Config)
    mode: RunMode = RunMode.LIVE
    storage: Storage = Storage.CONFIGURED
    replay_path: Path | None = None
    """The snapshot folder or WARC file of a replay."""
    keeps_unchanged: bool = False
    """Whether unchanged articles pass the whole pipeline."""
    backfill_window: BackfillWindow | None = None
    """What bounds a run of a backfill; None in all other runs."""

    run: Run | None = None
    """The run's record, None until it is stored as begun."""
    run_stats: RunStats = field(default_factory=RunStats)
    """What the run measures of its pages and articles."""
    problems: list[Problem] = field(default_factory=list)
    has_failed_listing: bool = False
    page_changes: list[str] = field(default_factory=list)
    """Why the source's page classes could not read pages that the generic reader read."""
    failure: CrawlerError | None = None
    """Why the run gave up, None for one that did not."""
    unaccounted_urls: dict[str, None] = field(default_factory=dict)
    """Listed addresses, minus those of stored articles and those found to be no article.

    The run's end reports those for which the store has no article either.
    """
    article_cache_entries: dict[SnapshotRef, HttpCacheEntry] = field(default_factory=dict)
    """What to store of a response together with its article."""
    listing_cache_entries: list[HttpCacheEntry] = field(default_factory=list)
    """What to store of list responses when the run ends well."""
    unreadable_pages: dict[str, Unreachable] = field(default_factory=dict)
    """Why a replay has no page of these addresses, although they are stored."""
    backfilled_ids: set[str] = field(default_factory=set)
    """Native ids on list pages behind the last known article: no earlier run has read that far back."""

    _crawler: ref[Crawler] | None = field(default=None, repr=False)
    _closing: asyncio.Task[None] | None = field(default=None, repr=False)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RunContext:
        """Return the crawl's context, made at the first call."""
        found = _contexts.get(crawler)
        if found is None:
            settings = crawler.settings
            replay = settings.get("CRAWLER_REPLAY_PATH")
            mode = RunMode(settings.get("CRAWLER_MODE", RunMode.LIVE))
            found = cls(
                source=settings.get("CRAWLER_SOURCE", ""),
                config=read_config(settings),
                mode=mode,
                storage=_choose_storage(crawler, mode),
                replay_path=Path(replay) if replay else None,
                keeps_unchanged=settings.getbool("CRAWLER_KEEP_UNCHANGED"),
                backfill_window=settings.get("CRAWLER_BACKFILL_WINDOW"),
                _crawler=ref(crawler),
            )
            _contexts[crawler] = found
        return found

    @classmethod
    def from_source_run(cls, crawler: Crawler) -> RunContext:
        """Return the crawl's context; raise NotConfigured in `scrapy shell`, `fetch` and `view`.

        Scrapy builds the same components there. None of them may store anything.
        """
        if crawler.spider is None or not crawler.settings.get("CRAWLER_SOURCE"):
            raise NotConfigured
        return cls.from_crawler(crawler)

    @property
    def crawler(self) -> Crawler | None:
        """Scrapy's crawler; None in a test without a crawl."""
        return self._crawler() if self._crawler else None

    @property
    def has_given_up(self) -> bool:
        """Whether the run ends before its end, because every further page would fail too."""
        return self.failure is not None

    @property
    def can_write(self) -> bool:
        """Whether the run stores anything."""
        return self.storage is not Storage.NONE

    @cached_property
    def store(self) -> Store:
        """The run's only store, so that all components see the same transactions. It is opened at the first use.

        Without storage a database that exists is read and none is made. Raise EmptyStore as `open_configured_store`
        does, unless the setting CRAWLER_NEW_STORE is on.
        """
        assert self.crawler is not None
        settings = self.crawler.settings
        url = settings["CRAWLER_DATABASE"]
        if self.storage is Storage.CONFIGURED:
            return open_configured_store(self.config, new_store=settings.getbool("CRAWLER_NEW_STORE"), url=url)
        if self.storage is Storage.TEMPORARY or (self.storage is Storage.NONE and not store_exists(url)):
            url = "sqlite://"
        return open_store(url)

    @cached_property
    def known_articles(self) -> KnownArticles:
        """What the store has of the run's articles."""
        return KnownArticles(self.store.articles)

    @cached_property
    def documents(self) -> DocumentCache:
        """Texts of the run's articles that are compared at its end, so that they are not read again."""
        return DocumentCache()

    @cached_property
    def stored_pages(self) -> list[StoredPage]:
        """The pages that a replay reads, oldest first. What cannot be read of them is a problem of the run."""
        assert self.replay_path is not None
        errors: list[ArchiveError] = []
        pages = load_stored_pages(self.replay_path, self.source, on_error=errors.append)
        readable = {page.snapshot.url for page in pages}
        for error in errors:
            if error.url in readable:  # a run repeats the request for a body that is cut off
                logging.getLogger(self.source).info("%s The same address has another answer.", error)
            elif error.url is not None:
                self.unreadable_pages[error.url] = Unreachable(str(error), url=error.url)
                self.report_problem(self.unreadable_pages[error.url])
            else:
                self.report_problem(error)
        return pages

    @property
    def started_at(self) -> datetime:
        """When the run began, which is now if it has no record yet. A rebuilt run began when its archive says."""
        return self.run.started_at if self.run else datetime.now(UTC)

    @cached_property
    def recrawl_policy(self) -> KnownPagePolicy | None:
        """The policy for known pages; None in a replay or a backfill."""
        policy: KnownPagePolicy | None = self._load_policy("CRAWLER_RECRAWL_POLICY")
        return policy

    @cached_property
    def deletion_policy(self) -> ListDeletionPolicy | None:
        """The policy for articles that are on no list; None in a replay or backfill, and where they have pages."""
        policy: ListDeletionPolicy | None = self._load_policy("CRAWLER_DELETION_POLICY")
        return policy

    def _load_policy(self, setting: str) -> Any:
        crawler = self.crawler
        if crawler is None or self.mode is not RunMode.LIVE:
            return None
        try:
            return build_from_crawler(load_object(crawler.settings[setting]), crawler)
        except NotConfigured:
            return None

    @cached_property
    def _last_complete_run_id(self) -> int | None:
        return self.store.runs.get_last_complete_id(self.source)

    def has_settled(self, native_ids: Collection[str]) -> bool:
        """Whether the last complete run, or one before it, stored one of the articles.

        Articles of a killed run do not count: behind them may be articles that the run never reached.
        """
        last_id = self._last_complete_run_id
        if last_id is None:
            return False
        self.known_articles.load(self.source, native_ids)
        return any(
            state.first_run_id is not None and state.first_run_id <= last_id
            for native_id in native_ids
            for state in self.known_articles.list_states(self.source, native_id)
        )

    def increment_stat(self, name: str, number: int = 1) -> None:
        """Add to one of Scrapy's stats, under `crawler/`."""
        if self.crawler and self.crawler.stats:
            self.crawler.stats.inc_value(f"crawler/{name}", number)

    def get_stat(self, name: str) -> int:
        """Return one of the stats under `crawler/`, 0 when nothing was counted."""
        return self.crawler.stats.get_value(f"crawler/{name}", 0) if self.crawler and self.crawler.stats else 0

    def report_problem(self, error: CrawlerError, url: str | None = None) -> None:
        """Log a deliberate error and add it to the run's problems, at `url` or where the error says."""
        where = url or getattr(error, "url", None)
        message = self._name_page_file(str(error), where)
        problem = Problem(kind=error.kind, message=message, exit_code=error.exit_code, url=where)
        if self.add_problem(problem):
            logging.getLogger(self.source).error("%s", message)

    def _name_page_file(self, message: str, url: str | None) -> str:
        """Return the message with the file of a replayed page in place of its address, which is a hash.

        A stored page without a meta file has such an address.
        """
        if url is None or (name := self.get_page_name(url)) == url:
            return message
        return name_stored_file(message, url, f"{name} (it has no meta file)")

    def get_page_name(self, url: str) -> str:
        """Return the address of a page, or the file of a replayed page that has no address."""
        if self.replay_path is None or not url.startswith(STORED_URL_PREFIX):
            return url
        return next((str(page.path) for page in self.stored_pages if page.snapshot.url == url), url)

    def add_problem(self, problem: Problem) -> bool:
        """Add a problem: the run's end reports it and takes its exit code from it. Return whether it is new.

        A problem with the kind, URL and message of another is the same one. It is counted again and kept once.
        """
        url = clean_line(problem.url) if problem.url else None
        problem = replace(problem, message=clean_line(problem.message), url=url)
        self.increment_stat(f"problems/{problem.kind}")
        if problem in self.problems:
            return False
        self.problems.append(problem)
        if self.crawler:
            self.crawler.signals.send_catch_log(problem_found, problem=problem, spider=self.crawler.spider)
        return True

    @contextmanager
    def give_up_without_store(self) -> Iterator[None]:
        """End the run if the store is lost in the block."""
        try:
            yield
        except StoreError as error:
            self.give_up(error)

    @contextmanager
    def drop_without_store(self, article: Article) -> Iterator[None]:
        """Drop the article if the run has given up, or if the store fails in the block, which ends the run.

        The next article would fail too: the disk is full, the server gone, or a lock held for half a minute.
        """
        if self.has_given_up:
            raise ArticleDeferred(f"{article.id} is left for the next run", is_matched=article.is_matched)
        try:
            yield
        except CrawlerError as error:
            self.give_up(error)
            raise ArticleNotStored(f"{article.id} could not be stored", is_matched=article.is_matched) from error

    def record_failure(self, error: CrawlerError) -> None:
        """Report an error that made the whole run fail. The first one stays its `failure`."""
        self.failure = self.failure or error
        self.report_problem(error)

    def give_up(self, error: CrawlerError) -> None:
        """End the run for an error that every further page would meet too, such as a store that cannot be written."""
        if self.has_given_up:
            return
        self.record_failure(error)
        # Scrapy's engine is there only while it crawls.
        engine = self.crawler.engine if self.crawler and self.crawler.crawling else None
        if engine is not None and engine.running:
            # A loop holds its tasks weakly.
            self._closing = asyncio.get_event_loop().create_task(engine.close_spider_async(reason=GAVE_UP))


def _choose_storage(crawler: Crawler, mode: RunMode) -> Storage:
    """Return where the crawl stores. Unless CRAWLER_STORAGE says so, stored pages never get into the owner's store.

    `scrapy parse URL` looks at one page, and stores nothing. The command replaces the spider's `start`, and leaves no
    other trace.
    """
    start = getattr(crawler.spidercls, "start", None)
    if getattr(start, "__module__", None) == PARSE_COMMAND_MODULE:
        return Storage.NONE
    default = Storage.TEMPORARY if mode.is_replay else Storage.CONFIGURED
    return Storage(crawler.settings.get("CRAWLER_STORAGE", default))


def read_config(settings: BaseSettings) -> Config:
    """Return the crawl's configuration; read it, once, unless the caller put one into CRAWLER_CONFIG."""
    config = settings.get("CRAWLER_CONFIG")
    if not isinstance(config, Config):
        path = settings.get("CRAWLER_CONFIG_FILE")
        config = load_config(Path(path) if path else None)
        # Frozen where a crawl without our add-on asks for its first middleware.
        if not settings.frozen:
            settings.set("CRAWLER_CONFIG", config, priority="cmdline")
    return config

"""Run one source, once: the plan, the run in this process, and the outcome.

Scrapy is imported when a run starts, not before: the parent process of many runs needs only plans and outcomes.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from crawler.config import Config, LimitsConfig, load_config
from crawler.context.modes import BackfillWindow, RunMode, Storage
from crawler.errors import CrawlerError, SourceLocked
from crawler.items import Health, Run
from crawler.monitoring.run_health import has_ended_early

if TYPE_CHECKING:
    from scrapy.settings import Settings

    from crawler.context.run_context import RunContext
    from crawler.spiders.base import SourceSpider

logger = logging.getLogger(__name__)
_environment_lock = threading.Lock()
LOOKUP_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
CONNECTION_EVENTS = ("socket.connect", "socket.sendto")
"""Audit events of Python's socket module."""
UNREAD_EXTENSIONS = tuple(
    f"scrapy.extensions.{name}" for name in ("corestats.CoreStats", "logcount.LogCount", "logstats.LogStats")
)
"""Receivers of every page and article whose counts nobody reads in these runs. `scrapy crawl` keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What one run of one source does. Plain values, so that it can be sent to another process."""

    source: str
    config: Path | None = None
    """The configuration file, None for the one that is found."""
    replay: Path | None = None
    """A snapshot folder or a `.warc.gz` file to read instead of the site."""
    url: str | None = None
    """The only address to read."""
    since: datetime | None = None
    """The oldest publication time (aware)."""
    limit: int | None = None
    """The most articles."""
    backfill: BackfillWindow | None = None
    """What bounds one window of the source's history, which the run reads instead of what is new."""
    storage: Storage = Storage.CONFIGURED
    keep_unchanged: bool = False
    """Whether unchanged articles pass the whole pipeline."""
    new_store: bool = False
    """Whether an empty store beside an archive with records is accepted."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the run (`CRAWLER_DATABASE` and so on)."""
    limits: LimitsConfig = field(default_factory=lambda: LimitsConfig.model_validate({}))
    """Of time and memory, for a run in a process of its own, as what follows."""
    grace: float = 4.0
    """Seconds between the signals that stop it: TERM, TERM, KILL. All come within the 10 s of `docker stop`."""
    log_level: int = logging.WARNING
    """Level from which log records become events."""
    target: str = "crawler.service.run:run_source"
    """The function that makes the run, called with the plan and a function that takes events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How one run in a process of its own ended, whatever that process did. Every run has exactly one.

    `run` is the record it reported, None if it died before. `exit_code` follows `crawler.errors`. `reason` is a
    sentence. `stopped`: the parent ended it (on request, or `at_limit`). `killed`: SIGKILL was needed. `lost`: another
    process killed it, as the kernel does when memory runs out. `seconds` count from the fork.
    """

    source: str
    run: Run | None = None
    exit_code: int
    reason: str
    killed: bool = False
    stopped: bool = False
    at_limit: bool = False
    lost: bool = False
    seconds: float = 0.0

    @property
    def was_stopped(self) -> bool:
        """Whether a person or the end of the watch stopped the run, so that it says nothing about the source."""
        return self.stopped and not self.at_limit and (self.run is None or has_ended_early(self.run))

    @property
    def health(self) -> str:
        """The health of the run, or `skipped` for a run that did not start because another one was in progress."""
        if self.was_stopped:
            return Health.STOPPED
        without_run = "skipped" if self.exit_code == SourceLocked.exit_code else Health.FAILED
        return self.run.health if self.run and self.run.health else without_run


def run_source(plan: RunPlan, emit: Callable[[dict[str, Any]], None]) -> Run:
    """Crawl or replay one source and return the run's record. Events go to `emit`.

    A Scrapy reactor can run only once in a process, so this can be called only once (see `crawler.service`). Raises
    UsageError, before anything is requested, for a plan or a configuration that is not valid.
    """
    from crawler import spiders
    from crawler.archive.snapshot_folder import load_stored_pages

    config = load_config(plan.config)
    config.raise_if_unknown_source(spiders.list_file_names())
    spider_class = spiders.load_spider(plan.source)
    spiders.raise_if_retired(plan.source)
    if plan.replay:
        forbid_sockets()
        # Raise NoSnapshots now: inside the engine it would become a traceback.
        load_stored_pages(plan.replay, plan.source, on_error=lambda error: None)
    return crawl_once(plan, config, spider_class, emit)[0]


def crawl_once(
    plan: RunPlan, config: Config, spider_class: type[SourceSpider], emit: Callable[[dict[str, Any]], None]
) -> tuple[Run, SourceSpider]:
    """Run a spider to its end. Return the run's record and the spider."""
    from scrapy.crawler import AsyncCrawlerProcess

    from crawler.context.run_context import RunContext
    from crawler.extensions.progress import ProgressReporter

    process = AsyncCrawlerProcess(make_settings(plan, config))
    # Scrapy sets it to DEBUG: each page would make two records that no handler takes.
    logging.getLogger("scrapy").setLevel(logging.NOTSET)
    crawler = process.create_crawler(spider_class)
    # Signals hold their receivers weakly: `progress` must live as long as the run.
    progress = ProgressReporter(emit)
    progress.connect_signals(crawler)
    crawling = process.crawl(crawler, url=plan.url, since=plan.since, limit=plan.limit)
    process.start(install_signal_handlers=True)
    if crawling.done() and not crawling.cancelled() and (error := crawling.exception()):
        raise error  # the crawl could not start: a broken rules file, a store that cannot be opened
    return get_run_record(plan, RunContext.from_crawler(crawler)), cast("SourceSpider", crawler.spider)


def forbid_sockets() -> None:
    """Let no Python code of this process reach a network, until the process ends: a replay reads from disk.

    A database's own library connects without Python's sockets and is not affected.
    """

    def raise_if_network(event: str, details: tuple[Any, ...]) -> None:
        is_lookup = event in LOOKUP_EVENTS
        if is_lookup or (event in CONNECTION_EVENTS and isinstance(details[1], tuple)):
            target = details[0 if is_lookup else 1]
            raise CrawlerError(f"A replay opens no socket, but something requested {target}.")

    sys.addaudithook(raise_if_network)


def make_settings(run_plan: RunPlan, config: Config) -> Settings:
    """Return Scrapy's settings for one plan."""
    from scrapy.settings import Settings

    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    values = {
        "EXTENSIONS": settings.getdict("EXTENSIONS") | dict.fromkeys(UNREAD_EXTENSIONS),
        "CRAWLER_CONFIG": config,
        "CRAWLER_MODE": RunMode.BACKFILL if run_plan.backfill else RunMode.from_path(run_plan.replay),
        "CRAWLER_BACKFILL_WINDOW": run_plan.backfill,
        "CRAWLER_STORAGE": run_plan.storage,
        "CRAWLER_REPLAY_PATH": str(run_plan.replay.absolute()) if run_plan.replay else None,
        "CRAWLER_KEEP_UNCHANGED": run_plan.keep_unchanged,
        "CRAWLER_NEW_STORE": run_plan.new_store,
        "LOG_ENABLED": False,  # the caller decides where log records go
        "LOG_INSTALL_ROOT_HANDLER": False,
    }
    for key, value in values.items():
        settings.set(key, value, priority="cmdline")
    return settings


def get_run_record(plan: RunPlan, context: RunContext) -> Run:
    """Return the run's record. Raise CrawlerError for a run that never started."""
    if context.run is None and context.failure:
        raise context.failure
    if context.run is None or context.run.finished_at is None:
        raise CrawlerError(f"The run of {plan.source} ended before it started; the log says why.")
    return context.run


def record_unreported_end(plan: RunPlan, outcome: RunOutcome, pid: int) -> None:
    """Record what the run's own process could not: that it crashed (failed), or that it was stopped.

    If the store cannot be written, log a warning: the next run of the source records it as well.
    """
    from crawler.store import open_store  # Here, because a parent of well-behaved runs needs no database.

    if plan.storage is not Storage.CONFIGURED:
        return
    try:
        with open_store(_load_config(plan).database_url) as store:
            now, reason = datetime.now(UTC), outcome.reason
            if outcome.was_stopped:
                run_id = outcome.run.id if outcome.run else None
                store.runs.close_stopped(plan.source, now, reason, pid=pid, run_id=run_id)
            else:
                store.runs.close_abandoned(plan.source, now, reason, pid=pid)
    except CrawlerError as error:
        logger.warning("The end of the run of %s could not be recorded: %s", plan.source, error)


def _load_config(plan: RunPlan) -> Config:
    """Return the configuration of a run, from this process. Several runs may end at once, each in a thread."""
    with _environment_lock:
        former = {name: os.environ.get(name) for name in plan.variables}
        os.environ.update(plan.variables)
        try:
            return load_config(plan.config)
        finally:
            for name, value in former.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

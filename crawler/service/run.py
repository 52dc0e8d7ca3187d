"""One source, once, in this process.

Scrapy is imported when a run begins, not before: a parent of many runs (`process`) needs only the plan.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.config import Config, load_config
from crawler.errors import CrawlerError
from crawler.items import Problem, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What one run of one source is asked to do; plain values, so that it travels to another process.

    `config` is the configuration file, None for the one in force. `replay` is a folder or `.warc.gz` file to read
    instead of the site, `url` one address to read alone, `since` (aware) the oldest article wanted, `limit` the most
    articles. `dry_run` stores nothing. With `everything` unchanged articles go down the whole stream too. `variables`
    are environment variables set for the run (`CRAWLER_DATABASE` and the like).
    """

    source: str
    config: Path | None = None
    replay: Path | None = None
    url: str | None = None
    since: datetime | None = None
    limit: int | None = None
    dry_run: bool = False
    keep_unchanged: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def run_source(plan: RunPlan, emit: Callable[[dict[str, Any]], None]) -> Run:
    """Crawl or replay one source, once, in this process; events go to `emit`, the run's record comes back.

    A Scrapy reactor can run only once in a process, so this can be called only once (see `crawler.service`). Raises
    UsageError before anything is asked of a site when the plan or the configuration cannot be meant.
    """
    from scrapy.crawler import AsyncCrawlerProcess

    from crawler import spiders
    from crawler.archive.snapshot_folder import load_stored_pages
    from crawler.extensions.progress import ProgressReporter

    config = load_config(plan.config)
    config.raise_if_unknown_source(spiders.list_names())
    spider_class = spiders.load_spider(plan.source)
    if plan.replay:
        forbid_sockets()
        load_stored_pages(plan.replay, plan.source)  # NothingStored now, in one sentence, rather than inside the engine
    process = AsyncCrawlerProcess(make_settings(plan, config))
    crawler = process.create_crawler(spider_class)
    progress = ProgressReporter(emit)
    progress.connect_signals(crawler)  # signals hold their receivers weakly: `progress` must live as long as the run
    crawling = process.crawl(crawler, url=plan.url, since=plan.since, limit=plan.limit)
    process.start(install_signal_handlers=True)
    if crawling.done() and not crawling.cancelled() and (error := crawling.exception()):
        raise error  # the crawl could not begin: a broken rules file, an unusable store
    return get_run_record(plan, crawler)


def forbid_sockets() -> None:
    """Let no Python code of this process reach a network, until its end: what a replay needs is on disk.

    A database is reached by its own library, which does not pass here.
    """

    def refuse(event: str, details: tuple[Any, ...]) -> None:
        asked = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
        if asked or (event in ("socket.connect", "socket.sendto") and isinstance(details[1], tuple)):
            raise CrawlerError(f"A replay opens no socket, but something asked for {details[0 if asked else 1]}.")

    sys.addaudithook(refuse)


def make_settings(run_plan: RunPlan, config: Config) -> Settings:
    """Scrapy's settings for one plan."""
    from scrapy.settings import Settings

    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    wanted = {
        "CRAWLER_CONFIG": config,
        "CRAWLER_REPLAY": run_plan.replay is not None,
        "CRAWLER_STORED": str(run_plan.replay.absolute()) if run_plan.replay else None,
        "CRAWLER_DRY_RUN": run_plan.dry_run,
        "CRAWLER_KEEP_UNCHANGED": run_plan.keep_unchanged,
        "LOG_ENABLED": False,  # whoever calls decides what becomes of log records
        "LOG_INSTALL_ROOT_HANDLER": False,
    }
    for key, value in wanted.items():
        settings.set(key, value, priority="cmdline")
    return settings


def get_run_record(plan: RunPlan, crawler: Crawler) -> Run:
    """The run's record; a run that never began raises what kept it from beginning."""
    spider = crawler.spider
    run: Run | None = getattr(spider, "run", None)
    problems: list[Problem] = getattr(spider, "problems", [])
    if run is None and problems:
        raise CrawlerError(problems[0].message)
    if run is None or run.finished_at is None:
        raise CrawlerError(f"The run of {plan.source} ended before it began; the log says why.")
    return run

"""One source, once, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.settings import Settings

from crawler import spiders
from crawler.archive.folder import stored_pages
from crawler.config import Config, load
from crawler.errors import CrawlerError, UsageError
from crawler.items import Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

FORMATS = {".jsonl": "jsonlines", ".json": "json", ".csv": "csv", ".xml": "xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What one run of one source is asked to do; plain values, so that it travels to another process.

    `config` is the configuration file, None for the one in force. `replay` is a folder or `.warc.gz` file to read
    instead of the site, `url` one address to read alone, `since` (aware) the oldest article wanted, `limit` the most
    articles. `dry_run` stores nothing. `output` is a file to export to; with `everything` also unmatched and unchanged
    articles. `variables` are environment variables set for the run (`CRAWLER_DATABASE` and the like).
    """

    source: str
    config: Path | None = None
    replay: Path | None = None
    url: str | None = None
    since: datetime | None = None
    limit: int | None = None
    dry_run: bool = False
    output: Path | None = None
    everything: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def run_source(plan: RunPlan, emit: Callable[[dict[str, Any]], None]) -> Run:
    """Crawl or replay one source, once, in this process; events go to `emit`, the run's record comes back.

    A Scrapy reactor can run only once in a process, so this can be called only once (see `crawler.process`). Raises
    UsageError before anything is asked of a site when the plan or the configuration cannot be meant.
    """
    from scrapy.crawler import AsyncCrawlerProcess

    config = load(plan.config)
    config.check_sources(spiders.names())
    spider_class = spiders.load(plan.source)
    if plan.replay:
        stored_pages(plan.replay, plan.source)  # NothingStored now, in one sentence, rather than inside the engine
    process = AsyncCrawlerProcess(settings_of(plan, config, emit), install_root_handler=False)
    crawler = process.create_crawler(spider_class)
    process.crawl(crawler, url=plan.url, since=plan.since, limit=plan.limit)
    process.start(install_signal_handlers=True)
    return ended(plan, crawler)


def settings_of(plan: RunPlan, config: Config, emit: Callable[[dict[str, Any]], None]) -> Settings:
    """Scrapy's settings for one plan."""
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    wanted = {
        "CRAWLER_CONFIG": config,
        "CRAWLER_REPLAY": str(plan.replay.absolute()) if plan.replay else "",
        "CRAWLER_DRY_RUN": plan.dry_run,
        "CRAWLER_KEEP_UNCHANGED": plan.everything,
        "CRAWLER_EMIT": emit,
        "LOG_ENABLED": False,  # the child's log records are events, too
        "FEEDS": feed(plan),
    }
    for key, value in wanted.items():
        settings.set(key, value, priority="cmdline")
    return settings


def feed(plan: RunPlan) -> dict[str, Any]:
    """Scrapy's FEEDS for the plan's output file; UsageError for an ending that says no format."""
    if plan.output is None:
        return {}
    kind = FORMATS.get(plan.output.suffix.lower())
    if kind is None:
        raise UsageError(f"{plan.output}: the ending must be one of {', '.join(FORMATS)}.")
    options: dict[str, Any] = {"format": kind, "overwrite": True, "store_empty": True}
    if not plan.everything:
        options["item_filter"] = "crawler.feeds.export.Matched"
    return {str(plan.output.absolute()): options}


def ended(plan: RunPlan, crawler: Crawler) -> Run:
    """The run's record; a run that never began raises what kept it from beginning."""
    spider = crawler.spider
    run: Run | None = getattr(spider, "run", None)
    if run is None or run.finished_at is None:
        raise CrawlerError(f"The run of {plan.source} ended before it began; the log says why.")
    return run

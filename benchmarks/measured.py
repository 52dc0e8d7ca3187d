"""Crawl once in this process and measure it from within: `python -m benchmarks.measured WHAT URL FOLDER STARTED`.

WHAT is one of

    bare         Scrapy, with a parse that only reads the title
    tuned        the same with the settings that `crawler.settings` makes for speed
    whole        `run_source` with everything on
    deferred     the same, and then the judging of what the run deferred
    whole-PART   the same without one part (see `PARTS`), or without several, joined by `+`

STARTED is the time (CLOCK_MONOTONIC) at which the parent started this process. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import scrapy
from scrapy import Request, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response
from scrapy.utils.misc import load_object

from benchmarks.loopback import CONNECTIONS, FEED, SOURCE, make_crawl_environment

Measurement = dict[str, Any]
moments: dict[str, tuple[float, float]] = {}
"""When (CLOCK_MONOTONIC) and after how much CPU (seconds) the crawl began and ended."""

BARE = {
    "CONCURRENT_REQUESTS": CONNECTIONS,
    "CONCURRENT_REQUESTS_PER_DOMAIN": CONNECTIONS,
    "DOWNLOAD_DELAY": 0,
    "AUTOTHROTTLE_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_ENABLED": False,
}


class Clock:
    """A Scrapy extension that notes when the crawl begins and ends."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        crawler.signals.connect(self.engine_started, signals.engine_started)
        crawler.signals.connect(self.engine_stopped, signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Clock:
        return cls(crawler)

    def engine_started(self) -> None:
        moments["started"] = (time.monotonic(), time.process_time())

    def engine_stopped(self) -> None:
        moments["stopped"] = (time.monotonic(), time.process_time())
        stats = self.crawler.stats
        assert stats is not None
        moments["pages"] = (stats.get_value("crawler/pages") or stats.get_value("response_received_count"), 0.0)


class TitleSpider(scrapy.Spider):
    """The minimal spider that the product is compared with, over the same pages."""

    name = "titles"

    async def start(self) -> Any:
        yield Request(self.site + FEED)  # type: ignore[attr-defined]

    def parse(self, response: Response) -> Iterator[Request]:
        for address in response.css("item > link::text").getall():
            path = re.sub(r"^https?://[^/]+", "", address)
            yield Request(self.site + path, callback=self.parse_article)  # type: ignore[attr-defined]

    def parse_article(self, response: Response) -> Iterator[dict[str, Any]]:
        yield {"url": response.url, "title": response.css("title::text").get()}


def crawl_titles(kind: str, url: str) -> Measurement:
    """Crawl with Scrapy's own defaults, and for `tuned` with the two settings of the product."""
    from crawler import settings

    names = ("CONCURRENT_ITEMS", "WARN_ON_GENERATOR_RETURN_VALUE") if kind == "tuned" else ()
    process = AsyncCrawlerProcess(
        {**BARE, **{name: getattr(settings, name) for name in names}, "EXTENSIONS": {Clock: 0}}
    )
    process.crawl(TitleSpider, site=url)
    process.start()
    return {}


def crawl_whole(url: str, folder: Path, off: str, *, with_deferred: bool) -> Measurement:
    """Crawl with the product, without the parts that `off` names. Judge what the run deferred, or only count it.

    The process is made ready as the fork server is, from which every run of `crawler crawl` and `crawler watch` comes.
    """
    import_module("crawler.service.preload")
    from crawler import settings
    from crawler.service.run import RunPlan, run_source
    from crawler.service.worker import MessageSender

    os.environ.update(make_crawl_environment(url, folder))
    settings.EXTENSIONS[Clock] = 0  # type: ignore[index]
    parts = off.split("+") if off else []
    for name in parts:
        PARTS[name](settings)
    sender = MessageSender(Connection(os.open(os.devnull, os.O_WRONLY), readable=False))
    emit: Callable[[Any], None] = partial(sender.send, "event")
    run = run_source(RunPlan(source=SOURCE), (lambda event: None) if "events" in parts else emit)
    # Without the store the run itself reports failure: no listed article arrives.
    if run.exit_code != 0 and not ("store" in parts and run.counts.get("article_pages")):
        raise SystemExit(f"The run failed: {run.reason}")
    outcome: Measurement = {"counts": run.counts}
    if "store" not in parts and "judging" not in parts:
        outcome |= judge_deferred(folder, only_count=not with_deferred)
    return outcome


def judge_deferred(folder: Path, *, only_count: bool) -> Measurement:
    """Judge the articles that the run left for later. Return their number and the time, and what was found."""
    from crawler.store import open_store
    from crawler.store.schema import links, stories
    from crawler.text.dates import load_time_zone

    file = folder / "crawler.db"
    begin, cpu = time.monotonic(), time.process_time()
    with open_store(f"sqlite:///{file}") as store:
        deferred = store.clusters.count_pending()
        while not only_count and store.clusters.count_pending():
            store.clusters.assign_pending(load_time_zone("Asia/Almaty"))
    spent = {"deferred_seconds": time.monotonic() - begin, "deferred_cpu": time.process_time() - cpu}
    with closing(sqlite3.connect(file)) as database:
        found = {
            table.name: database.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
            for table in (links, stories)
        }
    return {"deferred": deferred, **({} if only_count else spent), **found}


def _make_remover(import_component: Callable[[], type]) -> Callable[[Any], None]:
    """Return a function that removes a component from Scrapy's settings, found by its class, not by its path."""

    def remove(settings: Any) -> None:
        component = import_component()
        tables = (settings.ITEM_PIPELINES, settings.DOWNLOADER_MIDDLEWARES, settings.EXTENSIONS)
        found = [
            (table, path)
            for table in tables
            for path, order in table.items()
            if order is not None and load_object(path) is component
        ]
        if not found:
            raise SystemExit(f"{component.__name__} is not in the settings.")
        for table, path in found:
            del table[path]

    return remove


def _import_conditional_middleware() -> type:
    from crawler.middlewares.conditional import ConditionalRequestMiddleware

    return ConditionalRequestMiddleware


def _import_retry_middleware() -> type:
    from crawler.middlewares.retry import BackoffRetryMiddleware

    return BackoffRetryMiddleware


def _import_validate_pipeline() -> type:
    from crawler.pipelines.validate import ValidatePipeline

    return ValidatePipeline


def _import_dedupe_pipeline() -> type:
    from crawler.pipelines.dedupe import DedupePipeline

    return DedupePipeline


def _import_keywords_pipeline() -> type:
    from crawler.pipelines.keywords import KeywordsPipeline

    return KeywordsPipeline


def _import_store_pipeline() -> type:
    from crawler.pipelines.store import StorePipeline

    return StorePipeline


def _import_clustering_extension() -> type:
    from crawler.extensions.clustering import ClusteringExtension

    return ClusteringExtension


def _replace_index_writer() -> None:
    """Save versions without their entry in the full-text index."""
    from crawler.store import article_writer

    article_writer.add_entry = lambda connection, article, dated_at: None


PARTS: dict[str, Callable[[Any], None]] = {
    "archive": lambda settings: os.environ.update(CRAWLER_ARCHIVE="false"),
    "conditional": _make_remover(_import_conditional_middleware),
    "retry": _make_remover(_import_retry_middleware),
    "validate": _make_remover(_import_validate_pipeline),
    "keywords": _make_remover(_import_keywords_pipeline),
    "store": _make_remover(_import_store_pipeline),
    "dedupe": _make_remover(_import_dedupe_pipeline),  # Only with "store", which needs a verdict.
    "judging": _make_remover(_import_clustering_extension),
    "index": lambda settings: _replace_index_writer(),
    "events": lambda settings: None,
}
"""What can be off, by removing it from the settings. Components are imported only when they are removed."""


def measure_peak_mb() -> float:
    """Return the most memory this process had. `ru_maxrss` would begin with the parent's memory at the fork."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * (1024 if sys.platform == "darwin" else 1))
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024


def main(what: str, url: str, folder: str, started: str) -> None:
    """Crawl, then print the measurement."""
    kind, _, off = what.partition("-")
    if kind in ("whole", "deferred"):
        outcome = crawl_whole(url, Path(folder), off, with_deferred=kind == "deferred")
    else:
        outcome = crawl_titles(kind, url)
    (begin, cpu_before), (end, cpu_after) = moments["started"], moments["stopped"]
    measurement = {
        "pages": moments["pages"][0],
        "startup": begin - float(started),
        "seconds": end - begin + outcome.get("deferred_seconds", 0.0),
        "cpu": cpu_after - cpu_before + outcome.get("deferred_cpu", 0.0),
        "peak_mb": measure_peak_mb(),
    }
    print(json.dumps(outcome | measurement))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""One crawl in this process, measured from within: `python -m benchmarks.measured WHAT URL FOLDER STARTED`.

WHAT is `bare` (Scrapy, a parse that only reads the title), `export` (the same with a JSON-lines feed export),
`tuned` (with the settings that the product makes for speed; see `crawler.settings`), `spine`
(`run_source`, everything on), or `spine-PART` with one part off (see `PARTS`). STARTED is the time (CLOCK_MONOTONIC)
at which the parent began this process. Prints one JSON line on stdout.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy import Request, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response

from benchmarks.loopback import CONNECTIONS, FEED

SOURCE = "qazmonitor"
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
        crawler.signals.connect(self.began, signals.engine_started)
        crawler.signals.connect(self.ended, signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Clock:
        return cls(crawler)

    def began(self) -> None:
        moments["began"] = (time.monotonic(), time.process_time())

    def ended(self) -> None:
        moments["ended"] = (time.monotonic(), time.process_time())
        assert self.crawler.stats is not None
        moments["pages"] = (self.crawler.stats.get_value("response_received_count", 0), 0.0)


class Titles(scrapy.Spider):
    """What is compared with: a minimal spider over the same pages."""

    name = "titles"

    async def start(self) -> Any:
        yield Request(self.site + FEED)  # type: ignore[attr-defined]

    def parse(self, response: Response) -> Iterator[Request]:
        for address in response.css("item > link::text").getall():
            path = re.sub(r"^https?://[^/]+", "", address)
            yield Request(self.site + path, callback=self.article)  # type: ignore[attr-defined]

    def article(self, response: Response) -> Iterator[dict[str, Any]]:
        yield {"url": response.url, "title": response.css("title::text").get()}


def bare(kind: str, url: str, folder: Path) -> None:
    """Scrapy with its own defaults, and what `kind` adds."""
    more: dict[str, dict[str, Any]] = {
        "bare": {},
        "export": {"FEEDS": {folder / "titles.jsonl": {"format": "jsonlines"}}},
        "tuned": {"CONCURRENT_ITEMS": 1, "WARN_ON_GENERATOR_RETURN_VALUE": False},
    }
    process = AsyncCrawlerProcess({**BARE, **more[kind], "EXTENSIONS": {Clock: 0}})
    process.crawl(Titles, site=url)
    process.start()


def spine(url: str, folder: Path, off: str) -> None:
    """The product, with one part off."""
    from crawler import settings
    from crawler.process.wire import Writer
    from crawler.run import RunPlan, run_source

    os.environ.update(
        {
            "CRAWLER_DATA_DIR": str(folder),
            "CRAWLER_ALLOW_PRIVATE": "true",
            f"CRAWLER_SOURCES__{SOURCE.upper()}__BASE_URL": url,
            "CRAWLER_POLITENESS__DELAY": "0",
            "CRAWLER_POLITENESS__AUTOTHROTTLE": "false",
            "CRAWLER_POLITENESS__ROBOTS": "false",
            "CRAWLER_POLITENESS__CONCURRENCY": str(CONNECTIONS),
        }
    )
    settings.EXTENSIONS[Clock] = 0  # type: ignore[index]
    for name in off.split("+") if off else ():
        PARTS[name](settings)
    emit: Callable[[Any], None] = Writer(os.open(os.devnull, os.O_WRONLY)).emit
    run = run_source(RunPlan(source=SOURCE), (lambda event: None) if "events" in off.split("+") else emit)
    if run.exit_code != 0:
        raise SystemExit(f"the run did not end well: {run.reason}")


def _without_stages(*names: str) -> Callable[[Any], None]:
    def remove(settings: Any) -> None:
        for name in names:
            for path in [path for path in settings.ITEM_PIPELINES if f".{name}." in path]:
                del settings.ITEM_PIPELINES[path]

    return remove


def _without_middleware(*names: str) -> Callable[[Any], None]:
    def remove(settings: Any) -> None:
        for name in names:
            for path in [path for path in settings.DOWNLOADER_MIDDLEWARES if f".{name}." in path]:
                del settings.DOWNLOADER_MIDDLEWARES[path]

    return remove


PARTS: dict[str, Callable[[Any], None]] = {
    "archive": lambda settings: os.environ.update(CRAWLER_ARCHIVE="false"),
    "known": _without_middleware("known"),
    "patience": _without_middleware("patience"),
    "validate": _without_stages("validate"),
    "keywords": _without_stages("keywords"),
    "store": _without_stages("store"),
    "dedupe": _without_stages("dedupe", "store"),  # only judged articles can be stored
    "events": lambda settings: None,
}
"""What can be off, each by leaving it out of the wiring."""


def peak_mb() -> float:
    """The most memory this process has held. Not `ru_maxrss`, which begins with what the parent held at the fork."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * (1024 if sys.platform == "darwin" else 1))
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024


def main(what: str, url: str, folder: str, started: str) -> None:
    """Crawl, then say what it took."""
    kind, _, off = what.partition("-")
    if kind == "spine":
        spine(url, Path(folder), off)
    else:
        bare(kind, url, Path(folder))
    (began, cpu_before), (ended, cpu_after) = moments["began"], moments["ended"]
    found = {
        "pages": moments["pages"][0],
        "startup": began - float(started),
        "startup_cpu": cpu_before,
        "seconds": ended - began,
        "cpu": cpu_after - cpu_before,
        "peak_mb": peak_mb(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A loopback server that can misbehave, and real Scrapy runs against it in processes of their own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.misbehaving_gov_site import MisbehavingGovSite
from support.raw_http_server import RawHttpServer
from support.watched_source import WatchedSource

RUN = """
import json, sys, warnings
from datetime import UTC, datetime
warnings.simplefilter("error")
import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import ScrapyDeprecationWarning
from crawler.context.backoff import make_retry_request
from crawler.context.exceptions import RequestFailed
from crawler.context.request_meta import META_KEY, RequestMeta
from crawler.store import HttpCacheEntry

given = json.loads(sys.argv[1])

def make_entry(values):
    date = values["record_date"] and datetime.fromisoformat(values["record_date"])
    return HttpCacheEntry(**{**values, "record_date": date}, source="demo", checked_at=datetime.now(UTC))

def tell(**what):
    print(json.dumps(what), flush=True)

class Probe(scrapy.Spider):
    name = "demo"

    async def start(self):
        for number, one in enumerate(given["requests"]):
            meta = dict(one.pop("meta", {}))
            if "cache_entry" in meta:
                meta[META_KEY] = RequestMeta(cache_entry=make_entry(meta.pop("cache_entry")))
            meta["number"] = number
            url = one.pop("url")
            yield scrapy.Request(url, errback=self.failed, dont_filter=True, meta=meta, **one)

    def parse(self, response):
        if b"broken content" in response.body:
            retry = make_retry_request(response.request, "broken content", self)
            if retry is not None:
                return retry
        found = RequestMeta.from_request(response)
        record, original = found.record, found.original
        tell(
            number=response.meta["number"], url=response.url, status=response.status, size=len(response.body),
            body=response.body[:200].decode("latin-1"), record=record and [record.file, record.offset, record.digest],
            fetched_at=str(found.fetched_at),
            original=original and [original.file, original.offset, original.digest],
        )

    def failed(self, failure):
        error = failure.value
        if isinstance(error, RequestFailed):
            error = error.error
        tell(
            number=failure.request.meta["number"], url=failure.request.url, error=type(error).__name__,
            kinds=[kind.__module__ + "." + kind.__name__ for kind in type(error).__mro__], message=str(error),
        )

    def closed(self, reason):
        tell(closed=reason)

process = AsyncCrawlerProcess(given["settings"])
process.crawl(Probe)
process.start()
"""

SETTINGS: dict[str, Any] = {
    "DOWNLOADER_MIDDLEWARES": {
        "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
        "crawler.middlewares.proxy.SourceProxyMiddleware": 540,
        "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
        "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
        "crawler.middlewares.retry.BackoffRetryMiddleware": 550,
        "crawler.middlewares.guard.GuardMiddleware": 560,
        "crawler.middlewares.decompress.DecompressMiddleware": 590,
        "crawler.middlewares.archive.ArchiveMiddleware": 880,
    },
    "TWISTED_DNS_RESOLVER": "crawler.middlewares.resolver.GuardedResolver",
    "CRAWLER_ALLOW_PRIVATE": True,
    "CRAWLER_RETRY_WAIT": 0.05,
    "CRAWLER_REACH_SECONDS": 3,
    "RETRY_TIMES": 2,
    "DOWNLOAD_TIMEOUT": 20,
    "DNS_TIMEOUT": 5,
    "COOKIES_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "USER_AGENT": "probe/1.0",
    "LOG_LEVEL": "INFO",
    "HTTPERROR_ALLOW_ALL": True,
}


@pytest.fixture
def site() -> Iterator[RawHttpServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    found = RawHttpServer(port=listening.getsockname()[1])
    thread = threading.Thread(target=found.serve, args=(listening,), daemon=True)
    thread.start()
    yield found
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port at which connections are neither taken nor refused: its queue is full."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    waiting = []
    for _ in range(3):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listening.getsockname())
        waiting.append(one)
    time.sleep(0.1)
    yield listening.getsockname()[1]
    for one in (*waiting, listening):
        one.close()


@dataclass(frozen=True)
class ProbeResult:
    """What a run printed: a line per response or error, the finish reason, and its log."""

    told: list[dict[str, Any]]
    log: str

    @property
    def only(self) -> dict[str, Any]:
        (one,) = self.pages
        return one

    @property
    def pages(self) -> list[dict[str, Any]]:
        return sorted((one for one in self.told if "number" in one), key=lambda one: one["number"])

    @property
    def closed(self) -> str:
        return next(one["closed"] for one in self.told if "closed" in one)


Crawl = Callable[..., ProbeResult]


@pytest.fixture
def crawl(tmp_path: Path) -> Crawl:
    def run(*requests: str | dict[str, Any], before: str = "", timeout: float = 60, **settings: Any) -> ProbeResult:
        asked = [{"url": one} if isinstance(one, str) else one for one in requests]
        given = json.dumps({"requests": asked, "settings": {**SETTINGS, **settings}})
        command = [sys.executable, "-c", before + RUN, given]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        assert done.returncode == 0, done.stderr
        return ProbeResult([json.loads(line) for line in done.stdout.splitlines()], done.stderr)

    return run


@pytest.fixture
def gov(tmp_path: Path) -> Iterator[WatchedSource]:
    """gov.kz with thirty articles, one each eight hours: a page of five reaches back a day and a half."""
    with MisbehavingGovSite(30, every=timedelta(hours=8)) as site:
        yield WatchedSource("mfa", site, tmp_path)

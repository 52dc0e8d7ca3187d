"""A loopback server that can misbehave, and real Scrapy runs against it, each in a process of its own."""

from __future__ import annotations

import json
import os
import socket
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
from support.warm_python import get_warm_python
from support.watched_source import WatchedSource

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
        given = {"requests": asked, "settings": {**SETTINGS, **settings}, "before": before}
        words = ["probe", json.dumps(given)]
        done = get_warm_python().run("support.probe_run:main", words, os.environ, Path.cwd(), timeout=timeout)
        assert done.code == 0, done.err
        return ProbeResult(done.lines, done.err)

    return run


@pytest.fixture
def gov(tmp_path: Path) -> Iterator[WatchedSource]:
    """gov.kz with thirty articles, one each eight hours: a page of five reaches back a day and a half."""
    with MisbehavingGovSite(30, every=timedelta(hours=8)) as site:
        yield WatchedSource("mfa", site, tmp_path)

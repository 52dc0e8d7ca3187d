"""PatienceMiddleware: further tries with growing waits, and no further try where none can help.

An answer of a broken or busy server (RETRY_HTTP_CODES) is asked again RETRY_TIMES times, after CRAWLER_RETRY_WAIT
seconds, then twice as many, and so on; when all is tried, the last answer goes on to the spider. A Retry-After is
obeyed for the whole host; one beyond CRAWLER_LONGEST_WAIT ends in Blocked, for every later request there too.
A host that cannot be reached is Unreachable after CRAWLER_REACH_SECONDS (see `reach`).

Waiting is sleeping in `process_request`: other requests go on. In a replay (CRAWLER_REPLAY) nothing waits, and a
host's failure blocks no other request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost

from crawler.middlewares.outcomes import Blocked, Unreachable
from crawler.middlewares.reach import Reach
from crawler.source import SourceSpider

logger = logging.getLogger(__name__)

NOT_BEFORE = "patience_not_before"
PAGE_TIMEOUT = "patience_page_timeout"
FIRST_SHARE = 0.4
"""Share of the reach seconds that the first try at an unknown host may take; the second has the rest."""

FAILURES: dict[type[Exception], str] = {
    CannotResolveHostError: "its name cannot be resolved",
    DownloadConnectionRefusedError: "it refuses connections",
    DownloadTimeoutError: "it does not answer in time",
    ResponseDataLossError: "its answer breaks off",
    DownloadFailedError: "the connection fails",
    ConnectError: "the connection fails",
    ConnectionDone: "the connection breaks off",
    ConnectionLost: "the connection breaks off",
}


def again(request: Request, reason: str, spider: Spider, *, tries: int | None = None) -> Request | None:
    """The request once more, after a wait that doubles each time; None when it was tried often enough.

    For spiders too: an answer of status 200 whose content is broken (`return again(response.request, …)`).
    """
    settings = spider.crawler.settings
    retry = get_retry_request(
        request, spider=spider, reason=reason, max_retry_times=tries, logger=logger, give_up_log_level="INFO"
    )
    if retry is not None:
        _hold(retry, _growing(settings, retry.meta["retry_times"]), settings)
    return retry


class PatienceMiddleware:
    """Scrapy's RetryMiddleware with waits; the errors it raises are one sentence each."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._codes = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}
        self._tries = settings.getint("RETRY_TIMES")
        self._longest = settings.getfloat("CRAWLER_LONGEST_WAIT", 60.0)
        self._replay = settings.getbool("CRAWLER_REPLAY")
        self._first_timeout = settings.getfloat("CRAWLER_REACH_SECONDS", 20.0) * FIRST_SHARE
        self._reach = Reach(settings.getfloat("CRAWLER_REACH_SECONDS", 20.0))
        self._open_at: dict[str, float] = {}
        self._closed: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Built by Scrapy."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.headers_received, signals.headers_received)
        crawler.signals.connect(middleware.spider_opened, signals.spider_opened)
        return middleware

    def spider_opened(self, spider: Spider) -> None:
        """Give a source its way to ask for an answer once more."""
        if isinstance(spider, SourceSpider):
            spider.again = partial(again, spider=spider)

    def headers_received(self, request: Request) -> None:
        """The host is there, whatever becomes of the body."""
        self._reach.answer(urlparse_cached(request).netloc)

    async def process_request(self, request: Request) -> None:
        """Wait as long as the request or its host must; Unreachable or Blocked where waiting is pointless."""
        host = urlparse_cached(request).netloc
        if self._replay:
            return
        self._refuse(request, host)
        await self._wait(request, host)
        self._refuse(request, host)
        self._limit(request, host)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """The request again where that may help, else the response; Blocked for too long a Retry-After."""
        host = urlparse_cached(request).netloc
        self._reach.answer(host)
        if response.status not in self._codes or request.meta.get("dont_retry"):
            return response
        wanted = _retry_after(request, response)
        if wanted is not None and wanted.total_seconds() > self._longest:
            raise self._come_back_later(request, response, host, wanted)
        retry = again(request, f"status {response.status}", self._spider)
        if retry is None:
            return response
        if wanted is not None and not self._replay:
            self._open_at[host] = max(self._open_at.get(host, 0.0), time.monotonic() + wanted.total_seconds())
        return retry

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """The request again while its host may still come back, else Unreachable."""
        reason = _plain(exception)
        if reason is None or self._replay:
            return None
        host = urlparse_cached(request).netloc
        self._reach.failure(host, f"{host} is unreachable: {reason}")
        retry = None
        if self._reach.lost(host) is None and not request.meta.get("dont_retry"):
            known = self._reach.has_answered(host)
            retry = again(request, reason, self._spider, tries=None if known else min(2, self._tries))
        if retry is not None:
            return retry
        if not self._reach.has_answered(host) or self._reach.is_failing(host):
            self._reach.give_up(host)
        raise Unreachable(
            f"{request.url}: {host} is unreachable: {reason}. Check the network, then run again.", url=request.url
        ) from exception

    @property
    def _spider(self) -> Spider:
        assert self._crawler.spider is not None
        return self._crawler.spider

    def _refuse(self, request: Request, host: str) -> None:
        if host in self._closed:
            raise Blocked(f"{request.url}: {self._closed[host]}", url=request.url)
        if reason := self._reach.lost(host):
            raise Unreachable(f"{request.url}: {reason}. Check the network, then run again.", url=request.url)

    async def _wait(self, request: Request, host: str) -> None:
        """Sleep in short steps, so that a run that is told to stop need not wait for the end of it."""
        not_before = request.meta.pop(NOT_BEFORE, 0.0)
        while True:
            left = max(not_before, self._open_at.get(host, 0.0)) - time.monotonic()
            unknown = self._reach.seconds_left(host)
            if unknown is not None:
                left = min(left, unknown / 2)
                not_before = min(not_before, time.monotonic() + left)
            if left <= 0:
                return
            await asyncio.sleep(min(left, 0.5))
            if not self._crawler.crawling:
                raise IgnoreRequest("The run was stopped.")

    def _limit(self, request: Request, host: str) -> None:
        """Give a host that never answered less time than a page may take."""
        own = request.meta.setdefault(PAGE_TIMEOUT, request.meta.get("download_timeout"))
        left = self._reach.seconds_left(host)
        if left is None:
            request.meta["download_timeout"] = own
            return
        first = self._first_timeout if not request.meta.get("retry_times") else left
        request.meta["download_timeout"] = min(filter(None, (own, left, first)))

    def _come_back_later(self, request: Request, response: Response, host: str, wanted: timedelta) -> Blocked:
        moment = (_asked_at(request) + wanted).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        sentence = (
            f"{host} answers {response.status} and wants no request before {moment}, "
            f"longer than politeness.longest_wait ({self._longest:g} s). Run again then."
        )
        if not self._replay:
            self._closed[host] = sentence
        return Blocked(f"{request.url}: {sentence}", url=request.url)


def _growing(settings: BaseSettings, times: int) -> float:
    wait = settings.getfloat("CRAWLER_RETRY_WAIT", 2.0) * 2.0 ** (times - 1)
    return min(wait, settings.getfloat("CRAWLER_LONGEST_WAIT", 60.0))


def _hold(request: Request, seconds: float, settings: BaseSettings) -> None:
    if not settings.getbool("CRAWLER_REPLAY"):
        request.meta[NOT_BEFORE] = time.monotonic() + seconds


def _asked_at(request: Request) -> datetime:
    """When the answer came: the record's time, also in a replay."""
    found = request.meta.get("fetched_at")
    return found if isinstance(found, datetime) else datetime.now(UTC)


def _retry_after(request: Request, response: Response) -> timedelta | None:
    """How long the server asks us to stay away; None where it does not say, or not so that one could understand."""
    text = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    until = _moment(text)
    if until is None:
        return None
    # The server's own clock, where it tells the time: ours may differ.
    now = _moment((response.headers.get("Date") or b"").decode("latin-1")) or _asked_at(request)
    return max(until - now, timedelta())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _plain(exception: Exception) -> str | None:
    """What went wrong between us and the host, in plain words; None for what is no matter of the network."""
    if "certificate verify failed" in str(exception):
        return "its TLS certificate cannot be verified"
    return next((words for kind, words in FAILURES.items() if isinstance(exception, kind)), None)

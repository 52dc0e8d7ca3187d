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

from crawler.middlewares.circuit_breaker import CircuitBreaker
from crawler.middlewares.outcomes import Blocked, Unreachable
from crawler.source import SourceSpider

logger = logging.getLogger(__name__)

NOT_BEFORE = "patience_not_before"
PAGE_TIMEOUT = "patience_page_timeout"
FIRST_TRY_SHARE = 0.4
"""Share of the reach seconds that the first try at an unknown host may take; the second has the rest."""

NETWORK_ERRORS: dict[type[Exception], str] = {
    CannotResolveHostError: "its name cannot be resolved",
    DownloadConnectionRefusedError: "it refuses connections",
    DownloadTimeoutError: "it does not answer in time",
    ResponseDataLossError: "its answer breaks off",
    DownloadFailedError: "the connection fails",
    ConnectError: "the connection fails",
    ConnectionDone: "the connection breaks off",
    ConnectionLost: "the connection breaks off",
}


def make_retry_request(
    request: Request, reason: str, spider: Spider, *, max_retries: int | None = None
) -> Request | None:
    """The request once more, after a wait that doubles each time; None when it was tried often enough.

    For spiders too: an answer of status 200 whose content is broken (`return again(response.request, …)`).
    """
    settings = spider.crawler.settings
    retry = get_retry_request(
        request, spider=spider, reason=reason, max_retry_times=max_retries, logger=logger, give_up_log_level="INFO"
    )
    if retry is not None:
        _hold(retry, compute_backoff(settings, retry.meta["retry_times"]), settings)
    return retry


class BackoffRetryMiddleware:
    """Scrapy's RetryMiddleware with waits; the errors it raises are one sentence each."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._retry_statuses = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}
        self._max_retries = settings.getint("RETRY_TIMES")
        self._longest_wait = settings.getfloat("CRAWLER_LONGEST_WAIT", 60.0)
        self._replay = settings.getbool("CRAWLER_REPLAY")
        self._first_timeout = settings.getfloat("CRAWLER_REACH_SECONDS", 20.0) * FIRST_TRY_SHARE
        self._breaker = CircuitBreaker(settings.getfloat("CRAWLER_REACH_SECONDS", 20.0))
        self._paused_until: dict[str, float] = {}
        self._blocked_hosts: dict[str, str] = {}

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
            spider.again = partial(make_retry_request, spider=spider)

    def headers_received(self, request: Request) -> None:
        """The host is there, whatever becomes of the body."""
        self._breaker.record_answer(urlparse_cached(request).netloc)

    async def process_request(self, request: Request) -> None:
        """Wait as long as the request or its host must; Unreachable or Blocked where waiting is pointless."""
        host = urlparse_cached(request).netloc
        if self._replay:
            return
        self._raise_if_given_up(request, host)
        await self._wait_for_turn(request, host)
        self._raise_if_given_up(request, host)
        self._limit_timeout(request, host)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """The request again where that may help, else the response; Blocked for too long a Retry-After."""
        host = urlparse_cached(request).netloc
        self._breaker.record_answer(host)
        if response.status not in self._retry_statuses or request.meta.get("dont_retry"):
            return response
        wanted = parse_retry_after(request, response)
        if wanted is not None and wanted.total_seconds() > self._longest_wait:
            raise self._block_host(request, response, host, wanted)
        retry = make_retry_request(request, f"status {response.status}", self._spider)
        if retry is None:
            return response
        if wanted is not None and not self._replay:
            self._paused_until[host] = max(self._paused_until.get(host, 0.0), time.monotonic() + wanted.total_seconds())
        return retry

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """The request again while its host may still come back, else Unreachable."""
        reason = describe_network_error(exception)
        if reason is None or self._replay:
            return None
        host = urlparse_cached(request).netloc
        self._breaker.record_failure(host, f"{host} is unreachable: {reason}")
        retry = None
        if self._breaker.get_open_reason(host) is None and not request.meta.get("dont_retry"):
            known = self._breaker.has_answered(host)
            retry = make_retry_request(
                request, reason, self._spider, max_retries=None if known else min(2, self._max_retries)
            )
        if retry is not None:
            return retry
        if not self._breaker.has_answered(host) or self._breaker.is_failing(host):
            self._breaker.open_circuit(host)
        raise Unreachable(
            f"{request.url}: {host} is unreachable: {reason}. Check the network, then run again.", url=request.url
        ) from exception

    @property
    def _spider(self) -> Spider:
        assert self._crawler.spider is not None
        return self._crawler.spider

    def _raise_if_given_up(self, request: Request, host: str) -> None:
        if host in self._blocked_hosts:
            raise Blocked(f"{request.url}: {self._blocked_hosts[host]}", url=request.url)
        if reason := self._breaker.get_open_reason(host):
            raise Unreachable(f"{request.url}: {reason}. Check the network, then run again.", url=request.url)

    async def _wait_for_turn(self, request: Request, host: str) -> None:
        """Sleep in short steps, so that a run that is told to stop need not wait for the end of it."""
        not_before = request.meta.pop(NOT_BEFORE, 0.0)
        while True:
            left = max(not_before, self._paused_until.get(host, 0.0)) - time.monotonic()
            unknown = self._breaker.get_seconds_left(host)
            if unknown is not None:
                left = min(left, unknown / 2)
                not_before = min(not_before, time.monotonic() + left)
            if left <= 0:
                return
            await asyncio.sleep(min(left, 0.5))
            if not self._crawler.crawling:
                raise IgnoreRequest("The run was stopped.")

    def _limit_timeout(self, request: Request, host: str) -> None:
        """Give a host that never answered less time than a page may take."""
        own = request.meta.setdefault(PAGE_TIMEOUT, request.meta.get("download_timeout"))
        left = self._breaker.get_seconds_left(host)
        if left is None:
            request.meta["download_timeout"] = own
            return
        first = self._first_timeout if not request.meta.get("retry_times") else left
        request.meta["download_timeout"] = min(filter(None, (own, left, first)))

    def _block_host(self, request: Request, response: Response, host: str, wanted: timedelta) -> Blocked:
        moment = (_get_fetch_time(request) + wanted).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        sentence = (
            f"{host} answers {response.status} and wants no request before {moment}, "
            f"longer than politeness.longest_wait ({self._longest_wait:g} s). Run again then."
        )
        if not self._replay:
            self._blocked_hosts[host] = sentence
        return Blocked(f"{request.url}: {sentence}", url=request.url)


def compute_backoff(settings: BaseSettings, times: int) -> float:
    wait = settings.getfloat("CRAWLER_RETRY_WAIT", 2.0) * 2.0 ** (times - 1)
    return min(wait, settings.getfloat("CRAWLER_LONGEST_WAIT", 60.0))


def _hold(request: Request, seconds: float, settings: BaseSettings) -> None:
    if not settings.getbool("CRAWLER_REPLAY"):
        request.meta[NOT_BEFORE] = time.monotonic() + seconds


def _get_fetch_time(request: Request) -> datetime:
    """When the answer came: the record's time, also in a replay."""
    found = request.meta.get("fetched_at")
    return found if isinstance(found, datetime) else datetime.now(UTC)


def parse_retry_after(request: Request, response: Response) -> timedelta | None:
    """How long the server asks us to stay away; None where it does not say, or not so that one could understand."""
    text = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    until = _parse_http_date(text)
    if until is None:
        return None
    # The server's own clock, where it tells the time: ours may differ.
    now = _parse_http_date((response.headers.get("Date") or b"").decode("latin-1")) or _get_fetch_time(request)
    return max(until - now, timedelta())


def _parse_http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def describe_network_error(exception: Exception) -> str | None:
    """What went wrong between us and the host, in plain words; None for what is no matter of the network."""
    if "certificate verify failed" in str(exception):
        return "its TLS certificate cannot be verified"
    return next((words for kind, words in NETWORK_ERRORS.items() if isinstance(exception, kind)), None)

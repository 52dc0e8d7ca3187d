"""Retry failed requests with growing delays, and give up where a retry cannot help.

Replaces Scrapy's RetryMiddleware, with three differences:

* The delay doubles with each retry (see `context.backoff`).
* A Retry-After header pauses the whole host. One above CRAWLER_LONGEST_WAIT seconds raises Blocked instead.
* A host that never answers raises Unreachable after CRAWLER_REACH_SECONDS (see `circuit_breaker`).

Where a request goes through a proxy, an error names the proxy if it is the proxy's.

A waiting request sleeps in `process_request`, so it occupies one of Scrapy's CONCURRENT_REQUESTS slots. When all of
them wait for a host, the run's other requests wait too.

Replays do not wait, and a failure there affects only its own page.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self

from OpenSSL import SSL
from scrapy import Request, Spider, signals
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.web.client import ResponseFailed

from crawler.context.backoff import make_retry_request
from crawler.context.exceptions import RequestFailed
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext
from crawler.errors import Blocked, Unreachable
from crawler.middlewares.circuit_breaker import CircuitBreaker
from crawler.middlewares.proxy import AUTHENTICATION_REQUIRED, AUTHORIZATION_HEADER, is_password_refusal

FIRST_TRY_SHARE = 0.4
"""Share of the grace period that the first request to an unknown host may take. The retry has the rest."""
MAX_RETRIES_OF_UNKNOWN_HOST = 2
STOP_CHECK_SECONDS = 0.5
"""Longest sleep of a waiting request before it looks whether the run ends."""
CERTIFICATE_REASON = "certificate verify failed"
"""OpenSSL's name of the reason SSL_R_CERTIFICATE_VERIFY_FAILED; pyOpenSSL hands over names, not numbers."""
TUNNEL_STATUS_PATTERN = re.compile(r"'status': (\d{3})")
"""The HTTP status of a proxy that opens no tunnel: Scrapy hands it over in a message only."""
NETWORK_ADVICE = "Check the network, then run again."
PROXY_ADVICE = "Check the proxy and its address, then run again."
MAX_RETRY_AFTER = timedelta(days=366)
MAX_DIGITS = 10
"""Digits of a Retry-After in seconds that are read; Python converts at most 4,300, and `timedelta` fewer."""
FAR_DATE_PATTERN = re.compile(
    r"[A-Za-z]{3,9},? (?:\d\d?[ -])?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ -]"
    r"(?:[\d ]\d [\d:]{8} )?\d{5,}(?: .*)?"
)
"""An HTTP date in a year after 9999, in each of the forms of RFC 9110."""

NETWORK_ERRORS: dict[type[Exception], tuple[str, str]] = {
    CannotResolveHostError: ("its name cannot be resolved", "the name of the proxy {proxy} cannot be resolved"),
    DownloadConnectionRefusedError: ("it refuses connections", "the proxy {proxy} refuses connections"),
    DownloadTimeoutError: ("it does not answer in time", "no answer comes through the proxy {proxy} in time"),
    ResponseDataLossError: ("its answer breaks off", "the answer through the proxy {proxy} breaks off"),
    DownloadFailedError: ("the connection fails", "the connection through the proxy {proxy} fails"),
    ConnectError: ("the connection fails", "the connection to the proxy {proxy} fails"),
    ConnectionDone: ("the connection breaks off", "the connection through the proxy {proxy} breaks off"),
    ConnectionLost: ("the connection breaks off", "the connection through the proxy {proxy} breaks off"),
}
"""What failed, of a host that is requested directly, and of the proxy."""


class BackoffRetryMiddleware:
    """Scrapy's RetryMiddleware with delays. Each error it raises is one sentence."""

    def __init__(self, crawler: Crawler, context: RunContext) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._is_replay = context.mode.is_replay
        self._retry_statuses = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}
        self._max_retries = settings.getint("RETRY_TIMES")
        self._longest_wait = settings.getfloat("CRAWLER_LONGEST_WAIT", 60.0)
        grace_seconds = settings.getfloat("CRAWLER_REACH_SECONDS", 20.0)
        self._first_timeout = grace_seconds * FIRST_TRY_SHARE
        self._breaker = CircuitBreaker(grace_seconds)
        self._paused_until: dict[str, float] = {}
        self._blocked_hosts: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; it works in `scrapy shell` too."""
        middleware = cls(crawler, RunContext.from_crawler(crawler))
        crawler.signals.connect(middleware.headers_received, signals.headers_received)
        return middleware

    def headers_received(self, request: Request) -> None:
        """Record that the host answers, even if the body fails later."""
        self._breaker.record_answer(urlparse_cached(request).netloc)

    async def process_request(self, request: Request) -> None:
        """Wait until the request may be sent. Other requests continue meanwhile, while slots are left.

        Raises Blocked or Unreachable if the host gets no more requests in this run.
        """
        if self._is_replay:
            return
        host = urlparse_cached(request).netloc
        self._raise_if_given_up(request, host)
        await self._wait_for_turn(request, host)
        # Another request may have failed while this one waited.
        self._raise_if_given_up(request, host)
        self._limit_timeout(request, host)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return a retry for a broken or busy server, else the response. Raise Blocked for too long a Retry-After.

        When the retries are used up, the last response goes to the spider.
        """
        host = urlparse_cached(request).netloc
        if is_password_refusal(request, response):
            raise self._give_up_host(request, host, describe_proxy_refusal(request, host, response.status))
        self._breaker.record_answer(host)
        if response.status not in self._retry_statuses or request.meta.get("dont_retry"):
            return response
        pause = parse_retry_after(response, RequestMeta.from_request(request).fetched_at or datetime.now(UTC))
        if pause is not None and pause.total_seconds() > self._longest_wait:
            raise self._block_host(request, response, host, pause)
        retry = make_retry_request(request, f"status {response.status}", self._spider)
        if retry is None:
            return response
        if pause is not None and not self._is_replay:
            end = time.monotonic() + pause.total_seconds()
            self._paused_until[host] = max(self._paused_until.get(host, 0.0), end)
        return retry

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return a retry while the host may still answer, else raise Unreachable."""
        host = urlparse_cached(request).netloc
        reason = describe_network_error(exception, request, host)
        if reason is None or self._is_replay:
            return None
        if get_tunnel_status(exception) in range(400, 500):
            raise self._give_up_host(request, host, reason) from exception
        self._breaker.record_failure(host, reason)
        retry = None
        if self._breaker.get_open_reason(host) is None and not request.meta.get("dont_retry"):
            is_known = self._breaker.has_answered(host)
            max_retries = None if is_known else min(MAX_RETRIES_OF_UNKNOWN_HOST, self._max_retries)
            retry = make_retry_request(request, reason, self._spider, max_retries=max_retries)
        if retry is not None:
            return retry
        if not self._breaker.has_answered(host) or self._breaker.is_failing(host):
            self._breaker.open_circuit(host)
        raise _make_unreachable(request, reason) from exception

    @property
    def _spider(self) -> Spider:
        assert self._crawler.spider is not None
        return self._crawler.spider

    @property
    def _is_closing(self) -> bool:
        """Whether the run ends: by a signal, by a limit, or because it gave up. Scrapy has no public name for it."""
        slot = self._crawler.engine._slot if self._crawler.engine else None
        return slot is None or slot.closing is not None

    def _give_up_host(self, request: Request, host: str, reason: str) -> RequestFailed:
        """Return the error for a host that the proxy does not connect to. The host gets no more requests."""
        self._breaker.record_failure(host, reason)
        self._breaker.open_circuit(host)
        return _make_unreachable(request, reason)

    def _raise_if_given_up(self, request: Request, host: str) -> None:
        if host in self._blocked_hosts:
            raise RequestFailed(Blocked(f"{request.url}: {self._blocked_hosts[host]}", url=request.url))
        if reason := self._breaker.get_open_reason(host):
            raise _make_unreachable(request, reason)

    async def _wait_for_turn(self, request: Request, host: str) -> None:
        """Sleep until the request's backoff and the host's pause are over. Raise IgnoreRequest if the run ends."""
        not_before = RequestMeta.from_request(request).not_before
        if not_before:
            RequestMeta.update(request, not_before=0.0)
        while True:
            if self._is_closing:
                raise IgnoreRequest("The run was stopped.")
            delay = max(not_before, self._paused_until.get(host, 0.0)) - time.monotonic()
            seconds_left = self._breaker.get_seconds_left(host)
            if seconds_left is not None:
                # Keep half of the grace period for the download itself.
                delay = min(delay, seconds_left / 2)
                not_before = min(not_before, time.monotonic() + delay)
            if delay <= 0:
                return
            await asyncio.sleep(min(delay, STOP_CHECK_SECONDS))

    def _limit_timeout(self, request: Request, host: str) -> None:
        """Give a host that never answered less time than a page may take."""
        page_timeout = RequestMeta.from_request(request).page_timeout
        if page_timeout is None:
            page_timeout = request.meta.get("download_timeout")
            RequestMeta.update(request, page_timeout=page_timeout)
        seconds_left = self._breaker.get_seconds_left(host)
        if seconds_left is None:
            request.meta["download_timeout"] = page_timeout
            return
        first_timeout = seconds_left if request.meta.get("retry_times") else self._first_timeout
        request.meta["download_timeout"] = min(filter(None, (page_timeout, seconds_left, first_timeout)))

    def _block_host(self, request: Request, response: Response, host: str, pause: timedelta) -> RequestFailed:
        """Return the error for a pause that is too long. A live run sends no more requests to the host."""
        fetched_at = RequestMeta.from_request(request).fetched_at or datetime.now(UTC)
        if pause < MAX_RETRY_AFTER:
            wait = (fetched_at + pause).astimezone(UTC).strftime("until %Y-%m-%d %H:%M UTC")
        else:
            wait = "for a year or more"
        sentence = (
            f"HTTP {response.status} from {host}: it asks to wait {wait}, "
            f"longer than politeness.longest_wait ({self._longest_wait:g} s). Run again then."
        )
        if not self._is_replay:
            self._blocked_hosts[host] = sentence
        return RequestFailed(Blocked(f"{request.url}: {sentence}", url=request.url))


def _make_unreachable(request: Request, reason: str) -> RequestFailed:
    advice = PROXY_ADVICE if request.meta.get("proxy") else NETWORK_ADVICE
    message = f"{request.url}: {reason}. {advice}"
    return RequestFailed(Unreachable(message, url=request.url, reason=reason, advice=advice))


def parse_retry_after(response: Response, fetched_at: datetime) -> timedelta | None:
    """Return how long the server asks to wait; None without a Retry-After header that can be read.

    A wait longer than MAX_RETRY_AFTER, also one until a year after 9999, is MAX_RETRY_AFTER. A time that has passed
    asks for nothing: the normal backoff applies.
    """
    text = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        digits = text.lstrip("0")[:MAX_DIGITS]
        return min(timedelta(seconds=int(digits or 0)), MAX_RETRY_AFTER)
    if FAR_DATE_PATTERN.fullmatch(text):
        return MAX_RETRY_AFTER
    until = _parse_http_date(text)
    if until is None:
        return None
    # Prefer the server's own clock: it may differ from ours.
    now = _parse_http_date((response.headers.get("Date") or b"").decode("latin-1")) or fetched_at
    return min(until - now, MAX_RETRY_AFTER) if until > now else None


def _parse_http_date(text: str) -> datetime | None:
    try:
        time_found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return time_found if time_found.tzinfo else time_found.replace(tzinfo=UTC)


def describe_network_error(exception: Exception, request: Request, host: str) -> str | None:
    """Return what failed between us and the host, as a clause. None if the exception is not a network error.

    Behind a proxy only a host's certificate is certainly the host's fault.
    """
    proxy: str | None = request.meta.get("proxy")
    if _is_certificate_error(exception):
        return f"{host} is unreachable: its TLS certificate cannot be verified"
    if isinstance(exception, TunnelError):
        return describe_proxy_refusal(request, host, get_tunnel_status(exception))
    for kind, (own_words, proxy_words) in NETWORK_ERRORS.items():
        if isinstance(exception, kind):
            return proxy_words.format(proxy=proxy) if proxy else f"{host} is unreachable: {own_words}"
    return None


def describe_proxy_refusal(request: Request, host: str, status: int | None) -> str:
    """Return why the request's proxy does not connect to a host, as a clause."""
    proxy = f"the proxy {request.meta.get('proxy')}"
    if status == AUTHENTICATION_REQUIRED:
        if AUTHORIZATION_HEADER in request.headers:
            return f"{proxy} refuses the user name and password that it was given (HTTP {status})"
        return f"{proxy} wants a user name and a password (HTTP {status})"
    if status is None:
        return f"{proxy} does not answer as an HTTP proxy does"
    verb = "refuses to connect" if 400 <= status < 500 else "cannot connect"
    return f"{proxy} {verb} to {host} (HTTP {status})"


def get_tunnel_status(exception: Exception) -> int | None:
    """Return the HTTP status of a proxy that opened no tunnel, None for any other exception or answer."""
    found = TUNNEL_STATUS_PATTERN.search(str(exception)) if isinstance(exception, TunnelError) else None
    return int(found[1]) if found else None


def _is_certificate_error(exception: Exception) -> bool:
    """Whether OpenSSL rejected the certificate. Scrapy keeps Twisted's error as the cause, Twisted keeps OpenSSL's."""
    cause = exception.__cause__
    errors = [failure.value for failure in cause.reasons] if isinstance(cause, ResponseFailed) else []
    return any(
        reason == CERTIFICATE_REASON
        for error in errors
        if isinstance(error, SSL.Error) and error.args
        for _library, _function, reason in error.args[0]
    )

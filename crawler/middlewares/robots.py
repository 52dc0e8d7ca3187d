"""RobotsTxtMiddleware of Scrapy, with a type for what robots.txt forbids, and obeyed by every waiting request.

In Scrapy 2.19.0 the requests that wait for robots.txt share one Deferred, which hands its result to the first of them
and None to the others: of three requests sent at once, the third was let through, whatever robots.txt forbids.

A server that answers 5xx or not at all forbids everything for now (RFC 9309). Then the last good copy of robots.txt
counts for a day. The download of a long robots.txt ends at its first 500 KiB, which are read. A `Crawl-delay`, which
Scrapy ignores, is obeyed up to ten seconds.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest, StopDownload
from scrapy.http import Response
from scrapy.robotstxt import ProtegoRobotParser, RobotParser
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred

from crawler.context.exceptions import RequestFailed, RobotsForbidden
from crawler.context.run_context import RunContext
from crawler.errors import CrawlerError, ForbiddenTarget, Unreachable
from crawler.private_files import make_private_file, make_private_folder

MAX_ROBOTS_BYTES = 500 * 1024
"""Bytes of robots.txt that are read. RFC 9309 asks for at least these."""
MAX_COPY_AGE_SECONDS = 24 * 3600
"""Age up to which the last good copy counts while the server fails."""
MAX_CRAWL_DELAY_SECONDS = 10.0
"""A longer `Crawl-delay` counts as this: a run of a quarter of an hour then reads 90 pages."""
LATER = "Try again later."
logger = logging.getLogger(__name__)


class StrictRobotsTxtMiddleware(RobotsTxtMiddleware):
    """Wait for the host's robots.txt, then read the rules from the parsed file, not from the Deferred."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        context = RunContext.from_crawler(crawler)
        self._folder: Path | None = context.config.data_folder / "robots" if context.can_write else None
        self._failures: dict[str, Unreachable] = {}
        self._received_bytes: dict[str, int] = {}
        """Of each robots.txt that is being downloaded, by its address."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware, or raise NotConfigured where robots.txt need not be obeyed."""
        return cls(crawler)

    async def process_request(self, request: Request, spider: Spider | None = None) -> None:
        """Wait for the rules of the request's host. A robots.txt itself needs none, and may announce any length."""
        if request.meta.get("dont_obey_robotstxt"):  # also where robots.txt is redirected to
            request.meta["download_maxsize"] = 0
            request.headers["Accept-Encoding"] = "identity"  # the beginning of a compressed file cannot be read
            self._received_bytes[request.url] = 0
            self.crawler.signals.connect(self._stop_long_download, signals.bytes_received)
        await super().process_request(request)

    def _stop_long_download(self, data: bytes, request: Request) -> None:
        """End the download of a robots.txt at MAX_ROBOTS_BYTES. What has arrived is the response."""
        if request.url in self._received_bytes:
            self._received_bytes[request.url] += len(data)
            if self._received_bytes[request.url] > MAX_ROBOTS_BYTES:
                raise StopDownload(fail=False)

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """Return the host's rules, None when robots.txt could not be downloaded."""
        await super().robot_parser(request)
        if self._received_bytes and not any(isinstance(parser, Deferred) for parser in self._parsers.values()):
            self._received_bytes.clear()
            self.crawler.signals.disconnect(self._stop_long_download, signals.bytes_received)
        parser = self._parsers[urlparse_cached(request).netloc]
        assert not isinstance(parser, Deferred)
        return parser

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        """Parse the file, at most its first 500 KiB. For a 5xx use the last copy, or raise."""
        body = response.body[:MAX_ROBOTS_BYTES] if response.status < 400 else b""
        if response.status >= 500:
            copy = self._read_copy(netloc)
            if copy is None:
                reason = f"HTTP {response.status} from {response.url}"
                raise RequestFailed(Unreachable(reason, url=response.url, reason=reason, advice=LATER))
            body = copy
        else:
            self._save_copy(netloc, body)
        await super()._parse_robots(response.replace(body=body), netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        """Remember why robots.txt cannot be read. A request that is refused for another reason fails by itself."""
        error: Exception | CrawlerError = exc.error if isinstance(exc, RequestFailed) else exc
        waiting = self._parsers[netloc]
        is_too_large = isinstance(error, ForbiddenTarget) and error.is_too_large
        if isinstance(error, Unreachable) or is_too_large or not isinstance(exc, IgnoreRequest):
            if (copy := self._read_copy(netloc)) is not None:
                parser = self._parserimpl.from_crawler(self.crawler, copy)
                self._parsers[netloc] = parser
                assert isinstance(waiting, Deferred)
                waiting.callback(parser)
                return
            self._failures[netloc] = error if isinstance(error, Unreachable) else Unreachable(str(error))
        super()._robots_error(exc, netloc)

    def _read_copy(self, netloc: str) -> bytes | None:
        """Return the last good copy, or None when there is none of the last 24 hours."""
        if self._folder is None:
            return None
        path = self._folder / quote(netloc, safe="")
        try:
            is_fresh = 0 <= time.time() - path.stat().st_mtime <= MAX_COPY_AGE_SECONDS
            return path.read_bytes() if is_fresh else None
        except OSError:
            return None

    def _save_copy(self, netloc: str, body: bytes) -> None:
        """Keep a good copy. A folder that cannot be written costs only the copy."""
        if self._folder is None:
            return
        path = self._folder / quote(netloc, safe="")
        try:
            make_private_folder(path.parent)
            make_private_file(path)
            path.write_bytes(body)
        except OSError as error:
            logger.warning("The copy %s of robots.txt cannot be written: %s.", path, error.strerror)

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Raise RobotsForbidden where the rules forbid the request, and Unreachable while nobody knows the rules."""
        failure = self._failures.get(urlparse_cached(request).netloc)
        if failure is not None:
            reason = f"robots.txt cannot be read ({failure.reason or str(failure).rstrip('.')})"
            message = (
                f"{request.url} is not allowed now: {reason}, and there is no copy of the last 24 hours. "
                f"{failure.advice or LATER}"
            )
            raise RequestFailed(Unreachable(message, url=request.url, reason=reason, advice=failure.advice or LATER))
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as error:
            raise RobotsForbidden(str(error)) from error
        self._obey_crawl_delay(rp, request)

    def _obey_crawl_delay(self, rules: RobotParser | None, request: Request) -> None:
        """Let requests to the host have the distance that its robots.txt asks for, if it is more than the usual one."""
        settings, engine = self.crawler.settings, self.crawler.engine
        if engine is None or not isinstance(rules, ProtegoRobotParser):
            return
        asked = rules.rp.crawl_delay(settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"])
        delay = min(float(asked or 0), MAX_CRAWL_DELAY_SECONDS)
        if not delay > settings.getfloat("DOWNLOAD_DELAY"):
            return
        request.meta["autothrottle_dont_adjust_delay"] = True  # it may shorten the delay again
        key = engine.downloader.get_slot_key(request)
        engine.downloader.per_slot_settings[key] = {"delay": delay, "jitter": 0.0}  # for a slot that is made later
        if slot := engine.downloader.slots.get(key):
            slot.delay, slot.jitter = delay, 0.0

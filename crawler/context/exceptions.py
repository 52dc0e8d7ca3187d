"""Why a request ends without a response. Scrapy passes IgnoreRequest to the errback and logs no traceback for it."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest

from crawler.errors import CrawlerError


class RequestFailed(IgnoreRequest):
    """A middleware ends a request with a deliberate error, which is `error`."""

    def __init__(self, error: CrawlerError) -> None:
        super().__init__(str(error))
        self.error = error


class RobotsForbidden(IgnoreRequest):
    """The host's robots.txt forbids the request."""


class TooManyRedirects(IgnoreRequest):
    """A request was redirected more than REDIRECT_MAX_TIMES times."""

"""RobotsMiddleware: Scrapy's RobotsTxtMiddleware, obeyed by every request of a run's beginning.

In Scrapy 2.19.0 the requests that wait for robots.txt share one Deferred, which hands its result to the first of them
and None to the others: of three requests sent at once, the third was let through whatever robots.txt forbids.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.robotstxt import RobotParser
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred


class StrictRobotsTxtMiddleware(RobotsTxtMiddleware):
    """A request waits for its host's robots.txt, then asks what was read, not what it was handed while waiting."""

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The host's rules; None when robots.txt could not be had."""
        await super().robot_parser(request)
        parser = self._parsers[urlparse_cached(request).netloc]
        assert not isinstance(parser, Deferred)
        return parser

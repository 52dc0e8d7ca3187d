"""RedirectMiddleware of Scrapy: every redirect has an answer, and a request redirected too often has an error type.

Scrapy drops a redirect to an address that the run has requested before, without calling the errback. So a list that
redirects to itself would be lost silently.

A redirect to something that is no web address is not followed: its response goes to the spider, which reports it.
"""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.context.exceptions import TooManyRedirects
from crawler.spiders.base import SourceSpider
from crawler.text.urls import resolve_url


class BoundedRedirectMiddleware(RedirectMiddleware):
    """Raise TooManyRedirects after REDIRECT_MAX_TIMES redirects: the only IgnoreRequest that Scrapy raises here."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """Return the redirected request, or the response when it is no redirect, or none to a web address."""
        try:
            redirected = super().process_response(request, response)
        except IgnoreRequest as error:
            raise TooManyRedirects(str(error)) from error
        except ValueError:  # `Location: http://[`
            return response
        if redirected is response or not isinstance(redirected, Request):
            return redirected
        url = resolve_url(redirected.url, "")
        if url is None:
            return response
        self._expect_at_target(request.url, url)
        return redirected.replace(url=url, dont_filter=True)

    def _expect_at_target(self, url: str, target: str) -> None:
        """Expect a listed article at the address that it redirects to, if that is an article's address too."""
        spider = self.crawler.spider
        if not isinstance(spider, SourceSpider):
            return
        listed, expected = spider.to_public_url(url), spider.to_public_url(target)
        unaccounted = spider.context.unaccounted_urls
        if listed in unaccounted and spider.site.identify(expected):
            del unaccounted[listed]
            unaccounted[expected] = None

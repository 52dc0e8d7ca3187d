"""RedirectMiddleware of Scrapy, with a type for a request that is redirected too often.

A redirect to something that is no web address is not followed: its response goes to the spider, which reports it.
"""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.context.exceptions import TooManyRedirects
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
        return response if url is None else redirected.replace(url=url)

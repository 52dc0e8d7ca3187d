"""RedirectMiddleware of Scrapy, with a type for a request that is redirected too often."""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.context.exceptions import TooManyRedirects


class BoundedRedirectMiddleware(RedirectMiddleware):
    """Raise TooManyRedirects after REDIRECT_MAX_TIMES redirects: the only IgnoreRequest that Scrapy raises here."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """Return the redirected request, or the response when it is no redirect."""
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            raise TooManyRedirects(str(error)) from error

"""DecompressMiddleware: Scrapy's HttpCompressionMiddleware, with the house's errors.

Scrapy undoes gzip, deflate, brotli and zstd, also one in another, and never makes more than DOWNLOAD_MAXSIZE bytes of
a body; here a bomb becomes Refused and a body that is not what its header says Unreachable, each one sentence.
"""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.archive.decode import BROKEN
from crawler.middlewares.guard import too_large
from crawler.middlewares.outcomes import Refused, Unreachable


class DecompressMiddleware(HttpCompressionMiddleware):
    """Bodies as their authors wrote them."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """The response decompressed; Refused past the cap, Unreachable for a body that cannot be decompressed."""
        try:
            return super().process_response(request=request, response=response)
        except IgnoreRequest as error:
            raise Refused(too_large(request.url, self._max_size)) from error
        except BROKEN as error:
            encoding = (response.headers.get("Content-Encoding") or b"").decode("latin-1")
            raise Unreachable(
                f"{request.url}: the answer is said to be {encoding!r} and is not ({error}). Try again later.",
                url=request.url,
            ) from error

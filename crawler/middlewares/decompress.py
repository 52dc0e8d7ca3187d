"""HttpCompressionMiddleware of Scrapy, with this project's errors.

Scrapy decodes gzip, deflate, brotli and zstd, including nested encodings, and never makes more than DOWNLOAD_MAXSIZE
bytes of a body. Here a decompression bomb raises ForbiddenTarget. A body that is truncated, or not what its header
says, is retried and in the end raises Unreachable. (Scrapy accepts a truncated body: half an article.)
"""

from __future__ import annotations

from contextlib import suppress
from typing import Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.archive.content_encoding import (
    CUT_OFF,
    DECODE_ERRORS,
    MAX_BODY_BYTES,
    BodyTooLarge,
    UndecodableBody,
    decode_body,
    is_truncated_gzip,
)
from crawler.context.backoff import make_retry_request
from crawler.context.exceptions import RequestFailed
from crawler.errors import ForbiddenTarget, Unreachable
from crawler.middlewares.guard import format_too_large

GZIP_ENCODINGS = ("gzip", "x-gzip")


class DecompressMiddleware(HttpCompressionMiddleware):
    """Decodes bodies, and rejects those that are truncated or too large."""

    crawler: Crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raise NotConfigured where decompression is off."""
        middleware = super().from_crawler(crawler)
        middleware.crawler = crawler
        return middleware

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """Return the decoded response. Raise ForbiddenTarget past the size limit, Unreachable for a broken body."""
        # Scrapy removes the header from the response.
        encoding = (response.headers.get("Content-Encoding") or b"").decode("latin-1").strip()
        try:
            decoded = super().process_response(request=request, response=response)
            if encoding and isinstance(decoded, Response):
                self._raise_if_truncated(response.body, encoding, len(decoded.body))
        except IgnoreRequest as error:
            raise RequestFailed(ForbiddenTarget(format_too_large(request.url, self._max_size))) from error
        except (*DECODE_ERRORS, UndecodableBody) as error:
            assert self.crawler.spider is not None
            retry = make_retry_request(request, f"broken {encoding}", self.crawler.spider)
            if retry is not None:
                return retry
            message = f"{request.url}: the body is not valid {encoding!r} ({error}). Try again later."
            raise RequestFailed(Unreachable(message, url=request.url)) from error
        return decoded

    def _raise_if_truncated(self, body: bytes, encoding: str, decoded_length: int) -> None:
        """Raise EOFError or TruncatedBody for a body of which Scrapy decoded only the part that arrived."""
        if encoding.lower() in GZIP_ENCODINGS:
            if is_truncated_gzip(body, decoded_length):
                raise EOFError(CUT_OFF)
            return
        with suppress(BodyTooLarge):  # Scrapy has checked the size already
            decode_body(body, encoding, self._max_size or MAX_BODY_BYTES)

"""Decode bodies by their Content-Encoding, as the archive reader does (`archive.content_encoding`).

Replaces Scrapy's HttpCompressionMiddleware, which accepts a body that is cut off: half an article. Here such a body,
and one that is not what its header says, is retried and in the end raises Unreachable. One that expands past
DOWNLOAD_MAXSIZE raises ForbiddenTarget.
"""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response, TextResponse
from scrapy.responsetypes import responsetypes

from crawler.archive.content_encoding import (
    ACCEPTED_ENCODINGS,
    MAX_BODY_BYTES,
    BodyTooLarge,
    UndecodableBody,
    decode_body,
)
from crawler.context.backoff import make_retry_request
from crawler.context.exceptions import RequestFailed
from crawler.errors import ForbiddenTarget, Unreachable
from crawler.middlewares.guard import format_too_large


class DecompressMiddleware:
    """Decodes bodies, and rejects those that are cut off or too large."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._max_size = crawler.settings.getint("DOWNLOAD_MAXSIZE") or MAX_BODY_BYTES

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raise NotConfigured where COMPRESSION_ENABLED is false."""
        if not crawler.settings.getbool("COMPRESSION_ENABLED"):
            raise NotConfigured
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Tell the server which encodings are read."""
        request.headers.setdefault("Accept-Encoding", ", ".join(ACCEPTED_ENCODINGS))

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the decoded response. Raise ForbiddenTarget past the size limit, Unreachable for a broken body."""
        encoding = b", ".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        if request.method == "HEAD" or not encoding:
            return response
        try:
            body = decode_body(response.body, encoding, self._max_size)
        except BodyTooLarge as error:
            too_large = ForbiddenTarget(format_too_large(request.url, self._max_size), is_too_large=True)
            raise RequestFailed(too_large) from error
        except UndecodableBody as error:
            assert self._crawler.spider is not None
            retry = make_retry_request(request, f"broken {encoding}", self._crawler.spider)
            if retry is not None:
                return retry
            message = f"{request.url}: the body is not valid {encoding!r} ({error}). Try again later."
            raise RequestFailed(Unreachable(message, url=request.url)) from error
        del response.headers["Content-Encoding"]
        # A compressed body shows its own end, whatever ended the connection.
        flags = [flag for flag in response.flags if flag != "partial" or body == response.body]
        kind = responsetypes.from_args(headers=response.headers, url=response.url, body=body)
        if issubclass(kind, TextResponse):
            return response.replace(cls=kind, body=body, flags=flags, encoding=None)
        return response.replace(body=body, flags=flags)

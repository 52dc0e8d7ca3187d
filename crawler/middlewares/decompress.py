"""DecompressMiddleware: Scrapy's HttpCompressionMiddleware, with the house's errors.

Scrapy undoes gzip, deflate, brotli and zstd, also one in another, and never makes more than DOWNLOAD_MAXSIZE bytes of
a body; here a bomb becomes Refused and a body that is not what its header says, or is cut off, is asked for again and
in the end Unreachable, each one sentence. (Scrapy takes what a cut-off gzip still gives: half an article.)
"""

from __future__ import annotations

import zlib
from typing import Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.archive.content_encoding import DECODE_ERRORS
from crawler.middlewares.guard import format_too_large
from crawler.middlewares.outcomes import Refused, Unreachable
from crawler.middlewares.retry import make_retry_request

GZIP_ENCODINGS = ("gzip", "x-gzip")
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1 << 16
"""Bytes made at a time where a body is only counted."""


class DecompressMiddleware(HttpCompressionMiddleware):
    """Bodies as their authors wrote them."""

    crawler: Crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components; NotConfigured where decompression is off."""
        middleware = super().from_crawler(crawler)
        middleware.crawler = crawler
        return middleware

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """The response decompressed; Refused past the cap, Unreachable for a body that cannot be decompressed."""
        encoding = (response.headers.get("Content-Encoding") or b"").decode("latin-1").strip()
        try:
            made = super().process_response(request=request, response=response)  # takes the header away
            if (
                encoding.lower() in GZIP_ENCODINGS
                and isinstance(made, Response)
                and is_truncated_gzip(response.body, len(made.body))
            ):
                raise EOFError("it is cut off")
        except IgnoreRequest as error:
            raise Refused(format_too_large(request.url, self._max_size)) from error
        except DECODE_ERRORS as error:
            assert self.crawler.spider is not None
            retry = make_retry_request(request, f"broken {encoding}", self.crawler.spider)
            if retry is not None:
                return retry
            raise Unreachable(
                f"{request.url}: the answer is said to be {encoding!r} and is not whole ({error}). Try again later.",
                url=request.url,
            ) from error
        return made


def is_truncated_gzip(body: bytes, decompressed_length: int) -> bool:
    """Whether a gzip body, of which `length` bytes were made, ends before its end.

    A whole one says in its last four bytes how long it is; only where that is not so is it gone through again.
    """
    if int.from_bytes(body[-4:], "little") == decompressed_length & 0xFFFFFFFF:
        return False
    while body[:2] == GZIP_MAGIC:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        while not member.eof:
            piece = member.decompress(body, CHUNK_BYTES)
            body = member.unconsumed_tail
            if not piece and not body and not member.eof:
                return True
        body = member.unused_data
    return False

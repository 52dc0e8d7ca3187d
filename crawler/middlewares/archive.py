"""Write every response, with its request, to the archive.

The middleware is nearest to the downloader (880): below HttpCompression (590), so that bodies are kept as received,
and below Redirect (600) and the retries, so that redirects and failed tries are kept too. It notes on the request the
record, the time of the response, and the record that holds the payload (see RequestMeta).

Where the request's cache entry names an earlier record with the same payload, only a revisit record is written, unless
the archive has lost that record. Off when CRAWLER_ARCHIVE_DIR is empty (replay, dry run).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Headers, Response

from crawler.archive.http_transaction import HttpTransaction, PriorRecord, format_run_tag
from crawler.archive.record_serializer import pack_transaction
from crawler.archive.warc_writer import WarcWriter
from crawler.context.exceptions import RequestFailed
from crawler.context.request_meta import RequestMeta
from crawler.context.response_snapshots import is_cut_off
from crawler.context.run_context import RunContext
from crawler.errors import ArchiveError, Unreachable
from crawler.middlewares.proxy import is_password_refusal
from crawler.spiders.base import SourceSpider
from crawler.store import HttpCacheEntry

NOT_MODIFIED = 304
VALID_STATUSES = range(100, 1000)
"""Statuses that a WARC file can hold."""
CLOSE_REASON = "archive_failed"
"""Scrapy's finish reason of a run whose responses can no longer be kept."""


class ArchiveMiddleware:
    """Writes each response to the archive and ends the run when that fails.

    Raises ArchiveError when the archive cannot even be opened.
    """

    def __init__(self, crawler: Crawler, context: RunContext, writer: WarcWriter, folder: Path | None) -> None:
        """`folder` is where every record must be. None: with object storage it may be there alone."""
        self._crawler, self._context, self._writer, self._folder = crawler, context, writer, folder
        self._failure: ArchiveError | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raise NotConfigured without an archive, and in `scrapy shell`."""
        folder = crawler.settings.get("CRAWLER_ARCHIVE_DIR")
        if not folder or crawler.spider is None:
            raise NotConfigured
        software = crawler.settings.get("USER_AGENT") or "crawler"
        context = RunContext.from_crawler(crawler)
        has_own_files = context.config.objects.address is not None
        writer = WarcWriter(Path(folder), crawler.spider.name, software=software, has_own_files=has_own_files)
        middleware = cls(crawler, context, writer, None if has_own_files else Path(folder))
        crawler.signals.connect(middleware.close_writer, signals.spider_closed)
        return middleware

    def process_request(self, request: Request) -> None:
        """Remove the record of an earlier try, or of the page that led here."""
        if RequestMeta.from_request(request).fetched_at is not None:
            RequestMeta.update(request, record=None, fetched_at=None, original=None)

    def process_response(self, request: Request, response: Response) -> Response:
        """Write the response. Raise ArchiveError, and end the run, when that fails."""
        if "cached" in response.flags or is_password_refusal(request, response):
            return response
        if response.status not in VALID_STATUSES:
            message = (
                f"{request.url} answered with the status {response.status}, which is none of HTTP. Try again later."
            )
            raise RequestFailed(Unreachable(message, url=request.url))
        fetched_at = datetime.now(UTC).replace(microsecond=0)
        if self._failure is not None:
            raise RequestFailed(self._failure)
        try:
            prior_record = self._find_prior_record(request, response)
            packed = pack_transaction(_make_transaction(request, response, fetched_at, prior_record, self._run_tag))
            record = self._writer.append(packed)
        except ArchiveError as error:
            self._stop_run(error)
            raise RequestFailed(error) from error
        original = packed.prior_record
        if original is None and response.status != NOT_MODIFIED:
            original = PriorRecord(
                url=request.url, date=fetched_at, digest=record.digest, file=record.file, offset=record.offset
            )
        RequestMeta.update(request, record=record, fetched_at=fetched_at, original=original)
        return response

    @cached_property
    def _run_tag(self) -> str | None:
        """What each record says about its run, None outside of a run."""
        spider, run = self._crawler.spider, self._context.run
        if not isinstance(spider, SourceSpider) or run is None:
            return None
        return format_run_tag(run, since=spider.since, limit=spider.limit, url=spider.url)

    def _find_prior_record(self, request: Request, response: Response) -> PriorRecord | None:
        """Return the record with the address's last payload, None if it is unknown, or lost and can be replaced."""
        entry = RequestMeta.from_request(request).cache_entry
        if entry is None or not entry.digest or not entry.record_date:
            return None
        if response.status != NOT_MODIFIED and self._has_lost_record(entry):
            return None
        return PriorRecord(
            url=entry.url,
            date=entry.record_date,
            digest=entry.digest,
            file=entry.record_file,
            offset=entry.record_offset,
        )

    def _has_lost_record(self, entry: HttpCacheEntry) -> bool:
        if self._folder is None or entry.record_file is None or entry.record_offset is None:
            return False
        try:
            return (self._folder / entry.record_file).stat().st_size <= entry.record_offset
        except OSError:
            return True

    def close_writer(self) -> None:
        """Wait until the disk has all records."""
        self._writer.close()

    def _stop_run(self, error: ArchiveError) -> None:
        self._failure = error
        engine = self._crawler.engine
        assert engine is not None
        self._closing = asyncio.get_running_loop().create_task(engine.close_spider_async(reason=CLOSE_REASON))


def _make_transaction(
    request: Request, response: Response, fetched_at: datetime, prior_record: PriorRecord | None, run_tag: str | None
) -> HttpTransaction:
    return HttpTransaction(
        url=request.url,
        method=request.method,
        request_headers=_list_headers(request.headers),
        payload=request.body,
        status=response.status,
        headers=_list_headers(response.headers),
        body=response.body,
        fetched_at=fetched_at,
        protocol=response.protocol or "HTTP/1.1",
        ip=str(response.ip_address) if response.ip_address and not request.meta.get("proxy") else None,
        truncated="disconnect" if is_cut_off(response) else None,
        prior_record=prior_record,
        run_tag=run_tag,
    )


def _list_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name in headers for value in headers.getlist(name)]

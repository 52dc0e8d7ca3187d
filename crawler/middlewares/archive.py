"""ArchiveMiddleware: every response, with its request, into the archive before anyone else touches it.

It stands nearest to the downloader (880): below HttpCompression (590), so that bodies are kept as received, and below
Redirect (600) and the retries, so that redirects and failed tries are kept too. Afterwards `request.meta["record"]`
is the SnapshotRef of the record and `request.meta["fetched_at"]` the time of the response (aware, UTC, whole seconds,
as in the record). `request.meta["original"]` is the Earlier that a later revisit of this payload refers to: this
record, or the one before it when this one is a revisit itself; that is what a memory should keep.

Where `request.meta["memory"]` names an earlier record with the same payload, only a revisit record is written.
Off when CRAWLER_ARCHIVE_DIR is empty (replay, dry run).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Headers, Response

from crawler.archive.http_transaction import HttpTransaction, PriorRecord, format_run_tag
from crawler.archive.record_serializer import pack_transaction
from crawler.archive.warc_writer import WarcWriter
from crawler.errors import ArchiveError as BrokenArchive
from crawler.middlewares.outcomes import ArchiveError
from crawler.source import SourceSpider

NOT_MODIFIED = 304
CLOSE_REASON = "archive_failed"
"""The reason a spider is closed with when its responses can no longer be kept."""


class ArchiveMiddleware:
    """Writes each response to the archive; the run ends when that fails. ArchiveError when it cannot even begin."""

    def __init__(self, crawler: Crawler, writer: WarcWriter) -> None:
        self._crawler, self._writer = crawler, writer
        self._failed: str | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Built by Scrapy; NotConfigured when no archive is wanted, and in `scrapy shell`."""
        folder = crawler.settings.get("CRAWLER_ARCHIVE_DIR")
        if not folder or crawler.spider is None:
            raise NotConfigured
        software = crawler.settings.get("USER_AGENT") or "crawler"
        middleware = cls(crawler, WarcWriter(Path(folder), crawler.spider.name, software=software))
        crawler.signals.connect(middleware.close_writer, signals.spider_closed)
        return middleware

    def process_request(self, request: Request) -> None:
        """Forget the record of an earlier try or of the page that led here."""
        request.meta.pop("record", None)
        request.meta.pop("fetched_at", None)
        request.meta.pop("original", None)

    async def process_response(self, request: Request, response: Response) -> Response:
        """Keep the response; ArchiveError (and the end of the run) when it cannot be kept."""
        if "cached" in response.flags:
            return response
        fetched_at = datetime.now(UTC).replace(microsecond=0)
        if self._failed is not None:
            raise ArchiveError(self._failed)
        try:
            packed = pack_transaction(_make_transaction(request, response, fetched_at, self._get_run_tag()))
            record = self._writer.append(packed)
        except BrokenArchive as error:
            self._stop_run(str(error))
            raise ArchiveError(str(error)) from error
        request.meta["record"] = record
        request.meta["fetched_at"] = fetched_at
        original = packed.prior_record
        if original is None and response.status != NOT_MODIFIED:
            original = PriorRecord(
                url=request.url, date=fetched_at, digest=record.digest, file=record.file, offset=record.offset
            )
        request.meta["original"] = original
        return response

    def _get_run_tag(self) -> str | None:
        """What each record says of the run it belongs to; nothing outside of a run."""
        spider = self._crawler.spider
        if not isinstance(spider, SourceSpider) or spider.run is None:
            return None
        return format_run_tag(spider.run, since=spider.since, limit=spider.limit, url=spider.url)

    def close_writer(self) -> None:
        """Wait until the disk has all records."""
        self._writer.close()

    def _stop_run(self, sentence: str) -> None:
        self._failed = sentence
        engine = self._crawler.engine
        assert engine is not None
        self._closing = asyncio.get_running_loop().create_task(engine.close_spider_async(reason=CLOSE_REASON))


def _make_transaction(request: Request, response: Response, fetched_at: datetime, run: str | None) -> HttpTransaction:
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
        ip=str(response.ip_address) if response.ip_address else None,
        truncated=_get_truncation(response.flags),
        prior_record=_make_prior_record(request.meta.get("memory")),
        run_tag=run,
    )


def _list_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name in headers for value in headers.getlist(name)]


def _get_truncation(flags: list[str]) -> str | None:
    if "dataloss" in flags:
        return "disconnect"
    return "unspecified" if "download_stopped" in flags else None


def _make_prior_record(memory: Any) -> PriorRecord | None:
    """What the store remembers of an address, where that says which record holds the payload."""
    if memory is None or not memory.digest or not memory.record_date:
        return None
    date = memory.record_date
    return PriorRecord(
        url=memory.url,
        date=datetime.fromisoformat(date) if isinstance(date, str) else date,
        digest=memory.digest,
        file=memory.record_file,
        offset=memory.record_offset,
    )

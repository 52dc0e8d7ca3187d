"""Replay: the real engine, with a download handler that answers from disk. It opens no socket.

`ReplayDownloadHandler` replaces Scrapy's HTTP handlers. `ReplayStartMiddleware` adds every stored address to the run's
first requests. A request for an address that is not stored raises MissingSnapshot (exit 12). In a snapshot folder two
such requests are skipped: the source's first lists, and links of a page whose meta file says `"follow": "stored"`.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from w3lib.url import canonicalize_url

from crawler.archive.snapshot_folder import StoredPage
from crawler.context.exceptions import RequestFailed
from crawler.context.modes import RunMode
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext
from crawler.errors import MissingSnapshot
from crawler.pages.snapshot import Snapshot
from crawler.spiders.base import SourceSpider

logger = logging.getLogger(__name__)


class ReplayDownloadHandler:
    """A Scrapy download handler over a snapshot folder or a WARC file."""

    lazy = False

    def __init__(self, context: RunContext, spider: SourceSpider) -> None:
        self._context = context
        # A copy of the site (`base_url`) and the site itself have one address.
        self._to_public_url = spider.to_public_url
        self._index: defaultdict[tuple[str, str, str], list[StoredPage]] = defaultdict(list)
        for page in context.stored_pages:
            snapshot = page.snapshot
            key = make_request_key(snapshot.method, self._to_public_url(snapshot.url), snapshot.payload)
            self._index[key].append(page)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the handler for a source's replay."""
        assert isinstance(crawler.spider, SourceSpider)
        return cls(RunContext.from_source_run(crawler), crawler.spider)

    async def download_request(self, request: Request) -> Response:
        """Return the stored response. Raise MissingSnapshot or IgnoreRequest when there is none."""
        index = RequestMeta.from_request(request).stored_index
        page = self._context.stored_pages[index] if index is not None else self._take_page(request)
        if page is None:
            raise self._make_missing_error(request)
        snapshot = page.snapshot
        RequestMeta.update(
            request,
            record=snapshot.ref,
            fetched_at=snapshot.fetched_at,
            kind=snapshot.kind,
            expected_error=page.raises,
            page_follow=page.follow,
        )
        return make_response(snapshot, request)

    def _take_page(self, request: Request) -> StoredPage | None:
        """Return the stored answer to this request: of several the first that is not used yet, then always the last."""
        answers = self._index.get(make_request_key(request.method, self._to_public_url(request.url), request.body), [])
        return (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else None

    def _make_missing_error(self, request: Request) -> Exception:
        root = self._context.replay_path
        if unreadable := self._context.unreadable_pages.get(request.url):
            return RequestFailed(unreadable)
        if self._context.mode is RunMode.SNAPSHOTS:
            if request.meta.get("is_start_request"):
                logger.info("%s is not stored in %s: skipped.", request.url, root)
                return IgnoreRequest("not stored")
            if RequestMeta.from_request(request).follow == "stored":
                logger.info("%s is listed but not stored in %s, as its list says: skipped.", request.url, root)
                return IgnoreRequest("not stored")
        target = f"{request.url} ({request.body.decode(errors='replace')[:200]})" if request.body else request.url
        return MissingSnapshot(
            f"{target} was requested and is not stored in {root}. Store it with `crawler snapshot`, or write "
            '"follow": "stored" into the meta file of the page that leads to it.',
            url=request.url,
        )

    async def close(self) -> None:
        """Close nothing: Scrapy calls it."""


class ReplayStartMiddleware:
    """A spider middleware that requests every stored page, and notes on requests how far their page may be followed."""

    def __init__(self, context: RunContext, spider: SourceSpider) -> None:
        self._context, self._spider = context, spider

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware for a source's replay."""
        assert isinstance(crawler.spider, SourceSpider)
        return cls(RunContext.from_source_run(crawler), crawler.spider)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield the spider's own first requests, then one for each stored page, oldest first."""
        async for request in start:
            yield request
        if self._spider.url:
            return
        seen: set[tuple[str, str, str]] = set()
        for index, page in enumerate(self._context.stored_pages):
            snapshot = page.snapshot
            key = make_request_key(snapshot.method, snapshot.url, snapshot.payload)
            # A WARC file's answers are used in their order: a broken one, then the one of its retry.
            stored_index = index if self._context.mode is RunMode.SNAPSHOTS else None
            yield self._spider.make_request(
                snapshot.url,
                RequestMeta(stored_index=stored_index),
                method=snapshot.method,
                body=snapshot.payload or b"",
                priority=-1 - index,
                dont_filter=key in seen,
            )
            seen.add(key)

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Note on each request whether the page that leads to it is stored without its articles."""
        async for each in result:
            if isinstance(each, Request):
                RequestMeta.update(each, follow=RequestMeta.from_request(response).page_follow)
            yield each


def make_response(snapshot: Snapshot, request: Request) -> Response:
    """Return a stored response as the answer to a request. Its body is decoded."""
    return Response(
        snapshot.url,
        status=snapshot.status,
        headers={name: value for name, value in snapshot.headers.items() if name != "content-encoding"},
        body=snapshot.body,
        request=request,
        flags=["dataloss"] if snapshot.is_cut_off else [],
    )


def make_request_key(method: str, url: str, payload: bytes | None) -> tuple[str, str, str]:
    """Return what two equal requests have in common: method, canonical address, and the JSON of a POST."""
    body = ""
    if payload:
        try:
            body = json.dumps(json.loads(payload), sort_keys=True)
        except ValueError:
            body = payload.decode("utf-8", "replace")
    return method, canonicalize_url(url) if url.startswith("http") else url, body

"""Replay: the real engine, with a download handler that answers from disk. No socket is opened.

`StoredPages` takes the place of Scrapy's HTTP handlers; `StoredStarts` adds every stored address to the run's first
requests. A request that a stored page leads to and that is not stored is NotStored (exit 12), unless the page's meta
file says `"follow": "stored"`; a list the run would begin with and that is not stored is passed over with a line.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from w3lib.url import canonicalize_url

from crawler.archive.snapshot_folder import StoredPage, load_stored_pages
from crawler.errors import MissingSnapshot
from crawler.source import SourceSpider

logger = logging.getLogger(__name__)
_read: WeakKeyDictionary[Crawler, list[StoredPage]] = WeakKeyDictionary()


class ReplayDownloadHandler:
    """A Scrapy download handler over a snapshot folder or a WARC file (setting CRAWLER_STORED)."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        self.root = Path(crawler.settings["CRAWLER_STORED"])
        assert isinstance(crawler.spider, SourceSpider)
        self.public = crawler.spider.to_public_url  # a copy of the site (`base_url`) or the site itself: one address
        self.pages = pages_of(crawler)
        self.strict = self.root.is_file()
        self.index: defaultdict[tuple[str, str, str], list[StoredPage]] = defaultdict(list)
        for page in self.pages:
            snapshot = page.snapshot
            self.index[make_request_key(snapshot.method, self.public(snapshot.url), snapshot.payload)].append(page)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """The stored response; NotStored or IgnoreRequest when there is none."""
        number = request.meta.get("stored")
        page = self.pages[number] if number is not None else self.find_page(request)
        if page is None:
            raise self.make_missing_error(request)
        snapshot = page.snapshot
        request.meta.update(
            record=snapshot.ref,
            fetched_at=snapshot.fetched_at,
            kind=snapshot.kind,
            expects=page.raises,
            leads=page.follow,
        )
        headers = {name: value for name, value in snapshot.headers.items() if name != "content-encoding"}
        return Response(snapshot.url, status=snapshot.status, headers=headers, body=snapshot.body, request=request)

    def find_page(self, request: Request) -> StoredPage | None:
        """The stored answer to this request; of several, the first not yet given, then the last."""
        answers = self.index.get(make_request_key(request.method, self.public(request.url), request.body), [])
        return (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else None

    def make_missing_error(self, request: Request) -> Exception:
        """What a request that is not stored means."""
        if not self.strict and request.meta.get("is_start_request"):
            logger.info("%s is not stored in %s: passed over.", request.url, self.root)
            return IgnoreRequest("not stored")
        if not self.strict and request.meta.get("follow") == "stored":
            logger.info("%s is listed but not stored in %s, as its list says.", request.url, self.root)
            return IgnoreRequest("not stored")
        what = f"{request.url} ({request.body.decode(errors='replace')[:200]})" if request.body else request.url
        return MissingSnapshot(
            f"{what} was asked for and is not stored in {self.root}. Store it with `crawler snapshot`, or write "
            '"follow": "stored" into the meta file of the page that leads to it.',
            url=request.url,
        )

    async def close(self) -> None:
        """Nothing to close."""


class ReplayStartMiddleware:
    """A spider middleware: every stored page is asked for, and what a page leads to knows how far to follow."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.in_folder = Path(crawler.settings["CRAWLER_STORED"]).is_dir()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        return cls(crawler)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The spider's own first requests, then one for each stored page, oldest first."""
        spider = self.crawler.spider
        assert isinstance(spider, SourceSpider)
        async for request in start:
            yield request
        if spider.url:
            return
        seen: set[tuple[str, str, str]] = set()
        for number, page in enumerate(pages_of(self.crawler)):
            snapshot = page.snapshot
            this = make_request_key(snapshot.method, snapshot.url, snapshot.payload)
            yield spider.make_request(
                snapshot.url,
                method=snapshot.method,
                body=snapshot.payload or b"",
                # A WARC file's answers are given in their order: a broken one, then the one of the further try.
                meta={"stored": number} if self.in_folder else {},
                priority=-1 - number,
                dont_filter=this in seen,
            )
            seen.add(this)

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Requests learn whether the page that leads to them was kept without its articles."""
        async for found in result:
            if isinstance(found, Request):
                found.meta["follow"] = response.meta.get("leads")
            yield found


def pages_of(crawler: Crawler) -> list[StoredPage]:
    """The run's stored pages, read once."""
    if crawler not in _read:
        assert crawler.spider is not None
        _read[crawler] = load_stored_pages(Path(crawler.settings["CRAWLER_STORED"]), crawler.spider.name)
    return _read[crawler]


def make_request_key(method: str, url: str, payload: bytes | None) -> tuple[str, str, str]:
    """What makes two requests the same: method, canonical address, and the JSON of a POST."""
    body = ""
    if payload:
        try:
            body = json.dumps(json.loads(payload), sort_keys=True)
        except ValueError:
            body = payload.decode("utf-8", "replace")
    return method, canonicalize_url(url) if url.startswith("http") else url, body

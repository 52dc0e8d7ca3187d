"""A Scrapy run that prints a line of JSON for each response or error. It reads what to request from its argument."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess

from crawler.context.backoff import make_retry_request
from crawler.context.exceptions import RequestFailed
from crawler.context.request_meta import META_KEY, RequestMeta
from crawler.store import HttpCacheEntry


def print_line(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def make_entry(values: dict[str, Any]) -> HttpCacheEntry:
    date = values["record_date"] and datetime.fromisoformat(values["record_date"])
    return HttpCacheEntry(**{**values, "record_date": date}, source="demo", checked_at=datetime.now(UTC))


class ProbeSpider(scrapy.Spider):
    name = "demo"

    def __init__(self, asked: list[dict[str, Any]]) -> None:
        super().__init__()
        self._asked = asked

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for number, one in enumerate(self._asked):
            meta = dict(one.pop("meta", {}))
            if "cache_entry" in meta:
                meta[META_KEY] = RequestMeta(cache_entry=make_entry(meta.pop("cache_entry")))
            meta["number"] = number
            url = one.pop("url")
            yield scrapy.Request(url, errback=self.print_failure, meta=meta, **{"dont_filter": True, **one})

    def parse(self, response: Any) -> Any:
        if b"broken content" in response.body:
            retry = make_retry_request(response.request, "broken content", self)
            if retry is not None:
                return retry
        found = RequestMeta.from_request(response)
        record, original = found.record, found.original
        print_line(
            number=response.meta["number"],
            url=response.url,
            status=response.status,
            size=len(response.body),
            body=response.body[:200].decode("latin-1"),
            record=record and [record.file, record.offset, record.digest],
            fetched_at=str(found.fetched_at),
            original=original and [original.file, original.offset, original.digest],
        )
        return None

    def print_failure(self, failure: Any) -> None:
        error = failure.value
        if isinstance(error, RequestFailed):
            error = error.error
        print_line(
            number=failure.request.meta["number"],
            url=failure.request.url,
            error=type(error).__name__,
            kinds=[kind.__module__ + "." + kind.__name__ for kind in type(error).__mro__],
            message=str(error),
        )

    def closed(self, reason: str) -> None:
        print_line(closed=reason)


def main() -> None:
    """Run `before`, which is Python, then request what `requests` names with these `settings`."""
    given = json.loads(sys.argv[1])
    exec(given["before"], {})
    process = AsyncCrawlerProcess(given["settings"])
    process.crawl(ProbeSpider, asked=given["requests"])
    process.start()

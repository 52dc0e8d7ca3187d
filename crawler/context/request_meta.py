"""What this project notes on a request: one entry of `request.meta`, so that every note has a name and a type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from scrapy import Request
from scrapy.http import Response

from crawler.archive.http_transaction import PriorRecord
from crawler.items import SnapshotRef
from crawler.store import HttpCacheEntry

META_KEY = "crawler"


@dataclass(frozen=True, kw_only=True)
class RequestMeta:
    """Notes on one request. Scrapy copies them to its retries and redirects."""

    # Why it is sent (spiders).
    is_listing: bool = False
    is_article: bool = False
    is_recrawl: bool = False
    """The article is due, though no list of this run names it."""
    is_read_back: bool = False
    """A list page behind the last known article: only edits and removals are expected there."""
    list_page: tuple[int, int] | None = None
    """Which list of a source definition it is, from 0, and the number of its page."""
    fallback_urls: tuple[str, ...] = ()
    """Lists to request instead when this one fails, in this order."""

    # The HTTP cache (middlewares.conditional).
    cache_entry: HttpCacheEntry | None = None
    """The last stored answer of the address."""
    next_cache_entry: HttpCacheEntry | None = None
    """What to store of this answer, once what was read from it is stored."""
    is_unconditional: bool = False
    """No If-None-Match, no If-Modified-Since."""

    # The record of the response (middlewares.archive, middlewares.replay).
    record: SnapshotRef | None = None
    fetched_at: datetime | None = None
    """When the response came (aware, UTC, whole seconds, as in the record)."""
    original: PriorRecord | None = None
    """The record that holds the payload: `record`, or the one before it if that is a revisit record."""

    # Replays (middlewares.replay).
    stored_index: int | None = None
    """Which stored page answers the request; None for the one with its address."""
    kind: str | None = None
    """The kind of page by its file name."""
    expected_error: str | None = None
    """Name of the error that the stored page must raise."""
    follow: str | None = None
    """The meta file's `follow` of the stored page that led here."""
    page_follow: str | None = None
    """The meta file's `follow` of the stored page that answers."""

    # Delays (middlewares.retry).
    not_before: float = 0.0
    """Monotonic time before which the request must not be sent."""
    page_timeout: float | None = None
    """Seconds the request may take once its host has answered."""

    @classmethod
    def from_request(cls, request: Request | Response) -> Self:
        """Return the notes on a request, or on the request that a response answers."""
        meta: dict[str, Any] = request.meta
        found: Self = meta.get(META_KEY) or cls()
        return found

    @classmethod
    def update(cls, request: Request, **changes: Any) -> None:
        """Change notes on a request. Copies of the request keep theirs.

        A tenth of the time of `dataclasses.replace`: a page has five changes.
        """
        assert changes.keys() <= cls.__dataclass_fields__.keys()
        notes = object.__new__(cls)
        notes.__dict__.update(vars(cls.from_request(request)), **changes)
        request.meta[META_KEY] = notes


def get_requested_url(response: Response) -> str:
    """Return the address that was requested first, before any redirect."""
    urls: list[str] = response.meta.get("redirect_urls") or [response.url]
    return urls[0]

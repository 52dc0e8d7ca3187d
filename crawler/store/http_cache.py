"""What a source last answered at each URL: validators for conditional requests, and where the answer is archived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from crawler.store import schema
from crawler.store.column_types import make_url_key
from crawler.store.database import Database
from crawler.store.statements import PreparedStatement, make_upsert, select_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCacheEntry:
    """The last response of a URL.

    `etag` and `last_modified` go into the next conditional request. `digest` is `sha256:<hex>` of the body.
    `record_file`, `record_offset` (bytes) and `record_date` locate the WARC record of the body; a `revisit` record
    refers to it. `status` is the HTTP status, `checked_at` the time of the response.
    """

    source: str
    url: str
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    record_file: str | None = None
    record_offset: int | None = None
    record_date: datetime | None = None
    checked_at: datetime
    status: int | None = None


_FIELDS = tuple(field.name for field in fields(HttpCacheEntry))
_GET = select(*select_columns(schema.http_cache, _FIELDS)).where(
    schema.http_cache.c.source == bindparam("of_source"), schema.http_cache.c.url_key == bindparam("of_key")
)
_SAVE = PreparedStatement(make_upsert(schema.http_cache, key=("source", "url_key")))


def write_cache_entries(connection: Connection, entries: Iterable[HttpCacheEntry]) -> None:
    """Write entries in the caller's transaction. Of several entries for one URL the last one is stored."""
    latest = {(entry.source, make_url_key(entry.url)): entry for entry in entries}
    for key in sorted(latest):  # in one order everywhere, so that two writers cannot deadlock
        _SAVE.execute(connection, _make_row(latest[key], key[1]))


def _make_row(entry: HttpCacheEntry, url_key: str) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _FIELDS}
    return row | {"url_key": url_key}


class HttpCacheRepository:
    """`store.http_cache`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str, url: str) -> HttpCacheEntry | None:
        """Return what the source last answered at this URL, or None."""
        rows = self._database.fetch_all(_GET, {"of_source": source, "of_key": make_url_key(url)})
        return HttpCacheEntry(**rows[0]._mapping) if rows else None

    def save(self, *entries: HttpCacheEntry) -> None:
        """Write entries in one transaction."""
        with self._database.transaction() as connection:
            write_cache_entries(connection, entries)

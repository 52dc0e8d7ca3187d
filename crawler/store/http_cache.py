"""What a source last answered at each address, and which addresses keep failing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from crawler.store import schema
from crawler.store.columns import make_url_key
from crawler.store.database import Database
from crawler.store.statements import PreparedStatement, make_insert_if_absent, make_upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCacheEntry:
    """The last answer of one address.

    `etag` and `last_modified` are sent back in the next conditional request. `digest` is `sha256:<hex>` of the body;
    the record (`record_file`, byte `record_offset`, `record_date`) is the WARC record that holds it, which a
    `revisit` record refers to. `status` is the HTTP status, `checked_at` when the answer came.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailure:
    """An address that has not been read since `first_at`, though tried `tries` times. `kind` names an error class."""

    source: str
    url: str
    kind: str
    message: str
    tries: int
    first_at: datetime
    last_at: datetime


_NAMES = tuple(field.name for field in fields(HttpCacheEntry))
_MEMORY = [schema.http_cache.c[name] for name in _NAMES]
_FAILURE_NAMES = tuple(field.name for field in fields(FetchFailure))
_FAILURE = [schema.failures.c[name] for name in _FAILURE_NAMES]
_AT = (schema.http_cache.c.source == bindparam("source"), schema.http_cache.c.url_key == bindparam("key"))
_FAILED_AT = (schema.failures.c.source == bindparam("at_source"), schema.failures.c.url_key == bindparam("at_key"))
_GET = PreparedStatement(select(*_MEMORY).where(*_AT))
_PUT = make_upsert(schema.http_cache, key=("source", "url_key"))
_FAIL = make_insert_if_absent(schema.failures)
_FAIL_AGAIN = update(schema.failures).where(*_FAILED_AT).values(tries=schema.failures.c.tries + 1)
_IS_FAILING = PreparedStatement(select(func.count()).select_from(schema.failures).where(*_FAILED_AT))
_HEALED = delete(schema.failures).where(*_FAILED_AT)
_OPEN = select(*_FAILURE).where(schema.failures.c.source == bindparam("source"))
_OPEN_BY_AGE = PreparedStatement(_OPEN.order_by(schema.failures.c.first_at, schema.failures.c.url))


def write_cache_entries(connection: Connection, memories: Iterable[HttpCacheEntry]) -> None:
    """Write memories in the caller's transaction; the last one of an address counts."""
    latest = {(memory.source, make_url_key(memory.url)): memory for memory in memories}
    if latest:  # in one order everywhere, so that two writers do not wait for each other
        _PUT.execute_many(connection, [_row(latest[key], key[1]) for key in sorted(latest)])


def _row(memory: HttpCacheEntry, key: str) -> dict[str, Any]:
    row = {name: getattr(memory, name) for name in _NAMES}
    row["url_key"] = key
    return row


class HttpCacheRepository:
    """`store.memory`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str, url: str) -> HttpCacheEntry | None:
        """What the source last answered at this address, None when never asked."""
        rows = self._database.fetch_prepared(_GET, {"source": source, "key": make_url_key(url)})
        return HttpCacheEntry(**dict(zip(_NAMES, rows[0], strict=True))) if rows else None

    def save(self, *memories: HttpCacheEntry) -> None:
        """Remember answers, all in one transaction."""
        with self._database.transaction() as connection:
            write_cache_entries(connection, memories)

    def failures__record(self, source: str, url: str, kind: str, message: str, at: datetime) -> None:
        """Note that an address could not be read: a new failure, or one try more of an open one."""
        key = make_url_key(url)
        told = {"kind": kind, "message": message, "last_at": at}
        first = {"source": source, "url_key": key, "url": url, "tries": 1, "first_at": at, **told}
        with self._database.transaction() as connection:
            if _FAIL.execute(connection, first).rowcount != 1:
                connection.execute(_FAIL_AGAIN, {"at_source": source, "at_key": key, **told})

    def failures__delete(self, source: str, url: str) -> bool:
        """Close an address's failure; False when there was none (which writes nothing and waits for no one)."""
        at = {"at_source": source, "at_key": make_url_key(url)}
        if not self._database.fetch_prepared(_IS_FAILING, at)[0][0]:
            return False
        with self._database.transaction() as connection:
            return connection.execute(_HEALED, at).rowcount == 1

    def failures__list_by_source(self, source: str) -> list[FetchFailure]:
        """The source's failures that have not healed, the oldest first."""
        rows = self._database.fetch_prepared(_OPEN_BY_AGE, {"source": source})
        return [FetchFailure(**dict(zip(_FAILURE_NAMES, row, strict=True))) for row in rows]

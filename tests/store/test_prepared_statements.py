"""Statements that the driver executes itself, over SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from crawler.errors import StoreError
from crawler.store import HttpCacheEntry, Store
from crawler.store.schema import http_cache
from crawler.store.statements import PreparedStatement, make_upsert

NOON = datetime(2026, 3, 6, 12, 0, 0, 5, tzinfo=UTC)
COLUMNS = tuple(column.key for column in http_cache.columns)


def make_row(**values: object) -> dict[str, object]:
    return {**dict.fromkeys(COLUMNS), "source": "mfa", "url_key": "1", "url": "/1", "checked_at": NOON, **values}


def test_values_are_converted_as_sqlalchemy_does(store: Store) -> None:
    upsert = PreparedStatement(make_upsert(http_cache, key=("source", "url_key")))
    local = NOON.astimezone(timezone(timedelta(hours=5)))
    for row in (make_row(etag="old"), make_row(etag="a\0b", record_date=local, record_offset=2**40)):
        with store.database.transaction() as connection:
            assert upsert.execute(connection, row).rowcount == 1
    (found,) = store.database.fetch_all(select(*(http_cache.c[name] for name in COLUMNS)))
    assert found._asdict() == make_row(etag="a\ufffdb", record_date=NOON, record_offset=2**40)


def test_query_returns_plain_rows_within_its_limit(store: Store) -> None:
    store.http_cache.save(*(HttpCacheEntry(source=name, url="/1", checked_at=NOON) for name in ("mfa", "ktkz")))
    query = PreparedStatement(select(http_cache.c.source).where(http_cache.c.url == bindparam("of_url")).limit(1))
    assert [tuple(row) for row in store.database.fetch_all(query, {"of_url": "/1"})] in ([("mfa",)], [("ktkz",)])
    assert list(store.database.fetch_all(query, {"of_url": "/2"})) == []


def test_error_of_the_driver_is_one_of_sqlalchemy(store: Store) -> None:
    store.http_cache.save(HttpCacheEntry(source="mfa", url="/1", checked_at=NOON))
    statement = PreparedStatement(update(http_cache).values(url=bindparam("new_url", type_=http_cache.c.url.type)))
    with pytest.raises(StoreError) as caught, store.database.transaction() as connection:
        statement.execute(connection, {"new_url": None})
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert store.http_cache.get("mfa", "/1")

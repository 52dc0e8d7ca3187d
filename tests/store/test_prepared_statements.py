"""Statements that the driver executes itself, over SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from support.empty_stores import open_test_store

from crawler.errors import StoreError
from crawler.store import HttpCacheEntry, Store
from crawler.store.column_types import NaiveTimeError
from crawler.store.schema import http_cache
from crawler.store.statements import PreparedQuery, PreparedStatement, make_in_query, make_upsert

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


def test_prepared_query_returns_what_sqlalchemy_does(store: Store) -> None:
    evening = datetime(2026, 3, 6, 20, tzinfo=UTC)  # without microseconds
    store.http_cache.save(*(HttpCacheEntry(source=str(at.hour), url="/1", checked_at=at) for at in (NOON, evening)))
    is_first = (http_cache.c.url == "/1").label("is_first")
    query = select(http_cache.c.source, http_cache.c.checked_at, http_cache.c.record_date, is_first)
    at = http_cache.c.checked_at
    query = query.where((at == bindparam("first")) | (at == NOON)).order_by(http_cache.c.source).limit(2)
    values = {"first": evening.astimezone(timezone(timedelta(hours=5)))}
    found = store.database.fetch_all(PreparedQuery(query), values)
    assert found == [tuple(row) for row in store.database.fetch_all(query, values)]
    shown = [(row.source, row.checked_at, row.record_date, row.is_first) for row in found]
    assert shown == [("12", NOON, None, True), ("20", evening, None, True)]
    assert store.database.fetch_all(PreparedQuery(query.where(http_cache.c.url == "/2")), values) == []
    with pytest.raises(NaiveTimeError):
        store.database.fetch_all(PreparedQuery(query), {"first": NOON.replace(tzinfo=None)})


@pytest.mark.parametrize("count", [1, 8, 9, 40])
def test_prepared_query_takes_lists_of_any_length(store: Store, count: int) -> None:
    store.http_cache.save(*(HttpCacheEntry(source="mfa", url=f"/{n}", checked_at=NOON) for n in range(50)))
    chosen = http_cache.c.url.in_(bindparam("of_urls", expanding=True)) & http_cache.c.source.in_(("mfa", "ktkz"))
    query = PreparedQuery(select(http_cache.c.url).where(chosen, http_cache.c.source == bindparam("of_source")))
    for _ in range(2):
        values = {"of_urls": [f"/{n}" for n in range(count)], "of_source": "mfa"}
        assert {row.url for row in store.database.fetch_all(query, values)} == set(values["of_urls"])
    with pytest.raises(KeyError):
        store.database.fetch_all(query, {"of_urls": ["/1"]})
    at = PreparedQuery(select(func.count()).where(http_cache.c.checked_at.in_(bindparam("times", expanding=True))))
    assert store.database.fetch_all(at, {"times": [NOON, NOON + timedelta(days=1)]}) == [(50,)]


def test_error_of_the_driver_is_one_of_sqlalchemy(store: Store) -> None:
    store.http_cache.save(HttpCacheEntry(source="mfa", url="/1", checked_at=NOON))
    statement = PreparedStatement(update(http_cache).values(url=bindparam("new_url", type_=http_cache.c.url.type)))
    with pytest.raises(StoreError) as caught, store.database.transaction() as connection:
        statement.execute(connection, {"new_url": None})
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert store.http_cache.get("mfa", "/1")


def test_missing_value_is_an_error_and_never_null(store: Store) -> None:
    query = PreparedStatement(select(http_cache.c.source).where(http_cache.c.url == bindparam("of_url")))
    added = PreparedStatement(insert(http_cache))
    with pytest.raises(KeyError):
        store.database.fetch_all(query, {"url": "/1"})
    with store.database.transaction() as connection:
        added.execute(connection, make_row())
    incomplete = {name: value for name, value in make_row(url_key="2").items() if name != "etag"}
    with pytest.raises(KeyError), store.database.transaction() as connection:
        added.execute(connection, incomplete)
    assert store.database.fetch_all(select(func.count()).select_from(http_cache))[0][0] == 1


def test_error_in_a_later_row_is_one_of_the_store(tmp_path: Path) -> None:
    """SQLite computes a row when it is fetched, after the query was executed."""

    def fail_at_two(number: int) -> int:
        if number == 2:
            raise ValueError
        return number

    rows = "WITH rows (n) AS (VALUES (1), (2))"
    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as store:
        with store.database.transaction() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.create_function("fail_at_two", 1, fail_at_two)
        query = PreparedStatement(text(f"{rows} SELECT fail_at_two(n) FROM rows"))
        with pytest.raises(StoreError) as caught:
            store.database.fetch_all(query)
        assert isinstance(caught.value.__cause__, OperationalError)
        by_keys = make_in_query(f"{rows} SELECT fail_at_two(n) FROM rows WHERE n IN ({{keys}})")
        with pytest.raises(StoreError), store.database.transaction() as connection:
            list(by_keys.fetch(connection, (1, 2)))

"""A run that lost its lease to another one writes nothing, over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from support.empty_stores import open_test_store
from support.factories import make_article

from crawler.errors import LeaseLost
from crawler.items import Health, Run
from crawler.store import HttpCacheEntry, Store
from crawler.store.schema import leases

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def other(url: str, store: Store) -> Iterator[Store]:
    """The same database, as another run opens it."""
    with open_test_store(url) as opened:
        yield opened


def replace_silent_holder(other: Store) -> None:
    with other.database.transaction() as connection:
        connection.execute(update(leases).values(heartbeat_at=NOON - timedelta(days=1)))
    assert other.leases.acquire("mfa", "two").holder == "two"


def begin_run(store: Store) -> Run:
    store.leases.acquire("mfa", "one")
    store.leases.fence_writes("mfa", "one")
    return store.runs.record_start(Run(source="mfa", started_at=NOON))


def test_late_save_is_refused(store: Store, other: Store, save: Callable[..., int]) -> None:
    begin_run(store)
    early, late = make_article("1"), make_article("2")
    save(early)
    replace_silent_holder(other)
    with pytest.raises(LeaseLost, match=r"on host .* has it"):
        save(late)
    with pytest.raises(LeaseLost), store.transaction():
        raise AssertionError("a transaction of a run that lost its lease began")
    assert [article.id for article in other.articles.iter_newest()] == [early.id]
    assert not store.leases.renew("mfa", "one")
    store.leases.release("mfa", "one")
    held = other.leases.get("mfa")
    assert held is not None
    assert held.holder == "two"


def test_released_lease_is_lost_too(store: Store, save: Callable[..., int]) -> None:
    begin_run(store)
    store.leases.release("mfa", "one")
    with pytest.raises(LeaseLost, match="its holder released it"):
        save(make_article())


def test_lost_run_records_only_that_it_failed(store: Store, other: Store) -> None:
    run = begin_run(store)
    replace_silent_holder(other)
    whole = replace(run, finished_at=NOON, health=Health.HEALTHY, exit_code=0, complete=True)
    entry = HttpCacheEntry(source="mfa", url="https://a.example/", checked_at=NOON)
    for end, entries in ((whole, ()), (replace(whole, complete=False), (entry,))):
        with pytest.raises(LeaseLost):
            store.runs.record_end(end, entries)
    failed = replace(whole, health=Health.FAILED, exit_code=15, complete=False)
    store.runs.record_end(failed)
    stored = other.runs.get_last("mfa")
    assert stored is not None
    assert (stored.health, stored.exit_code, stored.complete) == (Health.FAILED, 15, False)


def test_new_holder_waits_for_a_save_in_progress(store: Store, other: Store) -> None:
    """So the check and the write are one: nobody can take the lease between them."""
    begin_run(store)
    with ThreadPoolExecutor(1) as pool:
        with store.database.transaction():
            replacing = pool.submit(other.leases.acquire, "ktkz", "two")
            with pytest.raises(FutureTimeoutError):
                replacing.result(timeout=0.2)
        assert replacing.result(timeout=120).holder == "two"

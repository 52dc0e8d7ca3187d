"""Leases, over SQLite and PostgreSQL: one holder per source, and an ended holder is replaced soon."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from crawler.items import Health, Run
from crawler.store import LEASE_TIMEOUT, Lease, Store, schema
from crawler.store.process_identity import ProcessIdentity, get_current_process, has_ended, is_observable
from crawler.store.schema import leases

SECOND = timedelta(seconds=1)


def change_lease(store: Store, source: str = "mfa", **values: Any) -> None:
    """Change a lease into one that another process left."""
    with store.database.transaction() as connection:
        connection.execute(update(leases).where(leases.c.source == source).values(**values))


def set_silence(store: Store, seconds: float) -> None:
    lease = store.leases.get("mfa")
    assert lease is not None
    change_lease(store, heartbeat_at=lease.heartbeat_at - timedelta(seconds=seconds))


def get_ended_process() -> ProcessIdentity:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return get_current_process()._replace(pid=child.pid)


def test_first_holder_keeps_the_lease_until_release(store: Store) -> None:
    mine = store.leases.acquire("mfa", "one")
    assert (mine.holder, mine.process) == ("one", get_current_process())
    assert datetime.now(UTC) - mine.taken_at < 60 * SECOND
    assert mine.is_certainly_alive
    assert store.leases.acquire("mfa", "two") == mine == store.leases.get("mfa")
    assert store.leases.acquire("ktkz", "two").holder == "two"
    store.leases.release("mfa", "two")
    assert store.leases.get("mfa") == mine
    store.leases.release("mfa", "one")
    assert store.leases.get("mfa") is None
    assert store.leases.acquire("mfa", "two").holder == "two"


def test_renewal_returns_whether_the_lease_is_still_held(store: Store) -> None:
    mine = store.leases.acquire("mfa", "one")
    set_silence(store, 30)
    assert store.leases.renew("mfa", "one")
    beaten = store.leases.get("mfa")
    assert beaten is not None
    assert (beaten.taken_at, beaten.holder) == (mine.taken_at, "one")
    assert beaten.heartbeat_at >= mine.heartbeat_at
    assert not store.leases.renew("mfa", "two")
    assert not store.leases.renew("ktkz", "one")


def test_acquiring_again_renews_the_lease(store: Store) -> None:
    mine = store.leases.acquire("mfa", "one")
    again = store.leases.acquire("mfa", "one")
    assert again.taken_at == mine.taken_at
    assert again.heartbeat_at > mine.heartbeat_at


@pytest.mark.parametrize(("seconds", "winner"), [(0, "one"), (30, "one"), (44, "one"), (46, "two"), (86_400, "two")])
@pytest.mark.parametrize("host", ["another-host", None])
def test_expired_lease_is_acquired_by_another_holder(store: Store, seconds: int, winner: str, host: str | None) -> None:
    assert LEASE_TIMEOUT == 45 * SECOND
    store.leases.acquire("mfa", "one")
    if host:
        change_lease(store, host=host, start_mark=None)
    set_silence(store, seconds)
    assert (store.leases.get_active("mfa") is None) is (winner == "two")
    assert store.leases.acquire("mfa", "two").holder == winner
    assert store.leases.renew("mfa", "one") is (winner == "one")


def test_ended_holder_of_this_host_is_replaced_at_once(store: Store) -> None:
    store.leases.acquire("mfa", "one")
    change_lease(store, **get_ended_process()._asdict())
    assert store.leases.get_active("mfa") is None
    assert store.leases.acquire("mfa", "two").holder == "two"


@pytest.mark.parametrize(("seconds", "winner"), [(30, "one"), (86_400, "two")])
def test_lease_from_before_the_clock_was_set_back_expires(store: Store, seconds: int, winner: str) -> None:
    store.leases.acquire("mfa", "one")
    change_lease(store, start_mark="another boot:1:1")
    set_silence(store, -seconds)
    assert store.leases.acquire("mfa", "two").holder == winner


def test_living_holder_keeps_its_lease_when_the_clock_is_set_back(store: Store) -> None:
    store.leases.acquire("mfa", "one")
    set_silence(store, -86_400)
    assert store.leases.acquire("mfa", "two").holder == "one"


def test_unobservable_process_counts_as_alive(store: Store) -> None:
    """Another container of this machine may have our host name, with its own process ids."""
    gone = get_ended_process()
    assert gone.start_mark is not None
    boot, space, tick = gone.start_mark.split(":")
    for other in (
        gone._replace(host="another-host"),
        gone._replace(start_mark=f"{boot}:{space}9:{tick}"),
        gone._replace(start_mark=f"another boot:{space}:{tick}"),
        gone._replace(start_mark=None),
    ):
        store.leases.acquire("mfa", "one")
        change_lease(store, **other._asdict())
        assert not is_observable(other)
        held = store.leases.acquire("mfa", "two")
        assert (held.holder, held.is_certainly_alive) == ("one", False)
        store.leases.release("mfa", "one")
    assert not has_ended(gone._replace(start_mark=f"{boot}:{space}9:{tick}"))


def test_one_of_many_threads_acquires_the_lease(store: Store) -> None:
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: store.leases.acquire("mfa", str(number)), range(6)))
    assert len({lease.holder for lease in found}) == 1


def test_one_of_many_threads_acquires_an_expired_lease(store: Store) -> None:
    store.leases.acquire("mfa", "former")
    change_lease(store, host="another-host", start_mark=None)
    set_silence(store, 60)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: store.leases.acquire("mfa", str(number)), range(6)))
    (holder,) = {lease.holder for lease in found}
    assert holder != "former"


def test_new_holder_closes_unfinished_runs_of_any_host(store: Store) -> None:
    noon = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    elsewhere = store.runs.record_start(Run(source="mfa", started_at=noon))
    replay = store.runs.record_start(Run(source="mfa", started_at=noon, mode="replay"))
    other = store.runs.record_start(Run(source="ktkz", started_at=noon))
    with store.database.transaction() as connection:
        connection.execute(update(schema.runs).values(host="another-host"))
    store.leases.acquire("mfa", "one")
    closed = store.runs.get_last("mfa", mode="live")
    assert closed is not None
    assert (closed.id, closed.health, closed.exit_code) == (elsewhere.id, Health.FAILED, 1)
    assert closed.reason.startswith("killed")
    assert store.runs.get_last("mfa", mode="replay") == replay
    assert store.runs.get_last("ktkz") == other


def test_renewal_closes_no_run(store: Store) -> None:
    store.leases.acquire("mfa", "one")
    mine = store.runs.record_start(Run(source="mfa", started_at=datetime(2026, 3, 6, tzinfo=UTC)))
    store.leases.acquire("mfa", "one")
    store.leases.acquire("mfa", "two")
    assert store.runs.get_last("mfa") == mine


def test_conflict_names_process_and_host(store: Store) -> None:
    lease = store.leases.acquire("mfa", "one")
    assert isinstance(lease, Lease)
    assert lease.process == get_current_process()
    assert not has_ended(lease.process)

"""The contract of `store.leases`, over SQLite and PostgreSQL: one holder a source, and none that is dead for long."""

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


def changed(store: Store, source: str = "mfa", **values: Any) -> None:
    """A lease as another process would have left it."""
    with store.database.transaction() as connection:
        connection.execute(update(leases).where(leases.c.source == source).values(**values))


def silent_for(store: Store, seconds: float) -> None:
    lease = store.leases.get("mfa")
    assert lease is not None
    changed(store, heartbeat_at=lease.heartbeat_at - timedelta(seconds=seconds))


def ended_process() -> ProcessIdentity:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return get_current_process()._replace(pid=child.pid)


def test_who_comes_first_has_it_until_it_is_given_up(store: Store) -> None:
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


def test_a_beat_keeps_it_alive_and_tells_whether_it_is_still_held(store: Store) -> None:
    mine = store.leases.acquire("mfa", "one")
    silent_for(store, 30)
    assert store.leases.renew("mfa", "one")
    beaten = store.leases.get("mfa")
    assert beaten is not None
    assert (beaten.taken_at, beaten.holder) == (mine.taken_at, "one")
    assert beaten.heartbeat_at >= mine.heartbeat_at
    assert not store.leases.renew("mfa", "two")
    assert not store.leases.renew("ktkz", "one")


def test_taking_it_again_is_a_beat(store: Store) -> None:
    mine = store.leases.acquire("mfa", "one")
    again = store.leases.acquire("mfa", "one")
    assert again.taken_at == mine.taken_at
    assert again.heartbeat_at > mine.heartbeat_at


@pytest.mark.parametrize(("seconds", "winner"), [(0, "one"), (30, "one"), (44, "one"), (46, "two"), (86_400, "two")])
@pytest.mark.parametrize("host", ["another-host", None])
def test_who_was_silent_for_too_long_is_replaced(store: Store, seconds: int, winner: str, host: str | None) -> None:
    assert LEASE_TIMEOUT == 45 * SECOND
    store.leases.acquire("mfa", "one")
    if host:
        changed(store, host=host, start_mark=None)
    silent_for(store, seconds)
    assert (store.leases.get_active("mfa") is None) is (winner == "two")
    assert store.leases.acquire("mfa", "two").holder == winner
    assert store.leases.renew("mfa", "one") is (winner == "one")


def test_a_holder_of_this_host_that_is_gone_is_replaced_at_once(store: Store) -> None:
    store.leases.acquire("mfa", "one")
    changed(store, **ended_process()._asdict())
    assert store.leases.get_active("mfa") is None
    assert store.leases.acquire("mfa", "two").holder == "two"


def test_what_cannot_be_seen_from_here_is_not_taken_for_gone(store: Store) -> None:
    """Another container of this machine may have our host name; its processes are numbered anew."""
    gone = ended_process()
    assert gone.start_mark is not None
    boot, space, tick = gone.start_mark.split(":")
    for other in (
        gone._replace(host="another-host"),
        gone._replace(start_mark=f"{boot}:{space}9:{tick}"),
        gone._replace(start_mark=f"another boot:{space}:{tick}"),
        gone._replace(start_mark=None),
    ):
        store.leases.acquire("mfa", "one")
        changed(store, **other._asdict())
        assert not is_observable(other)
        held = store.leases.acquire("mfa", "two")
        assert (held.holder, held.is_certainly_alive) == ("one", False)
        store.leases.release("mfa", "one")
    assert not has_ended(gone._replace(start_mark=f"{boot}:{space}9:{tick}"))


def test_of_many_who_reach_for_it_one_gets_it(store: Store) -> None:
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: store.leases.acquire("mfa", str(number)), range(6)))
    assert len({lease.holder for lease in found}) == 1


def test_of_many_who_reach_for_a_forsaken_one_one_gets_it(store: Store) -> None:
    store.leases.acquire("mfa", "former")
    changed(store, host="another-host", start_mark=None)
    silent_for(store, 60)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: store.leases.acquire("mfa", str(number)), range(6)))
    (holder,) = {lease.holder for lease in found}
    assert holder != "former"


def test_who_takes_it_closes_what_dead_runs_of_any_host_left_open(store: Store) -> None:
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


def test_who_has_it_closes_no_run_of_its_own(store: Store) -> None:
    store.leases.acquire("mfa", "one")
    mine = store.runs.record_start(Run(source="mfa", started_at=datetime(2026, 3, 6, tzinfo=UTC)))
    store.leases.acquire("mfa", "one")
    store.leases.acquire("mfa", "two")
    assert store.runs.get_last("mfa") == mine


def test_a_lease_says_where_to_look(store: Store) -> None:
    lease = store.leases.acquire("mfa", "one")
    assert isinstance(lease, Lease)
    assert lease.process == get_current_process()
    assert not has_ended(lease.process)

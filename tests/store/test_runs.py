"""The contract of `store.runs`, over SQLite and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from crawler.errors import StoreError
from crawler.items import Health, Problem, Run
from crawler.store import HttpCacheEntry, Store, schema
from crawler.store.process_identity import ProcessIdentity, get_current_process, has_ended

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def start_run(store: Store, source: str = "mfa", **values: object) -> Run:
    return store.runs.record_start(Run(source=source, started_at=NOON, **values))


def end_run(store: Store, health: Health = Health.HEALTHY, **values: object) -> Run:
    run = replace(start_run(store, **values), finished_at=NOON + MINUTE, health=health, exit_code=0)
    store.runs.record_end(run)
    return run


def set_process(store: Store, run: Run, process: ProcessIdentity) -> None:
    with store.database.transaction() as connection:
        connection.execute(update(schema.runs).where(schema.runs.c.id == run.id).values(**process._asdict()))


def get_ended_process() -> ProcessIdentity:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return get_current_process()._replace(pid=child.pid)


def test_run_is_returned_as_started_and_as_ended(store: Store) -> None:
    run = start_run(store, mode="replay")
    assert run.id is not None
    assert store.runs.get_last("mfa") == run
    problem = Problem(kind="PageChanged", message="Поле «title» не найдено", exit_code=12, url="https://x")
    ended = replace(
        run,
        finished_at=NOON + MINUTE,
        health=Health.CHANGED,
        reason="one page changed",
        exit_code=12,
        complete=True,
        counts={"pages": 3, "new": 2},
        problems=(problem,),
    )
    entry = HttpCacheEntry(source="mfa", url="https://x", checked_at=NOON)
    store.runs.record_end(ended, [entry])
    assert store.runs.get_last("mfa") == ended
    assert store.http_cache.get("mfa", "https://x") == entry


def test_only_a_started_run_can_end(store: Store) -> None:
    run = start_run(store)
    entry = HttpCacheEntry(source="mfa", url="https://x", checked_at=NOON)
    for wrong in (replace(run, id=None, finished_at=NOON), run):
        with pytest.raises(ValueError, match="started"):
            store.runs.record_end(wrong, [entry])
    assert store.http_cache.get("mfa", "https://x") is None


def test_a_run_cannot_end_in_another_store(store: Store) -> None:
    """The store was replaced: it has no run of that number, or one of another source or process."""
    run, other = start_run(store), start_run(store, "ktkz")
    set_process(store, run, get_ended_process())
    entry = HttpCacheEntry(source="mfa", url="https://x", checked_at=NOON)
    for run_id in (999, run.id, other.id):
        with pytest.raises(StoreError, match="does not have the run of mfa that started there"):
            store.runs.record_end(replace(run, id=run_id, finished_at=NOON), [entry])
    assert store.http_cache.get("mfa", "https://x") is None
    assert [(each.source, each.finished_at) for each in store.runs.list_recent()] == [("ktkz", None), ("mfa", None)]


def test_queries_of_runs(store: Store) -> None:
    assert (store.runs.get_last("mfa"), store.runs.get_last_healthy("mfa"), store.runs.get_last_complete_id("mfa")) == (
        None,
    ) * 3
    healthy = end_run(store, complete=True)
    replayed = end_run(store, mode="replay", complete=True)
    silent = end_run(store, Health.SILENT)
    other = end_run(store, source="ktkz", complete=True)
    running = start_run(store)
    assert store.runs.get_last("mfa") == running
    assert store.runs.get_last("mfa", mode="replay") == store.runs.get_last_healthy("mfa") == replayed
    assert store.runs.get_last_healthy("mfa", mode="live") == healthy
    assert (store.runs.get_last_complete_id("mfa"), store.runs.get_last_complete_id("mfa", mode="live")) == (
        replayed.id,
        healthy.id,
    )
    assert store.runs.list_recent() == [running, other, silent, replayed, healthy]
    assert store.runs.list_recent("mfa", 2) == [running, silent]


def test_parent_closes_the_run_of_its_ended_child(store: Store) -> None:
    dead, alive, another = start_run(store), start_run(store), start_run(store, source="ktkz")
    gone = get_ended_process()
    set_process(store, dead, gone)
    set_process(store, another, gone)
    assert store.runs.close_abandoned("mfa", NOON + MINUTE, "It crashed.", pid=gone.pid + 1) == 0
    assert store.runs.close_abandoned("mfa", NOON + MINUTE, "It crashed.", pid=gone.pid) == 1
    found = {run.id: run for run in store.runs.list_recent()}
    closed = found[dead.id]
    assert (closed.health, closed.exit_code, closed.reason) == (Health.FAILED, 1, "It crashed.")
    assert closed.finished_at == NOON + MINUTE
    assert found[alive.id].finished_at is None
    assert found[another.id].finished_at is None


def test_unfinished_run_of_an_ended_process_is_closed(store: Store) -> None:
    killed, elsewhere, another = start_run(store), start_run(store), start_run(store, source="ktkz")
    gone = get_ended_process()
    set_process(store, killed, gone)
    set_process(store, elsewhere, gone._replace(host="another-host"))
    set_process(store, another, gone)
    now = store.runs.record_start(Run(source="mfa", started_at=NOON + MINUTE))
    first, *rest = reversed(store.runs.list_recent())
    assert (first.id, first.health, first.exit_code, first.finished_at) == (killed.id, Health.FAILED, 1, NOON + MINUTE)
    assert first.reason.startswith("killed")
    assert rest == [elsewhere, another, now]


def test_run_of_a_living_process_stays_open(store: Store) -> None:
    mine = start_run(store)
    assert store.runs.record_start(Run(source="mfa", started_at=NOON)).id != mine.id
    assert store.runs.list_recent()[1] == mine


def test_reused_process_id_is_another_process() -> None:
    mine = get_current_process()
    assert not has_ended(mine)
    assert has_ended(mine._replace(start_mark="another boot:1"))
    assert not has_ended(mine._replace(start_mark=None))
    assert not has_ended(mine._replace(host="another-host", start_mark="another boot:1"))


def test_zombie_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    from crawler.store.process_identity import read_start_mark

    process = ProcessIdentity(get_current_process().host, child.pid, read_start_mark(child.pid))
    assert not has_ended(process)
    child.stdin.close()
    child.stdout.read()  # ends when the child has closed it
    while read_start_mark(child.pid) == process.start_mark:
        pass
    assert has_ended(process)
    child.wait()
    child.stdout.close()
    assert has_ended(process)


def test_runs_with_a_measure_ended_well(store: Store) -> None:
    measured = {"articles": 3, "fields": {"title": 3}}
    kept = [
        end_run(store, measures=measured),
        end_run(store, Health.DEGRADED, measures=measured),
    ]
    end_run(store, Health.CHANGED, measures=measured)
    end_run(store, measures={"unaccounted": ["https://example.org/?articles:"]})
    end_run(store, mode="replay", measures=measured)
    end_run(store, source="ktkz", measures=measured)
    start_run(store)
    found = store.runs.list_with_measure("mfa", "articles", since=NOON)
    assert [run.id for run in found] == [run.id for run in reversed(kept)]
    assert found[0].measures == measured
    assert [run.id for run in store.runs.list_with_measure("mfa", "articles", since=NOON, limit=1)] == [kept[1].id]
    assert store.runs.list_with_measure("mfa", "articles", since=NOON + MINUTE) == []


def test_start_of_a_streak_of_runs(store: Store) -> None:
    well = end_run(store)
    assert store.runs.get_streak_start(well) == well.started_at
    end_run(store, Health.BLOCKED)
    first, _, last = (end_run(store, Health.DEGRADED) for _ in range(3))
    end_run(store, Health.BLOCKED, mode="replay")
    start_run(store)
    with store.database.transaction() as connection:
        connection.execute(update(schema.runs).where(schema.runs.c.id < first.id).values(started_at=NOON - MINUTE))
    assert store.runs.get_streak_start(last) == first.started_at


def test_measures_of_an_ended_run_are_replaced(store: Store) -> None:
    run = end_run(store, measures={"articles": 1})
    store.runs.save_measures(replace(run, measures={"articles": 1, "accepted": {"run": run.id}}))
    assert store.runs.get_last("mfa").measures == {"articles": 1, "accepted": {"run": run.id}}

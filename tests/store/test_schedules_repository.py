"""Concurrent updates of schedules, over SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawler.store import RUN_NOW, ScheduleState, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
ROW = ScheduleState(source="mfa", cron="*/15 * * * *", jitter=60)


def test_update_gets_the_stored_schedule(store: Store) -> None:
    assert store.schedules.update("mfa", lambda row: row or ROW) == ROW
    changed = store.schedules.update("mfa", lambda row: replace(row or ROW, paused=True, next_due_at=RUN_NOW))
    assert store.schedules.get("mfa") == changed == replace(ROW, paused=True, next_due_at=RUN_NOW)
    assert store.schedules.list_all() == [changed]


def test_concurrent_updates_are_all_stored(store: Store) -> None:
    """One thread pauses the source, another writes its start. Both changes are stored."""
    store.schedules.save(ROW)

    def change(number: int) -> None:
        if number % 2:
            store.schedules.update("mfa", lambda row: replace(row or ROW, jitter=(row or ROW).jitter + 1))
        else:
            store.schedules.update("mfa", lambda row: replace(row or ROW, last_started_at=NOON, paused=True))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(20)))
    assert store.schedules.get("mfa") == replace(ROW, jitter=70, last_started_at=NOON, paused=True)


def test_failed_update_writes_nothing(store: Store) -> None:
    store.schedules.save(ROW)

    def fail(row: ScheduleState | None) -> ScheduleState:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.schedules.update("mfa", fail)
    assert store.schedules.get("mfa") == ROW

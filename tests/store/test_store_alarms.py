"""The operator's alarms, over both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.store import Alarm, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
ALARM = Alarm(
    source="mfa", kind="blocked", severity="11", message="Отказ\0.", opened_at=NOON, last_seen_at=NOON, untold="opened"
)


def test_an_alarm_comes_back_as_it_was_put(store: Store) -> None:
    store.alarms.put(ALARM)
    found = store.alarms.open_of("mfa")
    assert found is not None
    assert replace(found, id=None) == replace(ALARM, message="Отказ\ufffd.")
    assert store.alarms.open_of("ktkz") is None


def test_one_is_changed_in_place_and_closed(store: Store) -> None:
    store.alarms.put(ALARM)
    found = store.alarms.open_of("mfa")
    assert found is not None
    store.alarms.put(replace(found, closed_at=LATER, untold=None, told_at=LATER, done=("a", "b"), times=3))
    assert store.alarms.open_of("mfa") is None
    assert store.alarms.open() == store.alarms.untold(LATER) == []
    store.alarms.put(ALARM)
    again = store.alarms.open_of("mfa")
    assert again is not None
    assert again.id != found.id


def test_what_is_untold_waits_for_its_next_try(store: Store) -> None:
    store.alarms.put(replace(ALARM, next_try_at=LATER))
    store.alarms.put(replace(ALARM, source="ktkz"))
    assert [alarm.source for alarm in store.alarms.untold(NOON)] == ["ktkz"]
    assert [alarm.source for alarm in store.alarms.untold(LATER)] == ["ktkz", "mfa"]

"""The operator's alarms, over both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.store import Alarm, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
ALARM = Alarm(
    source="mfa",
    kind="blocked",
    severity="11",
    latest="blocked",
    message="Отказ\0.",
    opened_at=NOON,
    last_seen_at=NOON,
    untold="opened",
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


def test_one_takes_it_and_settles_it(store: Store) -> None:
    store.alarms.put(ALARM)
    (due,) = store.alarms.untold(NOON)
    taken = store.alarms.take(due, NOON, LATER)
    assert taken is not None
    assert store.alarms.take(due, NOON, LATER) is None
    assert store.alarms.settle(taken, replace(taken, untold=None, told_at=NOON, next_try_at=None))
    assert not store.alarms.settle(taken, replace(taken, tries=7))
    found = store.alarms.open_of("mfa")
    assert found is not None
    assert (found.untold, found.told_at, found.tries) == (None, NOON, 0)


def test_who_took_it_and_died_gives_way(store: Store) -> None:
    store.alarms.put(ALARM)
    (due,) = store.alarms.untold(NOON)
    assert store.alarms.take(due, NOON, LATER) is not None
    assert store.alarms.untold(NOON) == []
    (again,) = store.alarms.untold(LATER)
    assert store.alarms.take(again, LATER, LATER + timedelta(minutes=5)) is not None


def test_what_changed_meanwhile_is_not_settled(store: Store) -> None:
    store.alarms.put(ALARM)
    (due,) = store.alarms.untold(NOON)
    taken = store.alarms.take(due, NOON, LATER)
    assert taken is not None
    store.alarms.change("mfa", lambda found: replace(found, untold="healed", closed_at=LATER) if found else None)
    assert not store.alarms.settle(taken, replace(taken, untold=None))
    assert [alarm.untold for alarm in store.alarms.untold(LATER)] == ["healed"]


def test_what_is_untold_waits_for_its_next_try(store: Store) -> None:
    store.alarms.put(replace(ALARM, next_try_at=LATER))
    store.alarms.put(replace(ALARM, source="ktkz"))
    assert [alarm.source for alarm in store.alarms.untold(NOON)] == ["ktkz"]
    assert [alarm.source for alarm in store.alarms.untold(LATER)] == ["ktkz", "mfa"]

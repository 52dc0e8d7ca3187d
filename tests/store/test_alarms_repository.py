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
    last_health="blocked",
    message="Отказ\0.",
    opened_at=NOON,
    last_seen_at=NOON,
    pending_notice="opened",
)


def test_saved_alarm_is_returned_unchanged(store: Store) -> None:
    store.alarms.save(ALARM)
    found = store.alarms.get_open("mfa")
    assert found is not None
    assert replace(found, id=None) == replace(ALARM, message="Отказ\ufffd.")
    assert store.alarms.get_open("ktkz") is None


def test_closed_alarm_is_no_longer_open(store: Store) -> None:
    store.alarms.save(ALARM)
    found = store.alarms.get_open("mfa")
    assert found is not None
    store.alarms.save(
        replace(
            found, closed_at=LATER, pending_notice=None, notified_at=LATER, notified_channels=("a", "b"), run_count=3
        )
    )
    assert store.alarms.get_open("mfa") is None
    assert store.alarms.list_due(LATER) == []
    store.alarms.save(ALARM)
    again = store.alarms.get_open("mfa")
    assert again is not None
    assert again.id != found.id


def test_only_the_claiming_sender_saves_the_result(store: Store) -> None:
    store.alarms.save(ALARM)
    (due,) = store.alarms.list_due(NOON)
    taken = store.alarms.claim(due, NOON, LATER)
    assert taken is not None
    assert store.alarms.claim(due, NOON, LATER) is None
    assert store.alarms.save_result(taken, replace(taken, pending_notice=None, notified_at=NOON, next_try_at=None))
    assert not store.alarms.save_result(taken, replace(taken, tries=7))
    found = store.alarms.get_open("mfa")
    assert found is not None
    assert (found.pending_notice, found.notified_at, found.tries) == (None, NOON, 0)


def test_expired_claim_can_be_claimed_again(store: Store) -> None:
    store.alarms.save(ALARM)
    (due,) = store.alarms.list_due(NOON)
    assert store.alarms.claim(due, NOON, LATER) is not None
    assert store.alarms.list_due(NOON) == []
    (again,) = store.alarms.list_due(LATER)
    assert store.alarms.claim(again, LATER, LATER + timedelta(minutes=5)) is not None


def test_result_of_a_changed_alarm_is_not_saved(store: Store) -> None:
    store.alarms.save(ALARM)
    (due,) = store.alarms.list_due(NOON)
    taken = store.alarms.claim(due, NOON, LATER)
    assert taken is not None
    store.alarms.update_open(
        "mfa", lambda found: replace(found, pending_notice="healed", closed_at=LATER) if found else None
    )
    assert not store.alarms.save_result(taken, replace(taken, pending_notice=None))
    assert [alarm.pending_notice for alarm in store.alarms.list_due(LATER)] == ["healed"]


def test_result_is_not_saved_when_the_alarm_became_worse(store: Store) -> None:
    store.alarms.save(ALARM)
    (due,) = store.alarms.list_due(NOON)
    taken = store.alarms.claim(due, NOON, LATER)
    assert taken is not None
    store.alarms.update_open("mfa", lambda found: replace(found, severity="12", message="Worse.") if found else None)
    assert not store.alarms.save_result(taken, replace(taken, pending_notice=None))
    assert [(alarm.severity, alarm.pending_notice) for alarm in store.alarms.list_due(LATER)] == [("12", "opened")]


def test_pending_alarm_waits_for_its_next_attempt(store: Store) -> None:
    store.alarms.save(replace(ALARM, next_try_at=LATER))
    store.alarms.save(replace(ALARM, source="ktkz"))
    assert [alarm.source for alarm in store.alarms.list_due(NOON)] == ["ktkz"]
    assert [alarm.source for alarm in store.alarms.list_due(LATER)] == ["ktkz", "mfa"]

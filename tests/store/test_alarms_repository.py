"""The operator's alarms, over both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.store import Alarm, Store
from crawler.store.alarms import DELAY_TOPIC

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


def get_open(store: Store) -> Alarm:
    found = store.alarms.get_open("mfa")
    assert found is not None
    return found


def announce(store: Store, at: datetime = NOON) -> int:
    """Put what is pending into the outbox. Return the message."""
    (alarm,) = store.alarms.list_pending()
    key = f"{alarm.id} {alarm.pending_notice} {alarm.kind}"
    times = {"created_at": at, "due_at": at}
    message_id = store.messages.add(key=key, subscription="operator", kind="alarm", channels=["desk"], **times)
    store.alarms.save_announcement(alarm, message_id, at)
    return message_id


def test_saved_alarm_is_returned_unchanged(store: Store) -> None:
    store.alarms.save(ALARM)
    assert replace(get_open(store), id=None) == replace(ALARM, message="Отказ\ufffd.")
    assert store.alarms.get_open("ktkz") is None


def test_closed_alarm_is_no_longer_open(store: Store) -> None:
    store.alarms.save(ALARM)
    found = get_open(store)
    store.alarms.save(replace(found, closed_at=LATER, pending_notice=None, run_count=3))
    assert store.alarms.get_open("mfa") is None
    assert store.alarms.list_pending() == []
    store.alarms.save(ALARM)
    assert get_open(store).id != found.id


def test_an_alarm_of_another_topic_is_another_alarm(store: Store) -> None:
    store.alarms.save(ALARM)
    store.alarms.save(replace(ALARM, topic=DELAY_TOPIC, kind="delayed"))
    assert get_open(store).kind == "blocked"
    assert [each.kind for each in store.alarms.list_open_between("mfa", NOON, LATER)] == ["blocked"]
    assert [each.kind for each in store.alarms.list_pending()] == ["delayed", "blocked"]
    store.alarms.update_open("mfa", lambda found: replace(found, closed_at=LATER) if found else None, DELAY_TOPIC)
    assert get_open(store).closed_at is None
    assert store.alarms.get_open("mfa", DELAY_TOPIC) is None


def test_an_announced_alarm_is_announced_once(store: Store) -> None:
    store.alarms.save(ALARM)
    message_id = announce(store, LATER)
    assert store.alarms.list_pending() == []
    assert get_open(store).announced_at == LATER
    (notice,) = store.alarms.list_notices(message_id)
    assert (notice.notice, notice.kind, notice.message, notice.is_current) == (
        "opened",
        "blocked",
        "Отказ\ufffd.",
        True,
    )


def test_only_the_newest_notice_of_a_topic_is_current(store: Store) -> None:
    store.alarms.save(ALARM)
    first = announce(store)
    store.alarms.update_open("mfa", lambda found: replace(found, closed_at=LATER) if found else None)
    assert [each.is_current for each in store.alarms.list_notices(first)] == [False]  # it is over
    closed_id = store.alarms.list_notices(first)[0].alarm.id
    store.alarms.save(replace(ALARM, id=closed_id, closed_at=LATER, pending_notice="healed"))
    second = announce(store)
    assert [each.is_current for each in store.alarms.list_notices(second)] == [True]
    store.alarms.update_open("mfa", lambda found: replace(ALARM, opened_at=LATER))
    third = announce(store)
    current = [[each.is_current for each in store.alarms.list_notices(number)] for number in (first, second, third)]
    assert current == [[False], [False], [True]]
    assert closed_id is not None
    assert store.alarms.list_message_ids(closed_id) == [first, second]


def test_a_new_alarm_cancels_a_recovery_that_is_not_in_the_outbox(store: Store) -> None:
    store.alarms.save(replace(ALARM, closed_at=LATER, pending_notice="healed"))
    store.alarms.update_open("mfa", lambda found: ALARM)
    assert [each.pending_notice for each in store.alarms.list_pending()] == ["opened"]
    assert len(store.alarms.list_open_between("mfa", NOON, LATER)) == 2


def test_notices_move_to_another_message(store: Store) -> None:
    store.alarms.save(ALARM)
    first = announce(store)
    times = {"created_at": NOON, "due_at": NOON}
    second = store.messages.add(key="b", subscription="operator", kind="bundle", channels=["desk"], **times)
    store.alarms.move_notices(first, second)
    store.messages.delete(first)
    assert [each.kind for each in store.alarms.list_notices(second)] == ["blocked"]
    assert [message.id for message, _ in store.deliveries.list_newest()] == [second]

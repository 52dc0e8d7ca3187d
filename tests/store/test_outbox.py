"""Lists of deliveries, and the time of the last message of a kind, over both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.store import DeliveryState, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def add_message(store: Store, number: int, kind: str = "alert", failure: str | None = None) -> int:
    at = NOON + timedelta(minutes=number)
    message = store.messages.add(
        key=f"key {number}", subscription="press", kind=kind, channels=["desk"], created_at=at, due_at=at
    )
    if failure:
        ((_, delivery),) = store.deliveries.list_newest(message_id=message)
        assert store.deliveries.save_result(delivery, replace(delivery, failure=failure, tries=1))
    return message


def test_list_newest_limits_failed_deliveries_only(store: Store) -> None:
    failed = add_message(store, 1, failure="the receiver answered 500")
    waiting = add_message(store, 2)
    assert [message.id for message, _ in store.deliveries.list_newest(failed=True, limit=1)] == [failed]
    assert [message.id for message, _ in store.deliveries.list_newest(limit=1)] == [waiting]
    assert store.deliveries.count_by_state() == {DeliveryState.PENDING: 2}


def test_retry_skips_a_delivery_that_is_being_sent(store: Store) -> None:
    add_message(store, 0, failure="the receiver answered 500")
    ((_, delivery),) = store.deliveries.list_due(NOON, 9)
    claimed = store.deliveries.claim(delivery, NOON + timedelta(minutes=10))
    assert claimed is not None
    assert store.deliveries.retry_failed(NOON) == 0
    assert store.deliveries.list_due(NOON, 9) == []
    assert store.deliveries.save_result(claimed, replace(claimed, failure="the receiver answered 503"))
    assert store.deliveries.retry_failed(NOON) == 1
    assert len(store.deliveries.list_due(NOON, 9)) == 1


def test_time_of_the_last_message_of_a_kind(store: Store) -> None:
    assert store.messages.get_last_time("press", ("alert", "bundle")) is None
    for number, kind in enumerate(("alert", "bundle", "digest"), start=1):
        add_message(store, number, kind)
    assert store.messages.get_last_time("press", ("alert", "bundle")) == NOON + timedelta(minutes=2)
    assert store.messages.get_last_time("desk", ("alert",)) is None

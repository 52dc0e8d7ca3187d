"""The outbox over every store: what a ledger lists, and which message of a kind was the last."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.store import DeliveryState, Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def put(store: Store, number: int, kind: str = "alert", failure: str | None = None) -> int:
    at = NOON + timedelta(minutes=number)
    message = store.messages.add(
        key=f"key {number}", subscription="press", kind=kind, channels=["desk"], created_at=at, due_at=at
    )
    if failure:
        ((_, delivery),) = store.deliveries.list_newest(message_id=message)
        assert store.deliveries.save_result(delivery, replace(delivery, failure=failure, tries=1))
    return message


def test_the_ledger_of_failures_counts_only_those(store: Store) -> None:
    failed = put(store, 1, failure="the receiver answered 500")
    waiting = put(store, 2)
    assert [message.id for message, _ in store.deliveries.list_newest(failed=True, limit=1)] == [failed]
    assert [message.id for message, _ in store.deliveries.list_newest(limit=1)] == [waiting]
    assert store.deliveries.count_by_state() == {DeliveryState.PENDING: 2}


def test_when_the_last_message_of_a_kind_was_made(store: Store) -> None:
    assert store.messages.get_last_time("press", ("alert", "bundle")) is None
    for number, kind in enumerate(("alert", "bundle", "digest"), start=1):
        put(store, number, kind)
    assert store.messages.get_last_time("press", ("alert", "bundle")) == NOON + timedelta(minutes=2)
    assert store.messages.get_last_time("desk", ("alert",)) is None

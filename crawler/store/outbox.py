"""The outbox: messages, and the delivery of each one on each channel.

A sender claims a delivery for a while, sends the message and writes the result. If its process dies between sending
and writing, the message is sent again later with the same key: at least once, never with two keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy import Label, Row, Select, case, delete, func, insert, select, update

from crawler.store.database import Database
from crawler.store.schema import deliveries, messages
from crawler.store.statements import select_columns


class DeliveryState(StrEnum):
    """What became of a delivery. The database stores these values."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"
    REPLACED = "replaced"
    """It was never sent, because a later message says what is true now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a subscription is sent. `key` is its idempotency key: a recipient recognises a repeated message by it.

    `kind` is alert, alarm, bundle (several of these in one message) or digest. A digest has a period. The end of a
    bundle's is when it is due. `deferred`: quiet hours or a pause held it back.
    """

    id: int
    key: str
    subscription: str
    kind: str
    created_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    deferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on one channel. `failure` says why the last attempt failed. A claim clears it.

    `tries` counts the attempts, also one that is claimed. `delivered_to`: space-separated hashes of the recipients who
    already received the message.
    """

    message_id: int
    channel: str
    state: DeliveryState
    tries: int
    next_try_at: datetime
    sent_at: datetime | None = None
    failure: str | None = None
    delivered_to: str = ""


_MESSAGE_FIELDS = tuple(field.name for field in fields(Message))
_DELIVERY_FIELDS = tuple(field.name for field in fields(Delivery))
_SELECT_MESSAGES = select(*select_columns(messages, _MESSAGE_FIELDS))
_SELECT_BOTH = select(
    *select_columns(messages, _MESSAGE_FIELDS), *select_columns(deliveries, _DELIVERY_FIELDS)
).join_from(deliveries, messages, deliveries.c.message_id == messages.c.id)
_HAS_FAILED = (deliveries.c.state == DeliveryState.DEAD) | (
    (deliveries.c.state == DeliveryState.PENDING) & deliveries.c.failure.is_not(None)
)


def make_idempotency_key(*parts: object) -> str:
    """Return a key that is always the same for the same parts."""
    return blake2b("\n".join(map(str, parts)).encode(), digest_size=12).hexdigest()


class MessageRepository:
    """`store.messages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        key: str,
        subscription: str,
        kind: str,
        channels: Sequence[str],
        created_at: datetime,
        due_at: datetime,
        period_start: datetime | None = None,
        period_end: datetime | None = None,
        deferred: bool = False,
    ) -> int:
        """Add a message with a pending delivery for each channel, of which there is at least one. Return its id."""
        message = {
            "key": key,
            "subscription": subscription,
            "kind": kind,
            "created_at": created_at,
            "period_start": period_start,
            "period_end": period_end,
            "deferred": deferred,
        }
        with self._database.transaction() as connection:
            added = connection.execute(insert(messages), message).inserted_primary_key
            assert added is not None
            message_id = int(added[0])
            pending = [
                Delivery(message_id=message_id, channel=name, state=DeliveryState.PENDING, tries=0, next_try_at=due_at)
                for name in dict.fromkeys(channels)
            ]
            connection.execute(insert(deliveries), [asdict(delivery) for delivery in pending])
        return message_id

    def get(self, message_id: int) -> Message | None:
        """Return a message, or None."""
        rows = self._database.fetch_all(_SELECT_MESSAGES.where(messages.c.id == message_id))
        return Message(**rows[0]._mapping) if rows else None

    def mark_deferred(self, message_id: int) -> None:
        """Write that quiet hours or a pause hold the message back."""
        with self._database.transaction() as connection:
            connection.execute(update(messages).where(messages.c.id == message_id).values(deferred=True))

    def set_due(self, message_id: int, at: datetime) -> None:
        """Write when a bundle that no one has tried to send is due."""
        with self._database.transaction() as connection:
            connection.execute(update(messages).where(messages.c.id == message_id).values(period_end=at))
            chosen = update(deliveries).where(deliveries.c.message_id == message_id)
            connection.execute(chosen.values(next_try_at=at))

    def delete(self, message_id: int) -> None:
        """Delete a message that no one has tried to send, with its deliveries."""
        with self._database.transaction() as connection:
            connection.execute(delete(messages).where(messages.c.id == message_id))

    def get_last_time(
        self, subscription: str, kinds: Sequence[str], *, before: datetime | None = None
    ) -> datetime | None:
        """Return when the subscription's newest message of these kinds was added (before then), or None."""
        query = select(messages.c.created_at).where(messages.c.subscription == subscription, messages.c.kind.in_(kinds))
        if before is not None:
            query = query.where(messages.c.created_at < before)
        rows: Sequence[Any] = self._database.fetch_all(query.order_by(messages.c.id.desc()).limit(1))
        return rows[0][0] if rows else None


class DeliveryRepository:
    """`store.deliveries`. `store.messages.add` adds them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_due(
        self, now: datetime, limit: int, *, excluded_channels: Sequence[str] = (), subscription: str | None = None
    ) -> list[tuple[Message, Delivery]]:
        """Return pending deliveries whose next attempt is due, the oldest message first."""
        query = _SELECT_BOTH.where(deliveries.c.state == DeliveryState.PENDING, deliveries.c.next_try_at <= now)
        if subscription is not None:
            query = query.where(messages.c.subscription == subscription)
        if excluded_channels:
            query = query.where(deliveries.c.channel.not_in(excluded_channels))
        return self._list(query.order_by(messages.c.id, deliveries.c.channel).limit(limit))

    def claim(self, delivery: Delivery, until: datetime) -> Delivery | None:
        """Return the delivery, reserved for the caller until then. None if another sender has it.

        The attempt counts from now on, because a sender that dies may have sent the message.
        """
        claimed = replace(delivery, next_try_at=until, tries=delivery.tries + 1, failure=None)
        return claimed if self._update_if_unchanged(delivery, claimed) else None

    def save_result(self, delivery: Delivery, result: Delivery) -> bool:
        """Write what became of a delivery that the caller has claimed, or that it postpones or gives up unclaimed.

        Return False, and write nothing, if another process has claimed or changed the delivery since it was read.
        """
        return self._update_if_unchanged(delivery, result)

    def retry_failed(self, now: datetime, *, message_id: int | None = None, channel: str | None = None) -> int:
        """Make failed deliveries due now, given up or not. Return how many there are.

        One that was ever tried keeps an attempt: the recipient may have the message. One that a sender has claimed is
        skipped, because it has no failure.
        """
        query = update(deliveries).where(_HAS_FAILED)
        if message_id is not None:
            query = query.where(deliveries.c.message_id == message_id)
        if channel is not None:
            query = query.where(deliveries.c.channel == channel)
        with self._database.transaction() as connection:
            tries = case((deliveries.c.tries > 0, 1), else_=0)
            return connection.execute(query.values(state=DeliveryState.PENDING, tries=tries, next_try_at=now)).rowcount

    def list_newest(
        self,
        *,
        failed: bool = False,
        subscription: str | None = None,
        since: datetime | None = None,
        message_id: int | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[tuple[Message, Delivery]]:
        """Return messages with their deliveries, the newest first. `failed`: those given up or tried in vain so far.

        `before`: only messages with a lower id.
        """
        query = _SELECT_BOTH.where(_HAS_FAILED) if failed else _SELECT_BOTH
        if subscription is not None:
            query = query.where(messages.c.subscription == subscription)
        if since is not None:
            query = query.where(messages.c.created_at >= since)
        if message_id is not None:
            query = query.where(messages.c.id == message_id)
        if before is not None:
            query = query.where(messages.c.id < before)
        return self._list(query.order_by(messages.c.id.desc(), deliveries.c.channel).limit(limit))

    def list_pending_or_sent_since(self, subscription: str, since: datetime) -> list[tuple[Message, Delivery]]:
        """Return all deliveries of messages with one that is pending or was sent after then. The oldest come first."""
        is_recent = (deliveries.c.state == DeliveryState.PENDING) | (deliveries.c.sent_at > since)
        ids = select(deliveries.c.message_id).where(is_recent)
        query = _SELECT_BOTH.where(messages.c.subscription == subscription, messages.c.id.in_(ids))
        return self._list(query.order_by(messages.c.id, deliveries.c.channel))

    def list_pending_subscriptions(self) -> list[str]:
        """Return the names of subscriptions with a pending delivery, in alphabetical order."""
        query = (
            select(messages.c.subscription)
            .join_from(deliveries, messages, deliveries.c.message_id == messages.c.id)
            .where(deliveries.c.state == DeliveryState.PENDING)
            .distinct()
        )
        return [row[0] for row in self._database.fetch_all(query.order_by(messages.c.subscription))]

    def list_by_messages(self, message_ids: Collection[int]) -> list[Delivery]:
        """Return the deliveries of these messages, the oldest message first."""
        query = _SELECT_BOTH.where(messages.c.id.in_(message_ids)).order_by(messages.c.id, deliveries.c.channel)
        return [delivery for _, delivery in self._list(query)]

    def has_waiting_failure(self) -> bool:
        """Return whether a delivery failed and waits for its next attempt."""
        is_waiting = (deliveries.c.state == DeliveryState.PENDING, deliveries.c.failure.is_not(None))
        return bool(self._database.fetch_all(select(deliveries.c.message_id).where(*is_waiting).limit(1)))

    def count_failed(self) -> int:
        """Return how many deliveries were given up or tried in vain so far."""
        rows: Sequence[Any] = self._database.fetch_all(select(func.count()).select_from(deliveries).where(_HAS_FAILED))
        return int(rows[0][0])

    def count_by_state(self) -> dict[DeliveryState, int]:
        """Return how many deliveries are in each state."""
        query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        rows: Sequence[Any] = self._database.fetch_all(query)
        return {DeliveryState(row[0]): row[1] for row in rows}

    def _update_if_unchanged(self, before: Delivery, after: Delivery) -> bool:
        """Write `after` if the delivery still has the state and time of `before`. Return whether it has."""
        is_same = (
            deliveries.c.message_id == before.message_id,
            deliveries.c.channel == before.channel,
            deliveries.c.state == before.state,
            deliveries.c.next_try_at == before.next_try_at,
        )
        with self._database.transaction() as connection:
            return connection.execute(update(deliveries).where(*is_same).values(**asdict(after))).rowcount == 1

    def _list(self, query: Select[Any]) -> list[tuple[Message, Delivery]]:
        return [_make_pair(row) for row in self._database.fetch_all(query)]


def _make_pair(row: Row[Any]) -> tuple[Message, Delivery]:
    values = row._mapping
    return Message(**{name: values[name] for name in _MESSAGE_FIELDS}), make_delivery(row)


def select_delivery_columns() -> list[Label[Any]]:
    """Return the columns that `make_delivery` needs."""
    return select_columns(deliveries, _DELIVERY_FIELDS)


def make_delivery(row: Row[Any]) -> Delivery:
    """Return the delivery in a row that may have other columns too."""
    values = {name: row._mapping[name] for name in _DELIVERY_FIELDS}
    return Delivery(**{**values, "state": DeliveryState(values["state"])})

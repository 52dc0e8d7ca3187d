"""Messages, and what became of each on each channel: pending, sent, or given up.

A delivery is taken before it is sent, for a while nobody else's; what came of it is written down after. A process that
dies between the two sends it again later, under the same key: at least once, and never under two keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, update

from crawler.store.database import Database
from crawler.store.statements import PreparedStatement
from crawler.store.telling_schema import deliveries, messages


class DeliveryState(StrEnum):
    """Of a delivery."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a subscriber is told at once. `key` is its idempotency key: whoever gets it twice sees that by the key.

    `kind` is alert, bundle (what was too much for single alerts), digest or test; the times are a digest's period.
    """

    id: int
    key: str
    subscription: str
    kind: str
    created_at: datetime
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on one channel. `failure` says in plain words why the last try failed; `took` holds the marks, parted
    by blanks, of those of the channel's recipients who have it all the same."""

    message_id: int
    channel: str
    state: DeliveryState
    tries: int
    next_try_at: datetime
    sent_at: datetime | None = None
    failure: str | None = None
    delivered_to: str = ""


_MESSAGE = [messages.c[field.name] for field in fields(Message)]
_DELIVERY = [deliveries.c[field.name] for field in fields(Delivery)]
_AS_IT_WAS = (
    deliveries.c.message_id == bindparam("old_message_id"),
    deliveries.c.channel == bindparam("old_channel"),
    deliveries.c.state == bindparam("old_state"),
    deliveries.c.next_try_at == bindparam("old_next_try_at"),
)
_SETTLE = PreparedStatement(update(deliveries).where(*_AS_IT_WAS), names=[field.name for field in fields(Delivery)])
_FAILED = (deliveries.c.state == DeliveryState.DEAD) | (
    (deliveries.c.state == DeliveryState.PENDING) & deliveries.c.failure.is_not(None)
)
_BOTH = select(*_MESSAGE, *_DELIVERY).join_from(deliveries, messages, deliveries.c.message_id == messages.c.id)


def make_idempotency_key(*parts: object) -> str:
    """An idempotency key: the same for the same parts, always."""
    return blake2b("\n".join(map(str, parts)).encode(), digest_size=12).hexdigest()


class MessageRepository:
    """`store.outbox`."""

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
    ) -> int:
        """A new message with a delivery for each channel, due from `due` on; its number."""
        row = {"key": key, "subscription": subscription, "kind": kind, "made_at": created_at}
        with self._database.transaction() as connection:
            made = connection.execute(insert(messages), {**row, "begins_at": period_start, "ends_at": period_end})
            assert made.inserted_primary_key is not None
            number = int(made.inserted_primary_key[0])
            pending = {
                "message_id": number,
                "state": DeliveryState.PENDING,
                "tries": 0,
                "next_try_at": due_at,
                "took": "",
            }
            rows = [{**pending, "channel": name, "sent_at": None, "failure": None} for name in dict.fromkeys(channels)]
            connection.execute(insert(deliveries), rows)
        return number

    def get(self, message_id: int) -> Message | None:
        """A message by its number."""
        rows = self._database.fetch_all(select(*_MESSAGE).where(messages.c.id == message_id))
        return Message(**rows[0]._mapping) if rows else None

    def count_since(self, subscription: str, kind: str, since: datetime) -> int:
        """How many messages of a kind were made for a subscription since then."""
        wanted = (messages.c.subscription == subscription, messages.c.kind == kind, messages.c.made_at >= since)
        found: int = self._database.fetch_all(select(func.count()).select_from(messages).where(*wanted))[0][0]
        return found

    def get_last_time(self, subscription: str, kinds: Sequence[str]) -> datetime | None:
        """When the last message of these kinds was made for a subscription, None when none was."""
        wanted = (messages.c.subscription == subscription, messages.c.kind.in_(kinds))
        query = select(messages.c.made_at).where(*wanted).order_by(messages.c.id.desc()).limit(1)
        rows: Sequence[Any] = self._database.fetch_all(query)
        return rows[0][0] if rows else None

    def deliveries__list_due(
        self, now: datetime, limit: int, *, excluded_channels: Sequence[str] = ()
    ) -> list[tuple[Message, Delivery]]:
        """Deliveries to be tried by now, the oldest message first; none on the channels of `without`."""
        query = _BOTH.where(deliveries.c.state == DeliveryState.PENDING, deliveries.c.next_try_at <= now)
        if excluded_channels:
            query = query.where(deliveries.c.channel.not_in(excluded_channels))
        return self._pairs(query.order_by(messages.c.id, deliveries.c.channel).limit(limit))

    def deliveries__claim(self, delivery: Delivery, until: datetime) -> Delivery | None:
        """The delivery for one who sends it, nobody else's until then; None when another took it."""
        taken = replace(delivery, next_try_at=until)
        return taken if self._written(delivery, taken) else None

    def deliveries__save_result(self, taken: Delivery, outcome: Delivery) -> bool:
        """Write what came of sending a delivery that was taken; False when it is no longer one's own."""
        return self._written(taken, outcome)

    def deliveries__retry_failed(
        self, now: datetime, *, message_id: int | None = None, channel: str | None = None
    ) -> int:
        """Let what was given up, or waits after a failure, be tried now; how many deliveries that are."""
        query = update(deliveries).where(_FAILED)
        if message_id is not None:
            query = query.where(deliveries.c.message_id == message_id)
        if channel is not None:
            query = query.where(deliveries.c.channel == channel)
        with self._database.transaction() as connection:
            return connection.execute(query.values(state=DeliveryState.PENDING, tries=0, next_try_at=now)).rowcount

    def deliveries__list_newest(
        self,
        *,
        failed: bool = False,
        subscription: str | None = None,
        since: datetime | None = None,
        message_id: int | None = None,
        limit: int | None = None,
    ) -> list[tuple[Message, Delivery]]:
        """Messages with their deliveries, the latest first; `failed` asks for those given up or waiting after a
        failure."""
        query = _BOTH.where(_FAILED) if failed else _BOTH
        if subscription is not None:
            query = query.where(messages.c.subscription == subscription)
        if since is not None:
            query = query.where(messages.c.made_at >= since)
        if message_id is not None:
            query = query.where(messages.c.id == message_id)
        return self._pairs(query.order_by(messages.c.id.desc(), deliveries.c.channel).limit(limit))

    def deliveries__count_by_state(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state."""
        query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        rows: Sequence[Any] = self._database.fetch_all(query)
        return {DeliveryState(row[0]): row[1] for row in rows}

    def _written(self, before: Delivery, after: Delivery) -> bool:
        values = {f"old_{name}": getattr(before, name) for name in ("message_id", "channel", "state", "next_try_at")}
        with self._database.transaction() as connection:
            return _SETTLE.execute(connection, {**asdict(after), **values}).rowcount == 1

    def _pairs(self, query: Select[Any]) -> list[tuple[Message, Delivery]]:
        return [_pair(row._mapping) for row in self._database.fetch_all(query)]


def _pair(values: Any) -> tuple[Message, Delivery]:
    message = Message(**{field.name: values[field.name] for field in fields(Message)})
    found = {field.name: values[field.name] for field in fields(Delivery)}
    return message, Delivery(**{**found, "state": DeliveryState(found["state"])})

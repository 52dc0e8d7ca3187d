"""No storm: what is beyond a subscription's `burst` within ten minutes becomes one message with a list.

The outbox has the whole state, so a process that is killed or started again counts as before. What is due is compared
with what was sent in the last ten minutes. The oldest messages go alone, as many as the limit allows. The others become
one bundle, which is sent when the ten minutes are over that began with the first message; until then, what else comes
joins it. Only messages that no one has tried to send are moved: one that may have arrived keeps its own key.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from crawler.config import Config, Subscription
from crawler.store import Delivery, DeliveryState, Message, Store, make_idempotency_key

BURST_PERIOD = timedelta(minutes=10)
"""Messages to a subscription within this period count as one burst, and none is held longer."""
SINGLE_KINDS = ("alert", "alarm")


class OutboxWindow(NamedTuple):
    """What a subscription's outbox has to do with the last ten minutes.

    `waiting` are messages that are due and were never tried. `taken` counts the others that were sent, are being sent,
    or are tried again now; `since` is when the first of them was sent, None if none was. `bundle` is the list that
    waits to be sent.
    """

    waiting: list[Message]
    taken: int
    since: datetime | None
    bundle: Message | None

    def is_bundle_held(self, now: datetime) -> bool:
        """Return whether the list is not yet due."""
        return self.bundle is not None and self.bundle.period_end is not None and self.bundle.period_end > now

    def list_excess(self, burst: int) -> list[Message]:
        """Return the messages that are to be in the list."""
        return self.waiting[max(burst - self.taken, 0) :]


def collect_bursts(store: Store, config: Config, now: datetime, *, hold: bool = True, only: str | None = None) -> None:
    """Put what is beyond each subscription's limit into a list that is due within ten minutes, or now without `hold`.

    `only` names one subscription. Sends nothing.
    """
    # Look without a lock first, because a watch looks every half minute.
    for name in store.deliveries.list_pending_subscriptions():
        subscription = config.find_subscription(name)
        if subscription is None or only not in (None, name):
            continue
        window = _read_window(store, name, now)
        if window.list_excess(subscription.burst) or (window.is_bundle_held(now) and not hold):
            with store.transaction():
                _collect(store, name, subscription, now, hold=hold)


def _collect(store: Store, name: str, subscription: Subscription, now: datetime, *, hold: bool) -> None:
    window = _read_window(store, name, now)
    excess = window.list_excess(subscription.burst)
    bundle_id = window.bundle.id if window.bundle else None
    if bundle_id is not None and window.is_bundle_held(now) and not hold:
        store.messages.set_due(bundle_id, now)
    if not excess:
        return
    if bundle_id is None:
        due_at = (window.since or now) + BURST_PERIOD if hold else now
        bundle_id = store.messages.add(
            key=make_idempotency_key(name, "bundle", *(message.key for message in excess)),
            subscription=name,
            kind="bundle",
            channels=subscription.channels,
            created_at=now,
            due_at=due_at,
            period_end=due_at,
        )
    if any(message.deferred for message in excess):
        store.messages.mark_deferred(bundle_id)
    for message in excess:
        store.notifications.move_to_message(message.id, bundle_id)
        store.alarms.move_notices(message.id, bundle_id)
        store.messages.delete(message.id)


def _read_window(store: Store, name: str, now: datetime) -> OutboxWindow:
    start = now - BURST_PERIOD
    found = store.deliveries.list_pending_or_sent_since(name, start)
    waiting: list[Message] = []
    bundle = None
    taken, times = 0, []
    for message, pairs in groupby(found, key=lambda pair: pair[0]):
        deliveries = [delivery for _, delivery in pairs]
        sent = [each.sent_at for each in deliveries if each.sent_at is not None and each.sent_at > start]
        is_untried = all(each.state is DeliveryState.PENDING and each.tries == 0 for each in deliveries)
        if message.kind == "digest":
            continue
        if sent:
            taken += 1
            times += sent
        elif is_untried and message.kind == "bundle" and _are_due_at(deliveries, message.period_end):
            bundle = message
        elif is_untried and message.kind in SINGLE_KINDS and all(each.next_try_at <= now for each in deliveries):
            waiting.append(message)
        elif any(_is_in_hand(delivery, now) for delivery in deliveries):
            taken += 1
    return OutboxWindow(waiting, taken, min(times, default=None), bundle)


def _are_due_at(deliveries: Iterable[Delivery], at: datetime | None) -> bool:
    """Return whether no sender has claimed or postponed any of the deliveries."""
    return all(delivery.next_try_at == at for delivery in deliveries)


def _is_in_hand(delivery: Delivery, now: datetime) -> bool:
    """Return whether a delivery is tried again now, or is claimed by a sender at this moment."""
    if delivery.state is not DeliveryState.PENDING:
        return False
    is_claimed = delivery.tries > 0 and delivery.failure is None
    return is_claimed or delivery.next_try_at <= now

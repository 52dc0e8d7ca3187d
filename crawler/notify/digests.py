"""Add a message for each digest that is due. After an outage one digest covers everything that was missed."""

from __future__ import annotations

from datetime import datetime

from crawler import spiders
from crawler.config import Config, Subscription
from crawler.publish.outages import UNREAD_KIND, list_outages
from crawler.store import Decision, Store, SubscriptionState, make_idempotency_key

ALERT_MESSAGE_KINDS = ("alert", "bundle")
"""Kinds of messages of a real-time subscription."""


def make_due_digests(store: Store, config: Config, now: datetime) -> int:
    """Add the digests that are due. Return how many.

    Each is one transaction. Without a due digest none is begun, because a watch looks every half minute.
    """
    made = 0
    for name, due_at in list_due_digests(store, config, now).items():
        with store.transaction():
            made += _make_digest(store, config, name, config.subscriptions[name], due_at, now)
    return made


def list_due_digests(store: Store, config: Config, now: datetime) -> dict[str, datetime]:
    """Return when each digest that is due fell due, by subscription."""
    found: dict[str, datetime] = {}
    states = store.subscriptions.get_or_start(tuple(config.subscriptions), now)
    for name, subscription in config.subscriptions.items():
        due_at = _get_due_time(store, config, name, subscription, now)
        if due_at is None or config.get_pause_end(subscription, now):
            continue
        last_alert_at = _get_last_alert_time(store, name, subscription, due_at)
        if _get_period_start(states[name], last_alert_at) < due_at:
            found[name] = due_at
    return found


def _get_due_time(
    store: Store, config: Config, name: str, subscription: Subscription, now: datetime
) -> datetime | None:
    """Return when the subscription's latest digest fell due. Return None for real-time subscriptions.

    When a subscription switches to real time, or its pause ends, send one last digest with everything still pending.
    """
    if subscription.when.frequency == "realtime" and not store.notifications.has_pending(name):
        return None
    return subscription.when.get_last_due(now.astimezone(config.get_timezone(subscription)))


def _get_last_alert_time(store: Store, name: str, subscription: Subscription, due_at: datetime) -> datetime | None:
    """Return when the subscription's last alert was made.

    For a real-time subscription an alert of this very moment does not count, or it would put the last digest off.
    """
    before = due_at if subscription.when.frequency == "realtime" else None
    return store.messages.get_last_time(name, ALERT_MESSAGE_KINDS, before=before)


def _get_period_start(state: SubscriptionState, last_alert_at: datetime | None) -> datetime:
    """Return where the next digest begins: at the end of the last one, or at the last alert if that is later."""
    start = state.digest_until or state.started_at
    return max(start, last_alert_at or start)


def _make_digest(
    store: Store, config: Config, name: str, subscription: Subscription, due_at: datetime, now: datetime
) -> bool:
    """Add one digest. Return False if another process added it, or if an empty one is not sent."""
    state = store.subscriptions.get_or_start([name], now)[name]
    last_alert_at = _get_last_alert_time(store, name, subscription, due_at)
    start = _get_period_start(state, last_alert_at)
    if due_at <= start:
        return False
    pending = store.notifications.list_pending(name, due_at, covered_since=last_alert_at)
    is_empty = not any(notification.decision is Decision.DIGEST for notification in pending)
    is_suppressed = is_empty and _is_suppressed(store, config, subscription, state, (start, due_at))
    if not is_suppressed:
        message_id = store.messages.add(
            key=make_idempotency_key(name, "digest", due_at.isoformat()),
            subscription=name,
            kind="digest",
            channels=subscription.channels,
            created_at=now,
            due_at=now,
            period_start=start,
            period_end=due_at,
        )
        store.notifications.assign_message(name, [notification.event_id for notification in pending], message_id)
    store.subscriptions.record_digest(name, due_at, state.empty_digests + 1 if is_empty else 0)
    return not is_suppressed


def _is_suppressed(
    store: Store,
    config: Config,
    subscription: Subscription,
    state: SubscriptionState,
    period: tuple[datetime, datetime],
) -> bool:
    """Return whether an empty digest is not sent, by the subscription's `empty`.

    With `once`, a day or week in which a source could not be read is always reported: it may only look empty.
    """
    if subscription.empty == "always" or (subscription.empty == "once" and state.empty_digests == 0):
        return False
    if subscription.when.frequency == "hourly" or subscription.empty == "never":
        return True
    sources = subscription.sources or [name for name in spiders.list_names() if config.get_source(name).enabled]
    outages = list_outages(store, sources, *period)
    # A source that was never read is no outage.
    return all(outage.kind == UNREAD_KIND and outage.since is None for outage in outages)

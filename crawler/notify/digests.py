"""What has gathered for a subscription's digest, as a message when it is due; one for all that was missed."""

from __future__ import annotations

from datetime import datetime

from crawler import spiders
from crawler.config import Config, Subscription
from crawler.publish.outages import UNREAD_KIND, list_outages
from crawler.store import Decision, Store, SubscriptionState, make_idempotency_key

ALERT_MESSAGE_KINDS = ("alert", "bundle")
"""Kinds of messages to one who is told at once."""


def make_due_digests(store: Store, config: Config, now: datetime) -> int:
    """Make the digests that are due by now; how many. Each is one transaction, and none is begun where nothing is due:
    a watch looks each half minute."""
    made = 0
    begun = store.events.subscriptions__get_or_start(tuple(config.subscriptions), now)
    for name, subscription in config.subscriptions.items():
        due = _get_due_time(store, config, name, subscription, now)
        if (
            due is not None
            and _get_period_start(begun[name], store.messages.get_last_time(name, ALERT_MESSAGE_KINDS)) < due
        ):
            with store.transaction():
                made += _make_digest(store, config, name, subscription, due, now)
    return made


def _get_due_time(
    store: Store, config: Config, name: str, subscription: Subscription, now: datetime
) -> datetime | None:
    """When the subscription's last digest fell due; None for one that has none. One that is told at once from now on is
    told in a last digest what still waits."""
    if subscription.when.frequency == "realtime" and not store.events.notifications__has_pending(name):
        return None
    return subscription.when.get_last_due(now.astimezone(config.get_timezone(subscription)))


def _get_period_start(state: SubscriptionState, last_alert_at: datetime | None) -> datetime:
    """From when on a subscription's next digest tells: where the last one ended, or its last alert if it had some
    since."""
    begins = state.digest_until or state.started_at
    return max(begins, last_alert_at or begins)


def _make_digest(
    store: Store, config: Config, name: str, subscription: Subscription, due: datetime, now: datetime
) -> bool:
    begun = store.events.subscriptions__get_or_start([name], now)[name]
    alerted = store.messages.get_last_time(name, ALERT_MESSAGE_KINDS)
    begins = _get_period_start(begun, alerted)
    if due <= begins:  # another process made it just now
        return False
    waiting = store.events.notifications__list_pending(name, due, covered_since=alerted)
    is_empty = not any(notice.decision is Decision.DIGEST for notice in waiting)
    silent = is_empty and _is_suppressed(store, config, subscription, begun, (begins, due))
    if not silent:
        number = store.messages.add(
            key=make_idempotency_key(name, "digest", due.isoformat()),
            subscription=name,
            kind="digest",
            channels=subscription.channels,
            created_at=now,
            due_at=now,
            period_start=begins,
            period_end=due,
        )
        store.events.notifications__assign_message(name, [notice.event_id for notice in waiting], number)
    store.events.subscriptions__record_digest(name, due, begun.empty_digests + 1 if is_empty else 0)
    return not silent


def _is_suppressed(
    store: Store,
    config: Config,
    subscription: Subscription,
    state: SubscriptionState,
    period: tuple[datetime, datetime],
) -> bool:
    """Whether a digest without news is not sent: as the subscriber asked; but with `once` a day or week in which a
    source could not be seen is never passed over, for it may only look empty."""
    if subscription.empty == "always" or (subscription.empty == "once" and state.empty_digests == 0):
        return False
    if subscription.when.frequency == "hourly" or subscription.empty == "never":
        return True
    names = subscription.sources or [name for name in spiders.list_names() if config.get_source(name).enabled]
    met = list_outages(store, names, *period)
    return all(each.kind == UNREAD_KIND and each.since is None for each in met)  # a source never read is no trouble

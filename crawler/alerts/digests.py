"""What has gathered for a subscription's digest, as a message when it is due; one for all that was missed."""

from __future__ import annotations

from datetime import datetime

from crawler import spiders
from crawler.config import Config, Subscription
from crawler.entries.troubles import UNREAD, troubles
from crawler.store import Outcome, Store, Subscribed, key_of

ALERTS = ("alert", "bundle")
"""Kinds of messages to one who is told at once."""


def make_due(store: Store, config: Config, now: datetime) -> int:
    """Make the digests that are due by now; how many. Each is one transaction, and none is begun where nothing is due:
    a watch looks each half minute."""
    made = 0
    begun = store.news.subscribed(tuple(config.subscriptions), now)
    for name, subscription in config.subscriptions.items():
        due = _due(store, config, name, subscription, now)
        if due is not None and _begins(begun[name], store.outbox.last_made(name, ALERTS)) < due:
            with store.batch():
                made += _made(store, config, name, subscription, due, now)
    return made


def _due(store: Store, config: Config, name: str, subscription: Subscription, now: datetime) -> datetime | None:
    """When the subscription's last digest fell due; None for one that has none. One that is told at once from now on is
    told in a last digest what still waits."""
    if subscription.when.rhythm == "realtime" and not store.news.has_waiting(name):
        return None
    return subscription.when.latest(now.astimezone(config.zone_of(subscription)))


def _begins(begun: Subscribed, alerted: datetime | None) -> datetime:
    """From when on a subscription's next digest tells: where the last one ended, or its last alert if it had some
    since."""
    begins = begun.digest_until or begun.begun_at
    return max(begins, alerted or begins)


def _made(store: Store, config: Config, name: str, subscription: Subscription, due: datetime, now: datetime) -> bool:
    begun = store.news.subscribed([name], now)[name]
    alerted = store.outbox.last_made(name, ALERTS)
    begins = _begins(begun, alerted)
    if due <= begins:  # another process made it just now
        return False
    waiting = store.news.waiting(name, due, carried_since=alerted)
    is_empty = not any(notice.outcome is Outcome.DIGEST for notice in waiting)
    silent = is_empty and _stays_unsaid(store, config, subscription, begun, (begins, due))
    if not silent:
        number = store.outbox.put(
            key=key_of(name, "digest", due.isoformat()),
            subscription=name,
            kind="digest",
            channels=subscription.channels,
            at=now,
            due=now,
            begins=begins,
            ends=due,
        )
        store.news.attach(name, [notice.news_id for notice in waiting], number)
    store.news.digested(name, due, begun.last_empty + 1 if is_empty else 0)
    return not silent


def _stays_unsaid(
    store: Store, config: Config, subscription: Subscription, begun: Subscribed, time: tuple[datetime, datetime]
) -> bool:
    """Whether a digest without news is not sent: as the subscriber asked; but with `once` a day or week in which a
    source could not be seen is never passed over, for it may only look empty."""
    if subscription.empty == "always" or (subscription.empty == "once" and begun.last_empty == 0):
        return False
    if subscription.when.rhythm == "hourly" or subscription.empty == "never":
        return True
    names = subscription.sources or [name for name in spiders.names() if config.source(name).enabled]
    met = troubles(store, names, *time)
    return all(each.kind == UNREAD and each.since is None for each in met)  # a source never read is no trouble

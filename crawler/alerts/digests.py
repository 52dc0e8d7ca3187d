"""What has gathered for a subscription's digest, as a message when it is due; one for all that was missed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.config import Config, Subscription
from crawler.store import Outcome, Store, Subscribed, key_of


def make_due(store: Store, config: Config, now: datetime) -> int:
    """Make the digests that are due by now; how many. A subscription that is told at once from now on is told in a last
    one what still waits."""
    made = 0
    with store.batch():
        begun = store.news.subscribed(tuple(config.subscriptions), now)
        for name, subscription in config.subscriptions.items():
            if subscription.when.rhythm != "realtime" or store.news.has_waiting(name):
                made += _made(store, config, name, subscription, begun[name], now)
    return made


def _made(
    store: Store, config: Config, name: str, subscription: Subscription, begun: Subscribed, now: datetime
) -> bool:
    here = now.astimezone(ZoneInfo(subscription.timezone or config.timezone))
    due = subscription.when.latest(here)
    begins = begun.digest_until or begun.begun_at
    if due <= begins:
        return False
    alerted = store.outbox.last_made(name, ("alert", "bundle"))  # it was told at once until then
    begins = max(begins, alerted or begins)
    if due <= begins:
        return False
    waiting = store.news.waiting(name, due, carried_since=alerted)
    is_empty = not any(notice.outcome is Outcome.DIGEST for notice in waiting)
    silent = is_empty and (subscription.empty == "never" or (subscription.empty == "once" and begun.last_empty > 0))
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

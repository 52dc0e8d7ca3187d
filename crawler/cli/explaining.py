"""`crawler alerts explain`: what each subscription made of an article, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crawler.config import Config
from crawler.notify.subscription_filter import matches_subscription
from crawler.store import ChangeEvent, DeliveryState, Notification, Store
from crawler.text.dates import load_time_zone

SUPPRESSED_BECAUSE = {
    "baseline": "it was stored when its source, or this language of it, was read for the first time",
    "backfill": "it was stored by a run with --since, and is older than what a usual run would have met",
    "replay": "it was read from stored pages, not from the site",
}
NO_EVENT_BECAUSE = (
    "no rule matched it when it was stored (what `crawler rules apply` finds is told nobody), or nobody could be told"
)


def explain_notifications(store: Store, config: Config, article_id: str) -> Iterator[str]:
    """Lines for people: the article, then each of its news with each subscription's word."""
    article = store.articles.get(article_id)
    assert article is not None
    yield f"{article_id}  {article.headline}"
    if not config.subscriptions:
        yield "  Nobody is told of anything: there is no [subscriptions.…] in the configuration."
    news = store.events.list_by_article(article_id)
    if not news:
        why = NO_EVENT_BECAUSE if article.matches else "no rule matches it"
        yield f"  Not told, because {why}."
    notices = store.events.notifications__list_by_article(article_id)
    for each in news:
        yield f"  version {each.version}, {each.verdict}, noted {_format_time(each.created_at, config)}"
        if each.suppressed_because:
            yield f"    not told, because {SUPPRESSED_BECAUSE.get(each.suppressed_because, each.suppressed_because)}"
            continue
        for name, subscription in config.subscriptions.items():
            mine = next((n for n in notices if n.event_id == each.id and n.subscription == name), None)
            matches = matches_subscription(subscription, article)
            yield f"    {name}: {_explain_notification(store, config, each, mine, matches)}"


def _explain_notification(
    store: Store, config: Config, news: ChangeEvent, notice: Notification | None, matches: bool
) -> str:
    if notice is None:
        if _is_undecided(store, news):
            return "not asked yet; the next run, or `crawler alerts send`, does"
        return "not asked: the subscription did not exist then" + ("" if matches else ", and no rule of it matches")
    match notice.decision:
        case "not":
            return f"not told, because {notice.reason}"
        case "carried":
            by = f": {_format_deliveries(store, config, notice)}" if notice.message_id is not None else ""
            return f"not told by itself, because {notice.reason}{by}"
        case "digest" if notice.message_id is None:
            return "waits for the next digest"
    return _format_deliveries(store, config, notice)


def _is_undecided(store: Store, news: ChangeEvent) -> bool:
    waiting = store.events.list_undecided(1)
    return bool(waiting) and waiting[0].id <= news.id


def _format_deliveries(store: Store, config: Config, notice: Notification) -> str:
    parts = []
    for message, delivery in store.messages.deliveries__list_newest(message_id=notice.message_id):
        if delivery.state is DeliveryState.SENT and delivery.sent_at:
            parts.append(f"told on {delivery.channel} {_format_time(delivery.sent_at, config)} (message {message.id})")
        elif delivery.state is DeliveryState.DEAD:
            parts.append(f"not told on {delivery.channel}: given up, for {delivery.failure} (message {message.id})")
        else:
            due = _format_time(delivery.next_try_at, config)
            parts.append(f"to be told on {delivery.channel} {due} (message {message.id})")
    return "; ".join(parts) or "told, by a message that is no longer kept"


def _format_time(at: datetime, config: Config) -> str:
    return f"{at.astimezone(load_time_zone(config.timezone)):%Y-%m-%d %H:%M}"

"""`crawler alerts explain`: what each subscription made of an article, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crawler.alerts.deciding import asks_for
from crawler.config import Config
from crawler.store import News, Notice, State, Store
from crawler.text.dates import zone

QUIET = {
    "baseline": "it was stored when its source, or this language of it, was read for the first time",
    "backfill": "it was stored by a run with --since, and is older than what a usual run would have met",
    "replay": "it was read from stored pages, not from the site",
}
UNNOTED = (
    "no rule matched it when it was stored (what `crawler rules apply` finds is told nobody), or nobody could be told"
)


def explained(store: Store, config: Config, article_id: str) -> Iterator[str]:
    """Lines for people: the article, then each of its news with each subscription's word."""
    article = store.articles.get(article_id)
    assert article is not None
    yield f"{article_id}  {article.headline}"
    if not config.subscriptions:
        yield "  Nobody is told of anything: there is no [subscriptions.…] in the configuration."
    news = store.news.of_article(article_id)
    if not news:
        why = UNNOTED if article.matches else "no rule matches it"
        yield f"  Not told, because {why}."
    notices = store.news.notices(article_id)
    for each in news:
        yield f"  version {each.version}, {each.verdict}, noted {_time(each.noted_at, config)}"
        if each.quiet:
            yield f"    not told, because {QUIET.get(each.quiet, each.quiet)}"
            continue
        for name, subscription in config.subscriptions.items():
            mine = next((n for n in notices if n.news_id == each.id and n.subscription == name), None)
            matches = asks_for(subscription, article)
            yield f"    {name}: {_word(store, config, each, mine, matches)}"


def _word(store: Store, config: Config, news: News, notice: Notice | None, matches: bool) -> str:
    if notice is None:
        if _is_waiting(store, news):
            return "not asked yet; the next run, or `crawler alerts send`, does"
        return "not asked: the subscription did not exist then" + ("" if matches else ", and no rule of it matches")
    match notice.outcome:
        case "not":
            return f"not told, because {notice.why}"
        case "carried":
            by = f": {_sent(store, config, notice)}" if notice.message_id is not None else ""
            return f"not told by itself, because {notice.why}{by}"
        case "digest" if notice.message_id is None:
            return "waits for the next digest"
    return _sent(store, config, notice)


def _is_waiting(store: Store, news: News) -> bool:
    waiting = store.news.unsorted(1)
    return bool(waiting) and waiting[0].id <= news.id


def _sent(store: Store, config: Config, notice: Notice) -> str:
    parts = []
    for message, delivery in store.outbox.ledger(message_id=notice.message_id):
        if delivery.state is State.SENT and delivery.sent_at:
            parts.append(f"told on {delivery.channel} {_time(delivery.sent_at, config)} (message {message.id})")
        elif delivery.state is State.DEAD:
            parts.append(f"not told on {delivery.channel}: given up, for {delivery.failure} (message {message.id})")
        else:
            due = _time(delivery.next_try_at, config)
            parts.append(f"to be told on {delivery.channel} {due} (message {message.id})")
    return "; ".join(parts) or "told, by a message that is no longer kept"


def _time(at: datetime, config: Config) -> str:
    return f"{at.astimezone(zone(config.timezone)):%Y-%m-%d %H:%M}"

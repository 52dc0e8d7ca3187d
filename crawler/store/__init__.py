"""The store: everything the crawler keeps, in SQLite (the default) or PostgreSQL.

`open_store(url)` returns a `Store` with one repository per aggregate:

| repository | content |
|---|---|
| `articles`, `versions`, `rematches` | articles, their texts, and what a rematch changed |
| `cards`, `reading_lists` | what lists show of matched articles, and the lists: stories, counts, versions |
| `reader_actions` | what readers did: seen, important, false alarm, notes |
| `search` | full-text search in every version |
| `clusters`, `stories` | articles with one text, articles about one event |
| `runs`, `http_cache`, `failures` | runs, the last response of each URL, URLs that could not be read |
| `leases`, `schedules`, `alarms` | per source: its running process, its schedule, its open trouble |
| `backfills` | per source: how far its history is walked, and what could not be read |
| `events`, `notifications`, `subscriptions` | change events, and what each subscription decided about them |
| `messages`, `deliveries` | the outbox |
| `retention`, `integrity`, `statistics` | what may be removed, what should never be, what takes space |
| `users`, `sessions`, `api_keys`, `audit` | who may do what in the newsroom, and who changed what |

All times are aware. Returned times are in UTC, except within an `Article`, which is returned exactly as it was saved.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from crawler.store.store import Store, can_create_store, is_store_missing, open_store, redact_url, store_exists

if TYPE_CHECKING:
    from crawler.store.alarms import Alarm, AlarmNotice
    from crawler.store.article_writer import ReprocessedArticle, TextIndex
    from crawler.store.articles import ArticleState
    from crawler.store.backfills import Backfill, BackfillGap, WalkedList, WalkedPage
    from crawler.store.events import AlertTimes, ChangeEvent, Decision, Notification, PastNotification
    from crawler.store.failures import FetchFailure
    from crawler.store.http_cache import HttpCacheEntry
    from crawler.store.leases import HEARTBEAT_SECONDS, LEASE_TIMEOUT, Lease
    from crawler.store.outbox import Delivery, DeliveryState, Message, make_idempotency_key
    from crawler.store.rematches import Rematch
    from crawler.store.schedules import RUN_NOW, ScheduleState
    from crawler.store.stories import StoredStory, StoryMember
    from crawler.store.subscriptions import SubscriptionState

__all__ = [
    "HEARTBEAT_SECONDS",
    "LEASE_TIMEOUT",
    "RUN_NOW",
    "Alarm",
    "AlarmNotice",
    "AlertTimes",
    "ArticleState",
    "Backfill",
    "BackfillGap",
    "ChangeEvent",
    "Decision",
    "Delivery",
    "DeliveryState",
    "FetchFailure",
    "HttpCacheEntry",
    "Lease",
    "Message",
    "Notification",
    "PastNotification",
    "Rematch",
    "ReprocessedArticle",
    "ScheduleState",
    "Store",
    "StoredStory",
    "StoryMember",
    "SubscriptionState",
    "TextIndex",
    "WalkedList",
    "WalkedPage",
    "can_create_store",
    "is_store_missing",
    "make_idempotency_key",
    "open_store",
    "redact_url",
    "store_exists",
]

LAZY_NAMES = {
    "alarms": ("Alarm", "AlarmNotice"),
    "article_writer": ("ReprocessedArticle", "TextIndex"),
    "articles": ("ArticleState",),
    "backfills": ("Backfill", "BackfillGap", "WalkedList", "WalkedPage"),
    "events": ("AlertTimes", "ChangeEvent", "Decision", "Notification", "PastNotification"),
    "failures": ("FetchFailure",),
    "http_cache": ("HttpCacheEntry",),
    "leases": ("HEARTBEAT_SECONDS", "LEASE_TIMEOUT", "Lease"),
    "outbox": ("Delivery", "DeliveryState", "Message", "make_idempotency_key"),
    "rematches": ("Rematch",),
    "schedules": ("RUN_NOW", "ScheduleState"),
    "stories": ("StoredStory", "StoryMember"),
    "subscriptions": ("SubscriptionState",),
}
"""What is imported when it is first used, by its module. A command needs few of these modules."""


def __getattr__(name: str) -> Any:
    """Import one of `LAZY_NAMES` and return it."""
    for module, names in LAZY_NAMES.items():
        if name in names:
            return globals().setdefault(name, getattr(import_module(f"{__name__}.{module}"), name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

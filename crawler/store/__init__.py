"""Memory: what was seen, when, and in which words; SQLite by default, PostgreSQL by address.

`open_store(url)` gives a `Store` with its rooms: `articles` (articles, their versions and matches), `runs`,
`memory` (what a source last answered at an address, and what keeps failing), `schedules`, `same` (which articles are
one text, and which one story), `alarms` (which source is in trouble, and what the operator has still to hear), `news`
(what became new, and what each subscription made of it), `outbox` (messages, and what became of them) and `leases` (who
runs a source now).
All times given and returned are aware; those returned are in UTC, except inside an `Article`, which comes back exactly
as it was saved.
"""

from __future__ import annotations

from crawler.store.alarms import Alarm
from crawler.store.articles import ArticleState
from crawler.store.events import ChangeEvent, Decision, Notification, SubscriptionState
from crawler.store.http_cache import FetchFailure, HttpCacheEntry
from crawler.store.leases import HEARTBEAT_SECONDS, LEASE_TIMEOUT, Lease
from crawler.store.outbox import Delivery, DeliveryState, Message, make_idempotency_key
from crawler.store.rematches import Rematch
from crawler.store.schedules import RUN_NOW, ScheduleState
from crawler.store.session import close_store, get_store, store_exists
from crawler.store.store import Store, open_store, redact_url
from crawler.store.stories import StoredStory, StoryMember

__all__ = [
    "RUN_NOW",
    "HEARTBEAT_SECONDS",
    "LEASE_TIMEOUT",
    "Alarm",
    "Delivery",
    "FetchFailure",
    "ArticleState",
    "Lease",
    "Rematch",
    "HttpCacheEntry",
    "Message",
    "ChangeEvent",
    "Notification",
    "Decision",
    "ScheduleState",
    "DeliveryState",
    "Store",
    "StoredStory",
    "StoryMember",
    "SubscriptionState",
    "close_store",
    "store_exists",
    "make_idempotency_key",
    "redact_url",
    "open_store",
    "get_store",
]

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
from crawler.store.articles import Known
from crawler.store.leases import BEAT, FORSAKEN, Lease
from crawler.store.marking import Marking
from crawler.store.memory import Failure, Memory
from crawler.store.news import News, Notice, Outcome, Subscribed
from crawler.store.outbox import Delivery, Message, State, key_of
from crawler.store.sameness import StoredStory, StoryMember
from crawler.store.schedules import AT_ONCE, ScheduleRow
from crawler.store.session import close_session, is_there, session
from crawler.store.store import Store, name_of, open_store

__all__ = [
    "AT_ONCE",
    "BEAT",
    "FORSAKEN",
    "Alarm",
    "Delivery",
    "Failure",
    "Known",
    "Lease",
    "Marking",
    "Memory",
    "Message",
    "News",
    "Notice",
    "Outcome",
    "ScheduleRow",
    "State",
    "Store",
    "StoredStory",
    "StoryMember",
    "Subscribed",
    "close_session",
    "is_there",
    "key_of",
    "name_of",
    "open_store",
    "session",
]

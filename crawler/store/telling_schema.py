"""The tables of telling people: what is new (`news`, the outbox), who is to hear of it (`notices`), in which message,
and what became of each message on each channel.

A row of `news` is written in the transaction of the article's version. It is sorted once, after the run was judged for
sameness: each subscription then has a notice that says told, in a digest, or why not. `leases` has a row for each
source that runs, kept alive by heartbeats.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from crawler.store.columns import CleanText, UtcDateTime
from crawler.store.schema import metadata

__all__ = ["deliveries", "leases", "messages", "metadata", "change_events", "notifications", "subscriptions"]

leases = Table(
    "leases",
    metadata,
    Column("source", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("born", Text),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("digest_until", UtcDateTime),
    Column("last_empty", Integer, nullable=False),
)

change_events = Table(
    "news",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("run_id", Integer),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("quiet", Text),
    Column("sorted_at", UtcDateTime),
    UniqueConstraint("article_id", "version", name="uq_news_article_id_version"),
    Index("ix_news_sorted_at", "sorted_at"),
    Index("ix_news_run_id", "run_id"),
    sqlite_autoincrement=True,
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False),
    Column("subscription", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("begins_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
    UniqueConstraint("key", name="uq_messages_key"),
    Index("ix_messages_subscription_id", "subscription", "id"),
    sqlite_autoincrement=True,
)

notifications = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subscription", Text, nullable=False),
    Column("news_id", Integer, ForeignKey("news.id", ondelete="CASCADE"), nullable=False),
    Column("article_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("why", CleanText),
    Column("message_id", Integer, ForeignKey("messages.id", ondelete="SET NULL")),
    Column("decided_at", UtcDateTime, nullable=False),
    UniqueConstraint("subscription", "news_id", name="uq_notices_subscription_news_id"),
    Index("ix_notices_article_id_subscription", "article_id", "subscription"),
    Index("ix_notices_news_id", "news_id"),
    Index("ix_notices_subscription_outcome_message_id", "subscription", "outcome", "message_id"),
    sqlite_autoincrement=True,
)

Index(
    "ix_notices_message_id",
    notifications.c.message_id,
    sqlite_where=notifications.c.message_id.is_not(None),
    postgresql_where=notifications.c.message_id.is_not(None),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("message_id", Integer, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("failure", CleanText),
    Column("took", Text, nullable=False),
    Index("ix_deliveries_state_next_try_at", "state", "next_try_at"),
)

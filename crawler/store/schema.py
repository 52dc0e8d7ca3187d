"""The tables as this version of the program uses them. The files in `migrations/` create them; a test compares the two.

Several columns have another name in the database than in Python: `Column("noted_at", key="created_at")`. In Python
every query, index and row that is written uses the key. A `ForeignKey` uses the database's name.

An index with a comment `WHERE …` has only these rows. Only the migrations say so to the databases: with
`postgresql_where` here, every command would import SQLAlchemy's whole PostgreSQL dialect (0.03 s).

| tables | content |
|---|---|
| `runs` | one row per crawl of a source |
| `articles`, `versions`, `matches`, `rematches` | articles, every text they had, matches, rematch log |
| `revision_diffs`, `unjudged_revisions` | what each version changed, versions for which that is still to be stored |
| `http_cache`, `failures` | last response of each URL, URLs that could not be read |
| `schedules`, `leases`, `alarms` | state of each source's schedule, its running process, its alarms |
| `search_…`, `unindexed_versions` | the full-text index, defined in `search_index.py` |
| `signatures` to `unclustered` | near-duplicate clusters and stories |
| in `reading_schema.py` | what readers see in lists, and what they do |
| in `user_schema.py` | users, sessions, API keys, and who changed what |
| in `backfill_schema.py` | how far the history of each source is walked |
| `change_events`, `notifications`, `subscriptions`, `messages`, `deliveries` | who is notified of what |
| `alarm_notices` | what the messages to the operator say |
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from crawler.store.column_types import CleanText, UtcDateTime

SCHEMA_REVISION = "0018"
"""The newest revision in `migrations/versions`, which these tables have."""
COPY_MARK = "+copy"
"""End of the revision of a store that `live_copy` has not finished."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("health", Text),
    Column("reason", CleanText),
    Column("exit_code", Integer),
    Column("complete", Boolean, nullable=False),
    Column("counts", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("measures", Text, nullable=False, server_default="{}"),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("born", Text, key="start_mark"),
    Index("ix_runs_source_id", "source", "id"),
    Index("ix_runs_backfill", "source", "id"),  # WHERE mode = 'backfill'
    sqlite_autoincrement=True,
)

articles = Table(
    "articles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("native_id", Text, nullable=False),
    Column("language", Text),
    Column("url", CleanText, nullable=False),
    Column("url_key", String(32), nullable=False),
    Column("current_version", Integer, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("copy_of", Text),
    Column("matched", Boolean, nullable=False),
    Column("published_at", UtcDateTime),
    Column("dated_at", UtcDateTime, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("first_run_id", Integer, ForeignKey("runs.id", ondelete="SET NULL")),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("last_run_id", Integer, ForeignKey("runs.id", ondelete="SET NULL")),
    Index("ix_articles_source_native_id", "source", "native_id"),
    Index("ix_articles_source_dated_at_id", "source", "dated_at", "id"),
    Index("ix_articles_dated_at_id", "dated_at", "id"),
    Index("ix_articles_url_key", "url_key"),
    Index("ix_articles_matched", "dated_at", "id"),  # WHERE matched
)

versions = Table(
    "versions",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("verdict", Text, nullable=False, server_default="new"),
    Column("content_hash", Text, nullable=False),
    Column("copy_hash", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="SET NULL")),
    Column("article", Text, nullable=False),
    Index("ix_versions_copy_hash_seen_at_article_id", "copy_hash", "seen_at", "article_id"),
    Index("ix_versions_run_id", "run_id"),
    Index("ix_versions_seen_at_article_id_version", "seen_at", "article_id", "version"),
)

revision_diffs = Table(
    "revision_diffs",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("severity", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("judged_at", UtcDateTime, nullable=False),
    Column("diff", Text, nullable=False),
)

unjudged_revisions = Table(
    "unjudged_revisions",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
)

matches = Table(
    "matches",
    metadata,
    Column("article_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),
    Column("term", CleanText, nullable=False),
    Column("surface", CleanText, nullable=False),
    Column("field", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("strength", Text, nullable=False),
    ForeignKeyConstraint(["article_id", "version"], ["versions.article_id", "versions.version"], ondelete="CASCADE"),
    Index("ix_matches_rule", "rule"),
    sqlite_with_rowid=False,
)

rematches = Table(
    "markings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("article_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("marked_at", UtcDateTime, key="rematched_at", nullable=False),
    Column("rules", Text, key="rules_digest", nullable=False),
    Column("before", CleanText, key="places_before", nullable=False),
    Column("after", CleanText, key="places_after", nullable=False),
    ForeignKeyConstraint(["article_id", "version"], ["versions.article_id", "versions.version"], ondelete="CASCADE"),
    Index("ix_markings_article_id_version", "article_id", "version"),
    sqlite_autoincrement=True,
)

http_cache = Table(
    "memory",
    metadata,
    Column("source", Text, primary_key=True),
    Column("url_key", String(32), primary_key=True),
    Column("url", CleanText, nullable=False),
    Column("etag", CleanText),
    Column("last_modified", CleanText),
    Column("digest", Text),
    Column("record_file", CleanText),
    Column("record_offset", BigInteger),
    Column("record_date", UtcDateTime),
    Column("checked_at", UtcDateTime, nullable=False),
    Column("status", Integer),
    sqlite_with_rowid=False,
)

failures = Table(
    "failures",
    metadata,
    Column("source", Text, primary_key=True),
    Column("url_key", String(32), primary_key=True),
    Column("url", CleanText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message", CleanText, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

schedules = Table(
    "schedules",
    metadata,
    Column("source", Text, primary_key=True),
    Column("cron", Text, nullable=False),
    Column("jitter", Integer, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("last_due_at", UtcDateTime),
    Column("last_started_at", UtcDateTime),
    Column("last_finished_at", UtcDateTime),
    Column("next_due_at", UtcDateTime),
)

# Near-duplicates and stories. These rows are many and small, so an article has a number here. `raw_cluster` is the
# cluster of near-duplicates before boilerplate passages are ignored, `cluster` the one after.

signatures = Table(
    "signatures",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("shingles", Integer, key="shingle_count", nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("identity", Text, key="release_id"),
    Column("raw_cluster", Integer, nullable=False),
    Column("cluster", Integer, nullable=False),
    Column("story", Integer),
    Index("ix_signatures_article_id", "article_id", unique=True),
    Index("ix_signatures_identity", "release_id"),
    Index("ix_signatures_raw_cluster", "raw_cluster"),
    Index("ix_signatures_cluster", "cluster"),
    Index("ix_signatures_story", "story"),
    sqlite_autoincrement=True,
)

bands = Table(
    "bands",
    metadata,
    Column("band", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

story_keys = Table(
    "story_keys",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

passages = Table(
    "passages",
    metadata,
    Column("passage", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

boilerplate = Table(
    "boilerplate",
    metadata,
    Column("passage", BigInteger, primary_key=True, autoincrement=False),
)

links = Table(
    "links",
    metadata,
    Column("a", Integer, primary_key=True, autoincrement=False),
    Column("b", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("raw", Boolean, nullable=False),
    Column("score", Float, nullable=False),
    Index("ix_links_b", "b"),
    sqlite_with_rowid=False,
)

stories = Table(
    "stories",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    sqlite_autoincrement=True,
)

story_overrides = Table(
    "overrules",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("act", Integer, key="action", nullable=False),
    Column("a", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("b", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("together", Boolean, nullable=False),
    Column("made_at", UtcDateTime, key="created_at", nullable=False),
    Column("undone_at", UtcDateTime),
    Index("ix_overrules_a", "a"),
    Index("ix_overrules_b", "b"),
    sqlite_autoincrement=True,
)

# Articles that wait for clustering, with the fingerprint of `version`. Without one it is made from the stored text.
# `urgent`: an alert may depend on the article's story, so it does not wait for the others.

unclustered = Table(
    "unjudged",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("version", Integer),
    Column("day", Integer),
    Column("identity", Text, key="release_id"),
    Column("fingerprint", LargeBinary),
    Index("ix_unjudged_day", "day"),
    Index("ix_unjudged_urgent", "article_id"),  # WHERE urgent
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("latest", Text, key="last_health", nullable=False),
    Column("message", CleanText, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("times", Integer, key="run_count", nullable=False),
    Column("run_id", Integer),
    Column("untold", Text, key="pending_notice"),
    Column("told_at", UtcDateTime, key="announced_at"),
    Column("topic", Text, nullable=False, server_default="health"),
    Index("ix_alarms_source_closed_at", "source", "closed_at"),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column("source", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("born", Text, key="start_mark"),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, key="heartbeat_at", nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("begun_at", UtcDateTime, key="started_at", nullable=False),
    Column("digest_until", UtcDateTime),
    Column("last_empty", Integer, key="empty_digests", nullable=False),
)

change_events = Table(
    "news",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("run_id", Integer),
    Column("noted_at", UtcDateTime, key="created_at", nullable=False),
    Column("quiet", Text, key="suppressed_because"),
    Column("sorted_at", UtcDateTime, key="decided_at"),
    UniqueConstraint("article_id", "version", name="uq_news_article_id_version"),
    Index("ix_news_sorted_at", "decided_at"),
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
    Column("made_at", UtcDateTime, key="created_at", nullable=False),
    Column("begins_at", UtcDateTime, key="period_start"),
    Column("ends_at", UtcDateTime, key="period_end"),
    Column("deferred", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("key", name="uq_messages_key"),
    Index("ix_messages_subscription_id", "subscription", "id"),
    sqlite_autoincrement=True,
)

alarm_notices = Table(
    "alarm_notices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("alarm_id", Integer, ForeignKey("alarms.id", ondelete="CASCADE"), nullable=False),
    Column("notice", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message", CleanText, nullable=False),
    Column("message_id", Integer, ForeignKey("messages.id", ondelete="SET NULL")),
    Index("ix_alarm_notices_alarm_id", "alarm_id"),
    Index("ix_alarm_notices_message_id", "message_id"),
    sqlite_autoincrement=True,
)

notifications = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subscription", Text, nullable=False),
    Column("news_id", Integer, ForeignKey("news.id", ondelete="CASCADE"), key="event_id", nullable=False),
    Column("article_id", Text, nullable=False),
    Column("outcome", Text, key="decision", nullable=False),
    Column("why", CleanText, key="reason"),
    Column("message_id", Integer, ForeignKey("messages.id", ondelete="SET NULL")),
    Column("decided_at", UtcDateTime, nullable=False),
    UniqueConstraint("subscription", "event_id", name="uq_notices_subscription_news_id"),
    Index("ix_notices_article_id_subscription", "article_id", "subscription"),
    Index("ix_notices_news_id", "event_id"),
    Index("ix_notices_subscription_outcome_message_id", "subscription", "decision", "message_id"),
    Index("ix_notices_message_id", "message_id"),  # WHERE message_id IS NOT NULL
    sqlite_autoincrement=True,
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
    Column("took", Text, key="delivered_to", nullable=False),
    Index("ix_deliveries_state_next_try_at", "state", "next_try_at"),
)

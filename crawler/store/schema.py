"""The tables, as today's code sees them. What a database gets is written in `migrations/`; a test compares the two.

`articles` has a row an article, the state of its current version in columns to search by; `versions` has a row a
text, with the whole article as JSON; `matches` has the places of a version's matches. They only ever change
together, in one transaction. `markings` says when and by which rules a stored version was marked anew.
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
    true,
)

from crawler.store.columns import CleanText, UtcDateTime

SCHEMA_REVISION = "0004"
"""The revision these tables have; the newest in `migrations/versions`."""

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
    Column("born", Text),
    Index("ix_runs_source_id", "source", "id"),
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
)
Index(
    "ix_articles_matched",
    articles.c.dated_at,
    articles.c.id,
    sqlite_where=articles.c.matched.is_(true()),
    postgresql_where=articles.c.matched.is_(true()),
)

versions = Table(
    "versions",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content_hash", Text, nullable=False),
    Column("copy_hash", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="SET NULL")),
    Column("article", Text, nullable=False),
    Index("ix_versions_copy_hash_seen_at_article_id", "copy_hash", "seen_at", "article_id"),
    Index("ix_versions_run_id", "run_id"),
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
    Column("marked_at", UtcDateTime, nullable=False),
    Column("rules", Text, nullable=False),
    Column("before", CleanText, nullable=False),
    Column("after", CleanText, nullable=False),
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

# What is the same. An article has a number here, for these rows are many and small. `signatures` says which cluster of
# near-duplicates it is in (`raw_cluster`: before passages that stand everywhere are left out), and which story.

signatures = Table(
    "signatures",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("shingles", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("identity", Text),
    Column("raw_cluster", Integer, nullable=False),
    Column("cluster", Integer, nullable=False),
    Column("story", Integer),
    Index("ix_signatures_article_id", "article_id", unique=True),
    Index("ix_signatures_identity", "identity"),
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
    Column("act", Integer, nullable=False),
    Column("a", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("b", Text, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("together", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
    Index("ix_overrules_a", "a"),
    Index("ix_overrules_b", "b"),
    sqlite_autoincrement=True,
)

unclustered = Table(
    "unjudged",
    metadata,
    Column("article_id", Text, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
)

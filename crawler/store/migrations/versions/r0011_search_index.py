"""The full-text index: one entry for each stored version.

Versions that are stored already are listed in `unindexed_versions`. The next run indexes them in the background,
because that takes longer than an upgrade may hold its lock.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables and list the stored versions, with the minute of their article."""
    op.create_table(
        "search_entries",
        sa.Column("number", BIG_NUMBER, nullable=False, autoincrement=False),
        *_make_version_columns(),
        _make_version_key("search_entries"),
        sa.PrimaryKeyConstraint("number", name="pk_search_entries"),
    )
    op.create_index("ix_search_entries_article_id_version", "search_entries", ["article_id", "version"], unique=True)
    op.create_table(
        "unindexed_versions",
        *_make_version_columns(),
        sa.Column("dated_minute", BIG_NUMBER, nullable=False),
        _make_version_key("unindexed_versions"),
        sa.PrimaryKeyConstraint("article_id", "version", name="pk_unindexed_versions"),
    )
    op.create_index("ix_unindexed_versions_dated_minute", "unindexed_versions", ["dated_minute"])
    op.create_table("search_state", sa.Column("folding", sa.Integer(), nullable=False))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_INDEX if is_sqlite else POSTGRESQL_INDEX:
        op.execute(statement)
    seconds = "strftime('%s', dated_at)" if is_sqlite else "extract(epoch FROM dated_at)"
    op.execute(
        "INSERT INTO unindexed_versions (article_id, version, dated_minute)"
        f" SELECT article_id, version, CAST({seconds} AS BIGINT) / 60"
        " FROM versions JOIN articles ON articles.id = versions.article_id"
    )
    op.execute("INSERT INTO search_state (folding) VALUES (101)")


SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE search_texts USING fts5("
    "title, lead, body, facets, content = '', tokenize = \"ascii tokenchars '.:-_'\")",
    # Each save makes a segment. Merging 16 at a time instead of 4 costs a quarter less, and searches stay as fast.
    "INSERT INTO search_texts (search_texts, rank) VALUES ('automerge', 16)",
    "CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab(search_texts, row)",
)
POSTGRESQL_INDEX = (
    "CREATE TABLE search_vectors (number BIGINT NOT NULL CONSTRAINT pk_search_vectors PRIMARY KEY"
    " REFERENCES search_entries (number) ON DELETE CASCADE, vector TSVECTOR NOT NULL)",
    # Without a list of pending entries, which every search would have to read.
    "CREATE INDEX ix_search_vectors_vector ON search_vectors USING gin (vector) WITH (fastupdate = off)",
    'CREATE TABLE search_words (word TEXT COLLATE "C" NOT NULL)',
    "CREATE INDEX ix_search_words_word ON search_words (word)",
)


def _make_version_columns() -> list[sa.Column[object]]:
    return [sa.Column("article_id", sa.Text(), nullable=False), sa.Column("version", sa.Integer(), nullable=False)]


def _make_version_key(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["article_id", "version"],
        ["versions.article_id", "versions.version"],
        name=f"fk_{table}_article_id_version",
        ondelete="CASCADE",
    )
